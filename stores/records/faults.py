"""Faults of the disk and the database, told apart and in words: what is broken, and what to do.

SQLite is told by its result codes (https://www.sqlite.org/rescode.html), PostgreSQL by its SQLSTATE
(https://www.postgresql.org/docs/current/errcodes-appendix.html), files by `errno`.
"""

import errno
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError, InterfaceError

NO_ROOM = 64 * 1024
"""Bytes of free disk below which SQLite's other errors come from that: it cannot make its small files."""
CHAINED = 8


@dataclass(frozen=True)
class Fault:
    """What is broken: its entry in Troubleshooting, the HTTP status, and in a sentence each, what it is and what to do
    about it. `leaves_doubt`: whether a commit that met it may have reached the disk all the same."""

    kind: str
    status: int
    what: str
    remedy: str
    leaves_doubt: bool = False

    def __str__(self) -> str:
        return f"{self.what} {self.remedy}"


DISK_FULL = Fault(
    "disk-full",
    507,
    "The disk is full.",
    "Free some space, for example by deleting old backups.",
)
DAMAGED = Fault(
    "database-damaged",
    500,
    "The database is damaged.",
    "Stop the server and restore the last good backup: uv run manage.py restore PATH. The damaged database is kept.",
    leaves_doubt=True,
)
READ_ONLY = Fault(
    "read-only",
    503,
    "The database or the data folder is read-only.",
    "Make it writable for the server's user, or mount its disk writable.",
)
DISK_ERROR = Fault(
    "disk-error",
    500,
    "The disk could not be read or written.",
    "Check the disk and the system's log, and make a backup to another disk: uv run manage.py backup --to PATH.",
    leaves_doubt=True,
)
BUSY = Fault(
    "database-busy",
    503,
    "Another program has kept the database locked for too long.",
    "Try again. If it happens again, end what keeps it open, such as a database tool or a second import.",
)
UNREACHABLE = Fault(
    "database-unreachable",
    503,
    "The database cannot be opened.",
    "Check that it exists and that the server's user may read and write it, or that its server is running.",
    leaves_doubt=True,
)

_SQLITE = {
    sqlite3.SQLITE_FULL: DISK_FULL,
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: DAMAGED,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_IOERR: DISK_ERROR,
    sqlite3.SQLITE_BUSY: BUSY,
    sqlite3.SQLITE_LOCKED: BUSY,
    sqlite3.SQLITE_CANTOPEN: UNREACHABLE,
    sqlite3.SQLITE_PERM: READ_ONLY,
}
_WORDS = {
    "database or disk is full": DISK_FULL,
    "database disk image is malformed": DAMAGED,
    "file is not a database": DAMAGED,
    # Bytes that no writer of ours has put there.
    "Could not decode to UTF-8": DAMAGED,
    "attempt to write a readonly database": READ_ONLY,
    "disk I/O error": DISK_ERROR,
    "database is locked": BUSY,
    "database table is locked": BUSY,
    "unable to open database file": UNREACHABLE,
}
"""How SQLite begins to say it, where the code has been lost, as out of a trigger."""
_POSTGRES = {
    "53100": DISK_FULL,
    "XX001": DAMAGED,
    "XX002": DAMAGED,
    "25006": READ_ONLY,
    "58030": DISK_ERROR,
    "55P03": BUSY,
    "40P01": BUSY,
    "40001": BUSY,
    "53300": UNREACHABLE,
    "57P01": UNREACHABLE,
    "57P02": UNREACHABLE,
    "57P03": UNREACHABLE,
}
_FILES = {
    errno.ENOSPC: DISK_FULL,
    errno.EDQUOT: DISK_FULL,
    errno.EROFS: READ_ONLY,
    errno.EIO: DISK_ERROR,
}


class DamagedValue(DatabaseError):
    """A stored value that does not have the form in which it was written."""


def fault_of(error: BaseException | None) -> Fault | None:
    """Return the fault that the exception, or one that led to it, comes from; None: it is not of that kind."""
    for one in chain_of(error):
        if (fault := _fault_of_one(one)) is not None:
            return DISK_FULL if fault in (DISK_ERROR, UNREACHABLE) and _has_no_room() else fault
    return None


def describe_fault(error: BaseException) -> str:
    """Return what happened and what to do, for who runs a command; of an unknown exception its own first line."""
    fault = fault_of(error)
    if fault is None:
        return (str(error).strip().splitlines() or [type(error).__name__])[0]
    return f"{fault} The data folder is {settings.DATA_DIR}."


def chain_of(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the exception and those that led to it."""
    for _ in range(CHAINED):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__


def _fault_of_one(error: BaseException) -> Fault | None:
    if isinstance(error, DamagedValue):
        return DAMAGED
    if isinstance(error, sqlite3.Error | DatabaseError | InterfaceError):
        code = getattr(error, "sqlite_errorcode", None)
        if code is not None and (found := _SQLITE.get(code & 0xFF)) is not None:
            return found
        return next((fault for words, fault in _WORDS.items() if str(error).startswith(words)), None)
    if type(error).__module__.partition(".")[0] in ("psycopg", "psycopg_pool"):
        return _fault_of_postgres(error)
    if isinstance(error, OSError):
        # A refusal by the network has no file.
        is_of_file = error.errno in (errno.EACCES, errno.EPERM) and error.filename is not None
        return READ_ONLY if is_of_file else _FILES.get(error.errno or 0)
    return None


def _fault_of_postgres(error: BaseException) -> Fault | None:
    state = getattr(error, "sqlstate", None)
    if state:
        return UNREACHABLE if state.startswith("08") else _POSTGRES.get(state)
    # A connection that cannot be had, or was lost, has no state of its own.
    is_of_connection = type(error).__name__ in ("OperationalError", "PoolTimeout", "PoolClosed", "TooManyRequests")
    return UNREACHABLE if is_of_connection else None


def _has_no_room() -> bool:
    try:
        return shutil.disk_usage(settings.DATA_DIR).free < NO_ROOM
    except OSError:
        return False
