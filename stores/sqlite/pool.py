"""Open connections that nobody uses at the moment.

To open one and set its PRAGMAs costs a fifth of a small request, and its prepared statements and cached pages are gone
with it. A server keeps some; commands and tests, which replace the file under them, keep none.
"""

import atexit
import os
import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MOST = 8
"""Kept at once; others are closed when they are given back."""


File = tuple[int, int]
"""A file's device and number there: another one at the same path has others."""


@dataclass(frozen=True, eq=False)
class OpenConnection:
    """A connection, and what it was opened with and to."""

    connection: sqlite3.Connection
    parameters: Mapping[str, Any]
    file: File | None


class ConnectionPool:
    """Connections by the parameters that they were opened with. Closed until a server opens it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: list[OpenConnection] = []
        self._is_open = False
        self._of_parent: list[OpenConnection] = []
        os.register_at_fork(after_in_child=self._leave_to_parent)

    def open(self) -> None:
        """Keep connections from now on, until the process ends."""
        if not self._is_open:
            self._is_open = True
            atexit.register(self.close)

    def close(self) -> None:
        """Close those that are kept, and keep none from now on."""
        with self._lock:
            self._is_open = False
            kept, self._kept = self._kept, []
        for one in kept:
            one.connection.close()

    def take(self, parameters: Mapping[str, Any]) -> OpenConnection | None:
        """Return a connection that was opened with these parameters, for the caller alone; None if there is none.

        Those to a file that another has taken the place of are closed."""
        if not self._kept:
            return None
        file = identify(parameters)
        with self._lock:
            kept = self._kept
            stale = [one for one in kept if one.file != file]
            self._kept = [one for one in kept if one.file == file]
            # The last one used has the most in its cache.
            found = next((one for one in reversed(self._kept) if one.parameters == parameters), None)
            if found is not None:
                self._kept.remove(found)
        for one in stale:
            one.connection.close()
        return found

    def give(self, unused: OpenConnection) -> bool:
        """Keep a connection that nobody uses any more; tell whether it is kept. Otherwise the caller closes it."""
        if unused.file is None or unused.connection.in_transaction:
            return False
        with self._lock:
            if not self._is_open or len(self._kept) >= MOST:
                return False
            self._kept.append(unused)
            return True

    def _leave_to_parent(self) -> None:
        # SQLite's connections must not be used in a forked process, nor closed there: they are never touched again.
        self._of_parent += self._kept
        self._kept = []
        self._lock = threading.Lock()


def identify(parameters: Mapping[str, Any]) -> File | None:
    """Return which file stands now at the path that a connection is opened by."""
    try:
        found = os.stat(parameters["database"])
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


POOL = ConnectionPool()
