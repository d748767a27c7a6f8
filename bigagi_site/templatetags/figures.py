"""Figures as people read them at a glance. What links to them has the exact ones."""

from datetime import datetime, timedelta

from django import template
from django.utils.timesince import timesince

register = template.Library()

NANO = 10**9


@register.filter
def usd(nano_usd: int | None) -> str:
    """Return nano-dollars as dollars, with as many digits as their size needs."""
    if nano_usd is None:
        return "unpriced"
    dollars = abs(nano_usd) / NANO
    sign = "−" if nano_usd < 0 else ""
    if dollars >= 1 or not nano_usd:
        return f"{sign}${dollars:,.2f}"
    digits = next((places for places in range(2, 9) if dollars >= 10 ** (1 - places)), 9)
    return f"{sign}${dollars:.{digits}f}"


@register.filter
def short(number: float | None) -> str:
    """Return a count in three digits or so: 12,345,678 as 12.3 M."""
    if number is None:
        return "–"
    if abs(number) >= 10_000:
        for size, unit in ((10**3, "k"), (10**6, "M"), (10**9, "G"), (10**12, "T")):
            # 999,999 is 1 M, not 1,000 k.
            if abs(number) < size * 999.5 or unit == "T":
                return f"{number / size:.3g} {unit}"
    return f"{number:,.0f}"


@register.filter
def duration(ms: float | None) -> str:
    """Return ms in the unit that suits them."""
    if ms is None:
        return "–"
    if ms < 1000:
        return f"{ms:.0f} ms" if ms >= 10 else f"{ms:.1f} ms"
    return f"{ms / 1000:.1f} s" if ms < 120_000 else f"{ms / 60_000:.1f} min"


@register.filter
def percent(share: float | None) -> str:
    """Return a share in percent."""
    if share is None:
        return "–"
    return f"{share:.0f} %" if share >= 10 or not share else f"{share:.1f} %"


@register.filter
def ago(at: datetime, now: datetime) -> str:
    """Return how long ago a time was, in its largest unit."""
    if now - at < timedelta(minutes=1):
        return "just now"
    return f"{timesince(at, now, depth=1)} ago"
