"""The files of a SQLite database: opened for a copy or a check, moved, and told apart when they are damaged."""

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from stores.records.faults import fault_of
from stores.records.private_files import open_private

BUSY_SECONDS = 20

BLOCK = 2**16
"""Bytes of a damaged file that are lost together where the disk does not give one of them."""

_NO_DAMAGE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
}
"""Codes of errors that say nothing of the pages themselves."""

_UNREADABLE = {sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_CORRUPTFS}
"""I/O errors that are damage; others are of a disk that is full, or of the place of a copy."""


class SnapshotError(Exception):
    """A database that cannot be copied, or a damaged copy."""


class DamagedDatabase(SnapshotError):
    """A SQLite file whose pages do not hold together, or a dump that cannot be read to its end."""


def copy_readable(source: Path, target: Path) -> None:
    """Copy a file; blocks that the disk does not give any more become zeros, so that the rest keeps its place."""
    with source.open("rb", buffering=0) as file, open_private(target) as copy:
        size = os.fstat(file.fileno()).st_size
        for at in range(0, size, BLOCK):
            length = min(BLOCK, size - at)
            try:
                block = os.pread(file.fileno(), length, at)
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                block = b""
            copy.write(block.ljust(length, b"\0"))


def end_log(live: Path) -> None:
    """Leave the old database without its write-ahead log, which would else be read into the new one."""
    if not live.exists():
        return
    try:
        with closing(open_database(live)) as old:
            # Leaving the log behind needs to be alone: it fails while any process has the database open.
            mode = old.execute("PRAGMA journal_mode=DELETE").fetchone()[0]
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        if not is_damage(error):
            raise SnapshotError(f"another process has {live} open ({error}): stop it first") from error
        mode = "none"
    # Of a damaged database, the log stays behind; SQLite would read it into the new one.
    if mode == "none":
        for log in log_files(live):
            log.unlink(missing_ok=True)
    if mode == "wal":
        raise SnapshotError(f"another process has {live} open: stop it first")


def is_damage(error: Exception) -> bool:
    """Tell whether an error of SQLite's, or of Python with what SQLite gave it, is due to damaged pages."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return True
    return code in _UNREADABLE or code & 0xFF not in (*_NO_DAMAGE, sqlite3.SQLITE_IOERR)


def log_files(path: Path) -> tuple[Path, Path]:
    """Return the paths of the write-ahead log and its index."""
    return path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")


def open_database(path: Path) -> sqlite3.Connection:
    """Open a database that is there."""
    # `rw` does not make the file when it is missing.
    opened = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY_SECONDS)
    # What is wrong with a damaged name is told with that name.
    opened.text_factory = lambda data: data.decode(errors="replace")
    return opened


@contextmanager
def sqlite_errors() -> Iterator[None]:
    """Raise SQLite's errors as `DamagedDatabase`, or as `SnapshotError` where they say nothing of the pages."""
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError) as error:
        if not is_damage(error):
            text = f"the database cannot be read or copied ({error}). {fault_of(error) or ''}"
            raise SnapshotError(text.strip()) from error
        raise DamagedDatabase(f"the database is damaged ({error})") from error
