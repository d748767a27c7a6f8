"""Files that come over the API to be imported: streamed to disk, imported by a thread of the server, deleted.

A file is kept until its run has finished: one that was broken off goes on when the server starts, or when it is asked.
"""

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

from stores.background.leases import GRACE_MS, LEASE_MS
from stores.importers import one_run as runs
from stores.importers.conditions import SPACE_FACTOR
from stores.importers.importer import import_file
from stores.importers.incoming import IncomingFile, NoSpace, Refused, open_incoming, reopen
from stores.importers.lease import LeaseLost
from stores.importers.one_run import AlreadyRunning
from stores.importers.opening import open_source
from stores.importers.options import Options, options_of
from stores.importers.resuming import NotResumable, check_resumable, file_is_gone, find_interrupted
from stores.importers.run import Progress
from stores.importers.undoing import resume_undo
from stores.models import MigrationRun
from stores.records.errors import Conflict, SecretsUnreadable
from stores.records.faults import fault_of
from stores.records.keys import why_unreadable

RETRY_SECONDS = 2
"""How long until storing the end of a run is tried again."""
LEASE_OVER_SECONDS = (LEASE_MS + GRACE_MS) / 1000 + 1
"""How long after its last sign of life a run is over for certain."""

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


def keep_if_needed(upload: IncomingFile, run: MigrationRun | None) -> None:
    """Delete the file, unless its run was broken off, or it was kept before and did not come to a run."""
    is_needed = upload.is_kept if run is None else run.status != MigrationRun.Status.DONE and run.certificate is None
    if is_needed:
        upload.release()
    else:
        upload.discard()


def start_import(upload: IncomingFile, options: Options, let_go: LetGo = keep_if_needed) -> MigrationRun:
    """Import the file by a thread, which lets go of it in the end, and return the run as soon as there is one.

    Raises as `import_file` where it does not come to that."""
    begun: Future[int] = Future()
    # Not waited for when the server stops: the run goes on when it starts again.
    arguments = (upload, options, begun, get_contextvars(), let_go)
    thread = threading.Thread(target=_import, args=arguments, name="import", daemon=True)
    try:
        thread.start()
    except RuntimeError:
        let_go(upload, None)
        raise
    return MigrationRun.objects.get(pk=begun.result())


def start_again(run: MigrationRun) -> MigrationRun:
    """Resume a run that was broken off, by a thread, and return it as soon as it goes on. Raises `NotResumable`, and as
    `check_ready` and `import_file`."""
    check_resumable(run)
    check_ready()
    return start_import(*reopen_upload(run))


def reopen_upload(run: MigrationRun) -> tuple[IncomingFile, Options]:
    """Return the kept file of a run that was broken off, and how to import it. Raises `NotResumable`."""
    check_resumable(run)
    upload = reopen(run.source_path)
    if upload is None:
        raise file_is_gone(run)
    return upload, replace(options_of(run), resumes=run.pk)


def import_here(upload: IncomingFile, options: Options, let_go: LetGo = keep_if_needed) -> Progress:
    """Import the file, and let go of it in the end. Raises as `import_file`."""
    seen: list[Progress] = []

    def note(progress: Progress) -> None:
        if progress.run is not None and not seen:
            seen.append(progress)
            if not options.dry_run:
                upload.keep()
        options.on_progress(progress)

    columns = {} if options.dry_run else {"source_path": upload.key}
    try:
        return import_file(upload.path, replace(options, columns=columns | options.columns, on_progress=note))
    except Exception as error:
        if seen:
            _close(seen[0], error)
        raise
    finally:
        # First, since the disk may be full of it.
        let_go(upload, seen[0].run if seen else None)
        if seen:
            _store_end(seen[0])


def _import(upload: IncomingFile, options: Options, begun: "Future[int]", facts: dict[str, Any], let_go: LetGo) -> None:
    # The import's lines in the log name the request that brought the file.
    bind_contextvars(**facts)

    def note(progress: Progress) -> None:
        if progress.run is not None and not begun.done():
            begun.set_result(progress.run.pk)

    try:
        progress = import_here(upload, replace(options, on_progress=note), let_go)
        if not begun.done():
            begun.set_exception(RuntimeError("; ".join(error["message"] for error in progress.errors)))
    except Exception as error:
        if begun.done():
            logger.exception("the import of an upload failed")
        else:
            begun.set_exception(error)
    finally:
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


# --- those that were broken off ---


def resume_by_itself() -> None:
    """Resume what was broken off with the server, imports of uploads and undos, in a thread."""
    threading.Thread(target=_resume_by_itself, name="resumed-runs", daemon=True).start()


def _resume_by_itself() -> None:
    for wait in (0, LEASE_OVER_SECONDS):
        # Those of a machine of another name, as a container has after each start, are over only then.
        time.sleep(wait)
        try:
            runs.close_dead_runs()
            for run in find_interrupted():
                _resume_one(run)
        except DatabaseError:
            logger.exception("runs that were interrupted could not be looked for")
        finally:
            # Not kept while it sleeps: the last one that is closed tidies the database up.
            connections.close_all()


def _resume_one(run: MigrationRun) -> None:
    facts = {"run": run.pk, "purpose": run.purpose, "file": run.source_name}
    logger.warning("a run that was interrupted is resumed", **facts)
    try:
        progress = resume_undo(run) if run.purpose == MigrationRun.Purpose.UNDO else import_here(*reopen_upload(run))
        logger.info("a run that was interrupted has ended", status=progress.run and progress.run.status, **facts)
    except (Conflict, NotResumable, Refused, AlreadyRunning) as error:
        logger.warning("a run that was interrupted cannot be resumed", reason=str(error), **facts)
    except Exception:
        logger.exception("a run that was interrupted could not be resumed", **facts)
