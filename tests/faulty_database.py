"""SQLite connections that fail at a chosen write, as the disk or the file would make them: the errors are SQLite's own,
with its codes, and come out of the DB-API's connection, below all of Django.

In a test: `with faulty_connections():`, then `PLAN.arm("disk-full", 3)`. As a program, `python -m tests.faulty_database
start` runs `manage.py` on such connections; the file that BIGAGI_TEST_FAULT names holds the fault, or nothing.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.db import connection, connections

ERRORS: dict[str, tuple[type[sqlite3.Error], int, str]] = {
    "disk-full": (sqlite3.OperationalError, sqlite3.SQLITE_FULL, "database or disk is full"),
    "database-damaged": (sqlite3.DatabaseError, sqlite3.SQLITE_CORRUPT, "database disk image is malformed"),
    "read-only": (sqlite3.OperationalError, sqlite3.SQLITE_READONLY, "attempt to write a readonly database"),
    "disk-error": (sqlite3.OperationalError, sqlite3.SQLITE_IOERR_WRITE, "disk I/O error"),
    "database-busy": (sqlite3.OperationalError, sqlite3.SQLITE_BUSY, "database is locked"),
    "database-unreachable": (sqlite3.OperationalError, sqlite3.SQLITE_CANTOPEN, "unable to open database file"),
}
ROLLS_BACK = ("disk-full", "disk-error")
"""What SQLite may answer by ending the transaction itself (https://www.sqlite.org/lang_transaction.html, § 3)."""
WRITES = ("BEGIN", "INSERT", "UPDATE", "DELETE", "REPLACE")


@dataclass
class Plan:
    """The fault: all writes from number `at` on fail, until it is taken back. 0: none does."""

    kind: str = ""
    at: int = 0
    seen: int = 0
    is_met: bool = False

    def arm(self, kind: str, at: int = 1) -> None:
        self.kind, self.at, self.seen, self.is_met = kind, at, 0, False

    def take_back(self) -> None:
        self.at = 0

    def meet(self, held: sqlite3.Connection) -> None:
        """Count one write; raise if it is to fail."""
        if CONTROL is not None:
            self.kind = CONTROL.read_text().strip() if CONTROL.exists() else ""
            self.at = 1 if self.kind else 0
        self.seen += 1
        if not self.at or self.seen < self.at:
            return
        self.is_met = True
        error_class, code, words = ERRORS[self.kind]
        if self.kind in ROLLS_BACK and held.in_transaction:
            held.rollback()
        error = error_class(words)
        error.sqlite_errorcode = code
        raise error


PLAN = Plan()
CONTROL = Path(named) if (named := os.environ.get("BIGAGI_TEST_FAULT")) else None


class FaultyConnection(sqlite3.Connection):
    def cursor(self, factory: Any = sqlite3.Cursor) -> Any:
        return super().cursor(_faulty(factory))

    def commit(self) -> None:
        if self.in_transaction:
            PLAN.meet(self)
        super().commit()


@cache
def _faulty(factory: Any) -> Any:
    def execute(self: Any, sql: str, *args: Any) -> Any:
        if sql.lstrip()[:8].upper().startswith(WRITES):
            PLAN.meet(self.connection)
        return factory.execute(self, sql, *args)

    def executemany(self: Any, sql: str, *args: Any) -> Any:
        PLAN.meet(self.connection)
        return factory.executemany(self, sql, *args)

    return type("FaultyCursor", (factory,), {"execute": execute, "executemany": executemany})


@contextmanager
def faulty_connections() -> Iterator[Plan]:
    """Let this process open such connections to the database."""
    options = connection.settings_dict["OPTIONS"]
    connections.close_all()
    options["factory"] = FaultyConnection
    try:
        yield PLAN
    finally:
        PLAN.take_back()
        connections.close_all()
        del options["factory"]


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bigagi_site.settings")
    from django.conf import settings

    import manage

    # The module that is run has another name than the one that others import.
    settings.DATABASES["default"]["OPTIONS"]["factory"] = FaultyConnection
    manage.main()
