"""Readable amounts of money."""

NANO = 10**9
"""Nano-dollars in a dollar."""


def format_nano_usd(value: int) -> str:
    """Return nano-dollars as dollars, exactly."""
    dollars, rest = divmod(abs(value), NANO)
    decimals = f"{rest:09d}".rstrip("0").ljust(2, "0")
    return f"{'-' if value < 0 else ''}$ {dollars}.{decimals}"
