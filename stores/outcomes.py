"""What a request or a command has stored when it breaks: nothing, something, or nobody knows."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from types import TracebackType

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from stores.faults import chain_of, fault_of


class Stored(StrEnum):
    """What of a request's work is stored; the value is the sentence that says so."""

    NOTHING = "Nothing of this request was stored."
    SOME = "What this request had changed before that is stored: read the records before you send it again."
    UNKNOWN = "Whether this request was stored is not known: read the records before you send it again."
    NOT_ASKED = "This request only reads: nothing was changed."


class _Work:
    """One request's or command's work."""

    has_committed = False


_current: ContextVar[_Work | None] = ContextVar("work", default=None)


@contextmanager
def watching_commits() -> Iterator[None]:
    """Note what the block commits."""
    token = _current.set(_Work())
    try:
        yield
    finally:
        _current.reset(token)


def note_at_commit() -> None:
    """Note, once the transaction under way is committed, that something is stored."""
    if (work := _current.get()) is not None:
        transaction.on_commit(lambda: setattr(work, "has_committed", True))


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
