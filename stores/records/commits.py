"""What a request or a command has stored when it breaks: nothing, something, or nobody knows."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from types import TracebackType
from typing import Any

from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from stores.records.faults import chain_of, fault_of


class Stored(StrEnum):
    """What of a request's work is stored; the value is the sentence that says so."""

    NOTHING = "Nothing of this request was stored."
    SOME = "What this request had changed before that is stored: read the records before you send it again."
    UNKNOWN = "Whether this request was stored is not known: read the records before you send it again."
    NOT_ASKED = "This request only reads: nothing was changed."


WRITES = ("INSERT", "UPDATE", "DELETE")
OF_REQUESTS = ("django_session", "stores_idempotencykey")
"""Tables of a request itself: a session and a key are none of its work."""
BEGINNING = 100
"""Characters of a statement in which its table is named."""


class _Work:
    """One request's or command's work."""

    has_committed = False

    def note(self) -> None:
        self.has_committed = True


_current: ContextVar[_Work | None] = ContextVar("work", default=None)


@contextmanager
def watching_commits() -> Iterator[None]:
    """Note what the block commits, by this thread's connection; what others store for it notes that itself."""
    token = _current.set(_Work())
    try:
        with connection.execute_wrapper(_watch):
            yield
    finally:
        _current.reset(token)


def _watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    result = execute(sql, params, many, context)
    # SQLite counts rows that are returned only once they are fetched.
    is_write = sql.startswith(WRITES) and (" RETURNING " in sql or context["cursor"].rowcount)
    if is_write and not any(table in sql[:BEGINNING] for table in OF_REQUESTS):
        note_at_commit()
    return result


def note_at_commit() -> None:
    """Note, once the transaction under way is committed, that something is stored."""
    work = _current.get()
    if work is None or work.has_committed:
        return
    waiting = connection.run_on_commit[-1:]
    # Once for the many writes of one transaction, or savepoint: that can be undone alone.
    if not waiting or waiting[0][:2] != (set(connection.savepoint_ids), work.note):
        transaction.on_commit(work.note)


def find_stored(error: BaseException, *, only_reads: bool = False) -> Stored:
    """Return what the work that broke with this exception has stored."""
    if only_reads:
        return Stored.NOT_ASKED
    fault = fault_of(error)
    if any(_is_of_commit(one.__traceback__) for one in chain_of(error)) and (fault is None or fault.leaves_doubt):
        return Stored.UNKNOWN
    work = _current.get()
    return Stored.SOME if work is not None and work.has_committed else Stored.NOTHING


def _is_of_commit(traceback: TracebackType | None) -> bool:
    """Tell whether the exception came while a transaction was committed."""
    code = BaseDatabaseWrapper._commit.__code__  # type: ignore[attr-defined]  # the stubs leave it out
    while traceback is not None:
        if traceback.tb_frame.f_code is code:
            return True
        traceback = traceback.tb_next
    return False
