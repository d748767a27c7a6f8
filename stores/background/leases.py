"""Leases of what goes on for a while, as answers and imports: who does it, and until when that is certain.

Its owner renews the lease again and again. Several servers may share a database: what others do may be closed only when
the lease has ended a while ago, or when the owner is known to be gone.
"""

import os

from stores.background import processes
from stores.records.clock import now_ms

LEASE_MS = 10_000
GRACE_MS = 10_000
"""How long after the end of its lease a run is left alone: clocks differ, and machines are busy."""


def this_owner() -> str:
    """Return the name under which this process owns runs."""
    return processes.name_of(os.getpid())


def next_end() -> int:
    """Return until when a lease lasts that is taken or renewed now, in ms since the epoch."""
    return now_ms() + LEASE_MS


def is_over(owner: str, lease_until: int) -> bool:
    """Tell whether nobody answers for a run any more. A killed process of this machine need not be waited for."""
    return lease_until + GRACE_MS <= now_ms() or processes.is_gone(owner)
