"""The time as big-AGI writes it."""

import time


def now_ms() -> int:
    """Return the present time in ms since the epoch."""
    return time.time_ns() // 1_000_000
