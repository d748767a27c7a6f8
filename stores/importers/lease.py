"""The lease of an import under way: renewed by a thread, since a backup or a verification takes minutes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.db import DatabaseError, connection

from stores.background.leases import next_end
from stores.models import MigrationRun
from stores.querysets import UNDER_WAY

RENEW_SECONDS = 3.0

LOST = (
    "Another server has closed this import, since nobody answered for it here for a while, as when the machine slept. "
    "What was imported until then is stored. Import the same file again to resume it."
)
TAKEN_UP = (
    "Another server has taken up this import, since nobody answered for it here for a while, as when the machine slept."
)

logger = structlog.get_logger("stores")


class LeaseLost(RuntimeError):
    """Somebody else has closed the run: nothing more may be written for it."""


def hold(run: int, resumed: int | None = None) -> None:
    """Renew the lease of the run, which is done here for the `resumed`-th time. In a transaction, nobody can close it
    until that ends. Raises `LeaseLost`."""
    running = MigrationRun.objects.filter(pk=run, status=MigrationRun.Status.RUNNING)
    if resumed is not None:
        # Somebody else may have closed it, and taken it up again.
        running = running.filter(resumed=resumed)
    if not running.update(lease_until=next_end()):
        raise LeaseLost(LOST)


@contextmanager
def keep_lease(run: int, resumed: int | None = None) -> Iterator[None]:
    """Answer for the run of this key until the end of the block."""
    ended = threading.Event()
    thread = threading.Thread(target=_renew, args=(run, resumed, ended), name="import-lease", daemon=True)
    UNDER_WAY.add(run)
    try:
        thread.start()
        yield
    finally:
        ended.set()
        UNDER_WAY.discard(run)
        # Not longer: it may wait for the database.
        thread.join(RENEW_SECONDS)


def _renew(run: int, resumed: int | None, ended: threading.Event) -> None:
    while not ended.wait(RENEW_SECONDS):
        try:
            hold(run, resumed)
        except LeaseLost:
            # The import learns it before it writes.
            return
        except DatabaseError as error:
            logger.warning("the lease of an import could not be renewed", run=run, reason=str(error))
        finally:
            connection.close()
