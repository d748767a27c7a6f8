"""Money, sizes, counts and times as people read them, in one way on all pages: $0.0012, 12.3 kB, 1,234 tokens, 250 ms.

A space between a number and its unit is one that lines do not break at.
"""

from decimal import Decimal

from stores.records.formatting import NOTHING

NANO = 10**9
"""Nano-dollars in a dollar."""

_SPACE = "\xa0"
_MINUS = "−"


def format_usd(nano_usd: int | None) -> str:
    """Return nano-dollars as dollars, exactly: $0.0012."""
    if nano_usd is None:
        return NOTHING
    dollars, rest = divmod(abs(nano_usd), NANO)
    decimals = f"{rest:09d}".rstrip("0").ljust(2, "0")
    return f"{_sign(nano_usd)}${dollars:,}.{decimals}"


def round_usd(nano_usd: int | None) -> str:
    """Return nano-dollars as dollars at a glance, with as many digits as their size needs."""
    if nano_usd is None:
        return "unpriced"
    dollars = abs(nano_usd) / NANO
    if dollars >= 1 or not nano_usd:
        return f"{_sign(nano_usd)}${dollars:,.2f}"
    digits = next((places for places in range(2, 9) if dollars >= 10 ** (1 - places)), 9)
    return f"{_sign(nano_usd)}${dollars:.{digits}f}"


def format_dollars(dollars: float) -> str:
    """Return dollars that were never counted in nano-dollars, to six places."""
    return format_usd(round(Decimal(repr(dollars)) * 10**6) * 1000)


def format_size(size: float | None) -> str:
    """Return bytes in units of a thousand: 12.3 kB."""
    if size is None:
        return NOTHING
    if abs(size) < 1000:
        return f"{size:,.0f}{_SPACE}B"
    for unit in ("kB", "MB", "GB", "TB"):
        size /= 1000
        # 999,960 bytes are 1.0 MB, not 1,000.0 kB.
        if abs(size) < 999.95 or unit == "TB":
            break
    return f"{size:,.1f}{_SPACE}{unit}"


def shorten_count(number: float | None) -> str:
    """Return a count in three digits or so: 12,345,678 as 12.3M."""
    if number is None:
        return NOTHING
    if abs(number) >= 10_000:
        for size, unit in ((10**3, "k"), (10**6, "M"), (10**9, "B"), (10**12, "T")):
            # 999,999 is 1M, not 1,000k.
            if abs(number) < size * 999.5 or unit == "T":
                return f"{number / size:.3g}{unit}"
    return f"{number:,.0f}"


def format_count(number: int, noun: str, plural: str = "") -> str:
    """Return a number with what it counts: 1 message, 1,234 messages."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def format_duration(ms: float | None) -> str:
    """Return milliseconds in the unit that suits them: 12 ms, 1.5 s, 3.3 min."""
    if ms is None:
        return NOTHING
    if ms < 1000:
        return f"{ms:.0f}{_SPACE}ms" if ms >= 10 or not ms else f"{ms:.1f}{_SPACE}ms"
    return f"{ms / 1000:.1f}{_SPACE}s" if ms < 120_000 else f"{ms / 60_000:.1f}{_SPACE}min"


def format_percent(share: float | None) -> str:
    """Return a share in percent: 2.5%."""
    if share is None:
        return NOTHING
    return f"{share:.0f}%" if share >= 10 or not share else f"{share:.1f}%"


def _sign(number: int) -> str:
    return _MINUS if number < 0 else ""
