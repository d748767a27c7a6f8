"""Copies of files on this disk, to be read more than once: what comes by upload or a pipe, or out of an archive.

Each copy has a folder of its own in `uploads/` of the data folder, and holds a lock in it: what no process holds is
left of one that was killed, and is deleted, unless it is kept for a run that is still to come.
"""

import errno
import shutil
import time
import uuid
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation
from django.utils.text import get_valid_filename
from filelock import FileLock, Timeout

from stores.records.codecs import storable

MIB = 2**20
CHUNK = MIB
"""Bytes that are asked for at a time."""
CHECKED_EVERY = 64 * MIB
"""Bytes between two looks at the free disk."""
RESERVE = 8 * MIB
"""Bytes of disk that a copy leaves free."""
MAX_NAME = 150
KEPT_SECONDS = 7 * 24 * 3600
"""How long a file is kept for a run that is still to come."""


class Refused(Exception):
    """The file cannot be imported; nothing was written. The message says why and what to do."""


class NoSpace(Refused):
    """The disk has no room for the file and its import. The message says how much is missing."""


class IncomingFile:
    """One file that came, or is coming."""

    def __init__(self, folder: Path, name: str, lock: FileLock) -> None:
        self.folder = folder
        self.has_name = bool(name)
        self.path = folder / safe_name(name)
        self._file = self.path.open("ab")
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

    def close(self) -> None:
        """Say that all of it came. Raises `NoSpace`."""
        try:
            self._file.close()
        except OSError as error:
            raise _as_no_space(error) from error

    @property
    def key(self) -> str:
        """Return what a run needs to find the file again: its folder's name and its own."""
        return f"{self.folder.name}/{self.path.name}"

    def keep(self) -> None:
        """Let the file outlive this process, for `KEPT_SECONDS` from now."""
        (self.folder / "kept").touch()

    @property
    def is_kept(self) -> bool:
        """Tell whether the file is kept for a run."""
        return _is_kept(self.folder)

    def release(self) -> None:
        """Let others take the file, if it is kept; else they delete it."""
        self.close()
        self._lock.release()

    def discard(self) -> None:
        """Delete the file."""
        with suppress(OSError):
            self._file.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.release()


def _as_no_space(error: OSError) -> Exception:
    return (
        NoSpace(f"The disk of {settings.DATA_DIR} is full. Free some space.") if error.errno == errno.ENOSPC else error
    )


def safe_name(name: str) -> str:
    """Return a file's name that every system takes and that names no folder."""
    try:
        valid = get_valid_filename(storable(name).replace("\\", "/").rpartition("/")[2]).lstrip(".-")
    except SuspiciousFileOperation:
        valid = ""
    while len(valid.encode()) > MAX_NAME:
        # The end has what tells the kind of a file.
        valid = valid[1:]
    return valid if valid and valid not in ("lock", "kept") else "upload.json"


def open_incoming(name: str, needed: int = 0) -> IncomingFile:
    """Return a place for a file, for which so many bytes of disk are needed. Raises `NoSpace`."""
    check_space(needed)
    with _registry():
        _remove_leftovers()
        folder = _folder() / uuid.uuid4().hex
        folder.mkdir(mode=0o700)
        # The import's thread lets go of what the request's has taken.
        lock = FileLock(folder / "lock", timeout=0, thread_local=False)
        lock.acquire()
    return IncomingFile(folder, name, lock)


def reopen(key: str) -> IncomingFile | None:
    """Return a file that was kept, by its key; None where it is gone, or another process has it."""
    folder, _, name = key.partition("/")
    with _registry():
        held = _folder() / Path(folder).name
        if not folder or not (held / Path(name).name).is_file():
            return None
        lock = FileLock(held / "lock", timeout=0, thread_local=False)
        try:
            lock.acquire()
        except Timeout:
            return None
    return IncomingFile(held, name, lock)


def discard_kept(key: str) -> None:
    """Delete a file that was kept, by its key, unless it is gone or another process has it."""
    if key and (file := reopen(key)):
        file.discard()


def check_space(needed: int) -> None:
    """Raises `NoSpace` where less than this is free on the disk, with some in reserve."""
    free = shutil.disk_usage(_folder()).free
    if free < needed + RESERVE:
        raise NoSpace(
            f"{settings.DATA_DIR} has {free // MIB} MiB free; the import needs {-(-(needed + RESERVE) // MIB)} MiB. "
            "Free some space."
        )


def tidy_uploads(needed: Collection[str] | None = None) -> None:
    """Delete what was left behind by processes that were killed; of what is kept, all but these folders, if given."""
    with _registry():
        _remove_leftovers(needed)


def _folder() -> Path:
    folder = Path(settings.DATA_DIR) / "uploads"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _registry() -> FileLock:
    """Return the lock under which folders are made and leftovers removed."""
    return FileLock(_folder() / "lock", timeout=20)


def _remove_leftovers(needed: Collection[str] | None = None) -> None:
    for folder in _folder().iterdir():
        if not folder.is_dir() or _is_kept(folder) and (needed is None or folder.name in needed):
            continue
        with suppress(Timeout), FileLock(folder / "lock", timeout=0):
            shutil.rmtree(folder, ignore_errors=True)


def _is_kept(folder: Path) -> bool:
    with suppress(OSError):
        return time.time() - (folder / "kept").stat().st_mtime < KEPT_SECONDS
    return False
