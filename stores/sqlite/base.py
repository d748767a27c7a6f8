"""The backend, as Django loads it by its name."""

from typing import Any
from weakref import WeakSet

from django.db.backends.sqlite3 import base

from stores.sqlite.pool import POOL, OpenConnection, identify


class DatabaseWrapper(base.DatabaseWrapper):
    """Takes connections from the pool, and gives back those that are as they were when they were opened."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._opened: OpenConnection | None = None
        self._cursors: WeakSet[Any] = WeakSet()
        self._is_reusable = True

    def keep_apart(self) -> None:
        """Never give this connection to others: it is set up for one job."""
        self._is_reusable = False

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        self._is_reusable = True
        self._opened = POOL.take(conn_params)
        if self._opened is None:
            new = super().get_new_connection(conn_params)
            self._opened = OpenConnection(new, conn_params, identify(conn_params))
        return self._opened.connection

    def create_cursor(self, name: str | None = None) -> Any:
        cursor = super().create_cursor(name)
        self._cursors.add(cursor)
        return cursor

    def _close(self) -> None:
        # A statement that somebody left in the middle would show the next user the database as it was then.
        for cursor in tuple(self._cursors):
            cursor.close()
        self._cursors.clear()
        opened, self._opened = self._opened, None
        is_good = self._is_reusable and not (self.errors_occurred or self.in_atomic_block or self.needs_rollback)
        if not (is_good and opened is not None and POOL.give(opened)):
            super()._close()  # type: ignore[misc]  # The stubs lack it.
