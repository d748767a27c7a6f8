"""One run at a time: the right to import, the row of a run that begins, and the end of those that nobody does."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from filelock import FileLock, Timeout

from stores.background.leases import next_end, this_owner
from stores.models import MigrationRun
from stores.querysets import is_abandoned, mark_ended
from stores.records.sql import execute

ENDING_SECONDS = 2
"""How long the lock of a run that is over is waited for."""


class AlreadyRunning(RuntimeError):
    """Another import is under way."""


def new_run(**fields: Any) -> MigrationRun:
    """Make the row of a run that begins. Raises `AlreadyRunning`."""
    with while_none_runs():
        return MigrationRun.objects.create(phases=[], counts={}, errors=[], notes=[], **ownership(), **fields)


@contextmanager
def while_none_runs() -> Iterator[None]:
    """Open a transaction in which no run can begin elsewhere. Raises `AlreadyRunning`."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            # SQLite's transactions begin with a lock. Here two servers could both find that none runs.
            execute("LOCK TABLE {stores.MigrationRun} IN SHARE ROW EXCLUSIVE MODE")
        _check_none_runs()
        yield


def ownership() -> dict[str, Any]:
    """Return the columns that say that this process does a run."""
    return {"pid": os.getpid(), "owner": this_owner(), "lease_until": next_end()}


# --- one at a time ---


def _lock() -> FileLock:
    folder = Path(settings.DATA_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    # The system lets go of it when the process ends, however it ends.
    return FileLock(folder / "import.lock", timeout=0)


@contextmanager
def only_one() -> Any:
    """Hold the right to import. Raises `AlreadyRunning`, which names the run that has it."""
    # The lock is for those on this data folder, leases for servers with others on the same database.
    lock = _lock()
    _acquire(lock)
    try:
        close_dead_runs()
        _check_none_runs()
        yield
    finally:
        lock.release()


def _acquire(lock: FileLock) -> None:
    try:
        lock.acquire()
    except Timeout:
        _check_none_runs()
        try:
            # A run that is over holds it for another moment.
            lock.acquire(timeout=ENDING_SECONDS)
        except Timeout:
            raise AlreadyRunning("another import is running: unknown run. Wait for it, or stop it.") from None


def _check_none_runs() -> None:
    """Raises `AlreadyRunning`."""
    if run := MigrationRun.objects.filter(status=MigrationRun.Status.RUNNING).first():
        named = f"run {run.pk} of {run.source_name} (process {run.pid})"
        raise AlreadyRunning(f"another import is running: {named}. Wait for it, or stop it.")


def close_dead_runs() -> None:
    """Mark runs as `error` that nobody does any more."""
    running = MigrationRun.objects.filter(status=MigrationRun.Status.RUNNING)
    if not any(map(is_abandoned, running)):
        return
    with transaction.atomic():
        # Read again: its owner may have renewed the lease meanwhile.
        for run in filter(is_abandoned, running.select_for_update()):
            mark_ended(run)
            run.finished_at = timezone.now()
            run.save()
