"""Files that come over the API to be imported: streamed to disk, imported by a thread of the server, deleted."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from typing import Any

import structlog
from django.db import DatabaseError, connections
from structlog.contextvars import bind_contextvars, get_contextvars

from stores.importers import run as runs
from stores.importers.conditions import SPACE_FACTOR
from stores.importers.importer import import_file
from stores.importers.incoming import IncomingFile, NoSpace, Refused, open_incoming
from stores.importers.lease import LeaseLost
from stores.importers.opening import open_source
from stores.importers.options import Options
from stores.importers.run import AlreadyRunning, Progress
from stores.models import MigrationRun
from stores.records.errors import SecretsUnreadable
from stores.records.faults import fault_of
from stores.records.keys import why_unreadable

RETRY_SECONDS = 2
"""How long until storing the end of a run is tried again."""

logger = structlog.get_logger("stores")


def open_upload(name: str, length: int = 0) -> IncomingFile:
    """Return a place for a file of `length` bytes, 0 where that is not known. Raises `NoSpace`."""
    return open_incoming(name, length * (1 + SPACE_FACTOR))


def check_upload(upload: IncomingFile) -> None:
    """Close the file. Raises `Refused` where it is not big-AGI's, naming it by its name alone."""
    upload.close()
    try:
        with open_source(upload.path):
            return
    except NoSpace:
        raise
    except Refused as error:
        raise Refused(str(error).replace(str(upload.path), upload.path.name)) from None


def check_ready() -> None:
    """Raises `AlreadyRunning` while an import is under way, and `SecretsUnreadable` where keys could not be told from
    others."""
    runs.close_dead_runs()
    if run := MigrationRun.objects.filter(status=MigrationRun.Status.RUNNING).first():
        raise AlreadyRunning(
            f"another import is running: run {run.pk} of {run.source_name}. Wait until it has finished."
        )
    if reason := why_unreadable():
        raise SecretsUnreadable(reason)


LetGo = Callable[[IncomingFile, MigrationRun | None], None]
"""What becomes of a file when its run is over; None: it did not come to one."""


def discard(upload: IncomingFile, run: MigrationRun | None) -> None:
    """Delete the file."""
    upload.discard()


def start_import(upload: IncomingFile, options: Options, let_go: LetGo = discard) -> MigrationRun:
    """Import the file by a thread, which lets go of it in the end, and return the run as soon as there is one.

    Raises as `import_file` where it does not come to that."""
    begun: Future[int] = Future()
    # Not waited for when the server stops: the run shows as broken off then, and the same file again completes it.
    arguments = (upload, options, begun, get_contextvars(), let_go)
    thread = threading.Thread(target=_import, args=arguments, name="import", daemon=True)
    try:
        thread.start()
    except RuntimeError:
        let_go(upload, None)
        raise
    return MigrationRun.objects.get(pk=begun.result())


def _import(upload: IncomingFile, options: Options, begun: "Future[int]", facts: dict[str, Any], let_go: LetGo) -> None:
    # The import's lines in the log name the request that brought the file.
    bind_contextvars(**facts)
    seen: list[Progress] = []

    def note(progress: Progress) -> None:
        seen[:] = [progress]
        if progress.run is not None and not begun.done():
            begun.set_result(progress.run.pk)

    try:
        import_file(upload.path, replace(options, on_progress=note))
        if not begun.done():
            begun.set_exception(RuntimeError("; ".join(error["message"] for error in seen[0].errors)))
    except Exception as error:
        if begun.done():
            logger.exception("the import of an upload failed")
            _close(seen[0], error)
        else:
            begun.set_exception(error)
    finally:
        # First, since the disk may be full of it.
        let_go(upload, seen[0].run if seen else None)
        if seen:
            _store_end(seen[0])
        connections.close_all()


def _store_end(progress: Progress) -> None:
    """See that a run that is over is stored as such, as soon as that is possible, as on a disk that was full."""
    run = progress.run
    while run is not None:
        try:
            if MigrationRun.objects.filter(pk=run.pk, status=MigrationRun.Status.RUNNING).exists():
                progress.save()
            return
        except LeaseLost:
            return
        except DatabaseError:
            time.sleep(RETRY_SECONDS)


def _close(progress: Progress, error: Exception) -> None:
    """Say that the run is over: the process lives on, so nobody else would."""
    message = str(fault_of(error) or f"{type(error).__name__}: {error}")
    progress.error("", message)
    with suppress(DatabaseError, LeaseLost):
        progress.finish(MigrationRun.Status.ERROR, message)
