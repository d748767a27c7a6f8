"""Files that come over the API to be imported: streamed to disk, imported by a thread of the server, deleted.

Each upload has a folder of its own in `uploads/` of the data folder, and holds a lock in it: what no process holds is
left of one that was killed.
"""

import errno
import shutil
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation
from django.db import DatabaseError, connections
from django.utils.text import get_valid_filename
from filelock import FileLock, Timeout
from structlog.contextvars import bind_contextvars, get_contextvars

from stores.codecs import storable
from stores.importers import run as runs
from stores.importers.importer import SPACE_FACTOR, Options, Refused, check_file, import_file
from stores.importers.run import AlreadyRunning, Progress
from stores.models import MigrationRun
from stores.secrets import why_unreadable
from stores.services.errors import Conflict

MIB = 2**20
CHUNK = MIB
"""Bytes that are asked for at a time."""
CHECKED_EVERY = 64 * MIB
"""Bytes between two looks at the free disk."""
RESERVE = 64 * MIB
"""Bytes of disk that an upload leaves free."""
MAX_NAME = 150

logger = structlog.get_logger("stores")


class NoSpace(Exception):
    """The disk has no room for the upload and its import. The message says how much is missing."""


class Upload:
    """One file that came, or is coming."""

    def __init__(self, folder: Path, name: str, lock: FileLock) -> None:
        self.folder = folder
        self.has_name = bool(name)
        self.path = folder / safe_name(name)
        self._file = self.path.open("xb")
        self._lock = lock
        self._size = 0

    def rename(self, name: str) -> None:
        """Give the file the name that came with it."""
        self.path = self.path.rename(self.folder / safe_name(name))

    def append(self, chunk: bytes) -> None:
        """Write the next bytes. Raises `NoSpace`."""
        if self._size // CHECKED_EVERY != (self._size + len(chunk)) // CHECKED_EVERY:
            check_space(CHECKED_EVERY)
        try:
            self._file.write(chunk)
        except OSError as error:
            raise _as_no_space(error) from error
        self._size += len(chunk)

    def write(self, read: Callable[[int], bytes]) -> int:
        """Write what is read until nothing comes any more; return how many bytes. Raises `NoSpace`."""
        while chunk := read(CHUNK):
            self.append(chunk)
        return self._size

    def check(self) -> None:
        """Close the file. Raises `Refused` where it is not big-AGI's, naming it by its name alone."""
        try:
            self._file.close()
        except OSError as error:
            raise _as_no_space(error) from error
        try:
            check_file(self.path)
        except Refused as error:
            raise Refused(str(error).replace(str(self.path), self.path.name)) from None

    def discard(self) -> None:
        """Delete the file."""
        with suppress(OSError):
            self._file.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.release()


def _as_no_space(error: OSError) -> Exception:
    return NoSpace(f"The disk of {settings.DATA_DIR} is full.") if error.errno == errno.ENOSPC else error


def safe_name(name: str) -> str:
    """Return a file's name that every system takes and that names no folder."""
    try:
        valid = get_valid_filename(storable(name).replace("\\", "/").rpartition("/")[2]).lstrip(".-")
    except SuspiciousFileOperation:
        valid = ""
    while len(valid.encode()) > MAX_NAME:
        # The end has what tells the kind of a file.
        valid = valid[1:]
    return valid if valid and valid != "lock" else "upload.json"


def open_upload(name: str, length: int = 0) -> Upload:
    """Return a place for a file of `length` bytes, 0 where that is not known. Raises `NoSpace`."""
    check_space(length * (1 + SPACE_FACTOR))
    with _registry():
        _remove_leftovers()
        folder = _folder() / uuid.uuid4().hex
        folder.mkdir(mode=0o700)
        # The import's thread lets go of what the request's has taken.
        lock = FileLock(folder / "lock", timeout=0, thread_local=False)
        lock.acquire()
    return Upload(folder, name, lock)


def check_space(needed: int) -> None:
    """Raises `NoSpace` where less than this is free on the disk, with some in reserve."""
    free = shutil.disk_usage(_folder()).free
    if free < needed + RESERVE:
        raise NoSpace(
            f"{settings.DATA_DIR} has {free // MIB} MiB of free disk space; {(needed + RESERVE) // MIB} MiB are needed."
        )


def tidy_uploads() -> None:
    """Delete what uploads left behind whose process was killed."""
    with _registry():
        _remove_leftovers()


def _folder() -> Path:
    folder = Path(settings.DATA_DIR) / "uploads"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _registry() -> FileLock:
    """Return the lock under which folders are made and leftovers removed."""
    return FileLock(_folder() / "lock", timeout=20)


def _remove_leftovers() -> None:
    for folder in _folder().iterdir():
        if not folder.is_dir():
            continue
        with suppress(Timeout), FileLock(folder / "lock", timeout=0):
            shutil.rmtree(folder, ignore_errors=True)


# --- importing -------------------------------------------------------------------------------------------------------


def check_ready() -> None:
    """Raises `AlreadyRunning` while an import is under way, and `Conflict` where keys could not be told from others."""
    runs.close_dead_runs()
    if run := MigrationRun.objects.filter(status=MigrationRun.Status.RUNNING).first():
        raise AlreadyRunning(f"an import is under way: run {run.pk} of {run.source_name}. Wait for it.")
    if reason := why_unreadable():
        raise Conflict(reason, "secrets-unreadable")


def dry_run(upload: Upload, options: Options) -> Progress:
    """Import the file without writing anything, and delete it. Raises as `import_file`."""
    try:
        return import_file(upload.path, replace(options, dry_run=True))
    finally:
        upload.discard()


def start_import(upload: Upload, options: Options) -> MigrationRun:
    """Import the file by a thread, which deletes it in the end, and return the run as soon as there is one.

    Raises as `import_file` where it does not come to that."""
    begun: Future[int] = Future()
    # Not waited for when the server stops: the run shows as broken off then, and the same file again completes it.
    arguments = (upload, options, begun, get_contextvars())
    thread = threading.Thread(target=_import, args=arguments, name="import", daemon=True)
    try:
        thread.start()
    except RuntimeError:
        upload.discard()
        raise
    return MigrationRun.objects.get(pk=begun.result())


def _import(upload: Upload, options: Options, begun: "Future[int]", facts: dict[str, Any]) -> None:
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
        upload.discard()
        connections.close_all()


def _close(progress: Progress, error: Exception) -> None:
    """Say that the run is over: the process lives on, so nobody else would."""
    message = f"{type(error).__name__}: {error}"
    progress.error("", message)
    with suppress(DatabaseError):
        progress.finish(MigrationRun.Status.ERROR, message)
