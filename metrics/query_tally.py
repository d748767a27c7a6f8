"""Counts the queries of a request, in all threads."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper


class Tally:
    """How many queries, and the seconds that they took together."""

    __slots__ = ("count", "seconds")

    def __init__(self) -> None:
        self.count = 0
        self.seconds = 0.0


_current: ContextVar[Tally | None] = ContextVar("query_tally", default=None)


@contextmanager
def tallying(tally: Tally) -> Iterator[None]:
    """Add the queries of the block to the tally. asgiref takes it along into threads, as every context variable."""
    token = _current.set(tally)
    try:
        yield
    finally:
        _current.reset(token)


def count_query(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
    """Execute a query and add it to the tally of the request (a wrapper as Django's `execute_wrapper` takes it)."""
    tally = _current.get()
    if tally is None:
        return execute(sql, params, many, context)
    started = time.perf_counter()
    try:
        return execute(sql, params, many, context)
    finally:
        tally.count += 1
        tally.seconds += time.perf_counter() - started


def watch_connection(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Count the queries of a connection from now on; `connection_created` calls it.

    Each thread has its own connection, and a request under ASGI uses several threads: it cannot wrap them itself.
    """
    if count_query not in connection.execute_wrappers:
        # First in the list: `execute_wrapper`, which may be under way, takes the last one off again.
        connection.execute_wrappers.insert(0, count_query)
