"""An undo of a run that goes on in a thread of the server, after the answer to who asked for it."""

import threading
import time
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import structlog
from django.db import DatabaseError, connections
from structlog.contextvars import bind_contextvars, get_contextvars

from stores.importers.one_run import close_dead_runs
from stores.importers.run import Progress
from stores.importers.undoing import AGAIN, Options, find_undoable, undo_run
from stores.models import MigrationRun

WAIT_SECONDS = 3
"""How long an undo waits for the end of its run: a small import is over by then."""

logger = structlog.get_logger("stores")


def start_undo(pk: int, options: Options) -> MigrationRun:
    """Take back what a run did by a thread, and return the run of that as soon as there is one. Raises as `undo_run`
    where it does not come to that."""
    close_dead_runs()
    _wait_for(pk)
    find_undoable(pk)
    begun: Future[int] = Future()
    # Not waited for when the server stops: the run shows as interrupted then, and is completed by another call.
    arguments = (pk, options, begun, get_contextvars())
    threading.Thread(target=_undo, args=arguments, name="undo", daemon=True).start()
    return MigrationRun.objects.get(pk=begun.result())


def _wait_for(pk: int) -> None:
    """Wait a moment for a run that is about to end."""
    deadline = time.monotonic() + WAIT_SECONDS
    under_way = MigrationRun.objects.filter(pk=pk, status=MigrationRun.Status.RUNNING)
    while under_way.exists() and time.monotonic() < deadline:
        time.sleep(0.05)


def _undo(pk: int, options: Options, begun: "Future[int]", facts: dict[str, Any]) -> None:
    # The lines in the log name the request that asked for it.
    bind_contextvars(**facts)

    def note(progress: Progress) -> None:
        if progress.run is not None and not begun.done():
            begun.set_result(progress.run.pk)

    try:
        undo_run(pk, replace(options, on_progress=note))
    except Exception as error:
        if not begun.done():
            begun.set_exception(error)
        else:
            logger.exception("an undo failed")
            _close(begun.result(), error)
    finally:
        connections.close_all()


def _close(pk: int, error: Exception) -> None:
    """Say that the undo is over: the process lives on, so nobody else would."""
    try:
        MigrationRun.objects.filter(pk=pk, status=MigrationRun.Status.RUNNING).update(
            status=MigrationRun.Status.ERROR, blocked_by=f"{type(error).__name__}: {error}. {AGAIN}"[:500]
        )
    except DatabaseError:
        logger.warning("the end of an undo could not be stored", run=pk, exc_info=True)
