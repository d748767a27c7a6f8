"""The lease of an import under way: renewed by a thread, since a backup or a verification takes minutes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.db import DatabaseError, connection

from stores.leases import next_end
from stores.models import MigrationRun
from stores.querysets import UNDER_WAY

RENEW_SECONDS = 3.0

logger = structlog.get_logger("stores")


@contextmanager
def keep_lease(run: int) -> Iterator[None]:
    """Answer for the run of this key until the end of the block."""
    ended = threading.Event()
    thread = threading.Thread(target=_renew, args=(run, ended), name="import-lease", daemon=True)
    UNDER_WAY.add(run)
    try:
        thread.start()
        yield
    finally:
        ended.set()
        UNDER_WAY.discard(run)
        # Not longer: it may wait for the database.
        thread.join(RENEW_SECONDS)


def _renew(run: int, ended: threading.Event) -> None:
    while not ended.wait(RENEW_SECONDS):
        try:
            MigrationRun.objects.filter(pk=run).update(lease_until=next_end())
        except DatabaseError as error:
            logger.warning("the lease of an import could not be renewed", run=run, reason=str(error))
        finally:
            connection.close()
