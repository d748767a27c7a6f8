"""Exceptions in a form that is safe to log: types, locations, and messages that only the system can have written.

Any other exception message may quote data: a chat message, a key, a value of a row.
"""

import re
import traceback
from collections.abc import Iterator

FRAMES = 20
"""The innermost calls of each exception; the others are left out."""
CHAINED = 5
"""Exceptions of one chain that are told."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,60}")
_OF_DATABASE = re.compile(
    r"database is locked|database table is locked|database or disk is full|disk I/O error|out of memory"
    r"|unable to open database file|attempt to write a readonly database|database disk image is malformed"
    r"|file is not a database|cannot start a transaction within a transaction|interrupted"
    r"|no such (?:table|column|index): [\w.]+|(?:UNIQUE|NOT NULL|CHECK|FOREIGN KEY) constraint failed(?:: [\w., ]+)?"
)
"""Messages of SQLite that quote neither the statement nor its values."""


def format_exception(error: BaseException) -> str:
    """Return the exception and those that led to it, the cause first, as Python prints them, in safe words."""
    parts = []
    for at, (one, is_cause) in enumerate(reversed(list(_chain(error)))):
        if at:
            parts.append("\nThis led to:\n" if is_cause else "\nWhile this was handled, another came:\n")
        if one.__traceback__ is not None:
            parts += ["Traceback (most recent call last):\n", *traceback.format_tb(one.__traceback__, -FRAMES)]
        parts.append(describe_exception(one) + "\n")
    return "".join(parts).rstrip("\n")


def describe_exception(error: BaseException) -> str:
    """Return the kind of the exception, with its text where that is safe."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    text = _safe_text(error)
    return f"{name}: {text}" if text else name


def _chain(error: BaseException) -> Iterator[tuple[BaseException, bool]]:
    """Yield the exception and what led to it, and whether it was raised from that."""
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen and len(seen) < CHAINED:
        seen.add(id(one))
        yield one, one.__cause__ is not None
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)


def _safe_text(error: BaseException) -> str:
    if isinstance(error, BaseExceptionGroup):
        return ", ".join(describe_exception(one) for one in error.exceptions[:CHAINED])
    if isinstance(error, OSError) and error.errno is not None:
        place = f": {error.filename}" if isinstance(error.filename, str) else ""
        return f"[Errno {error.errno}] {error.strerror}{place}"
    if isinstance(error, AttributeError) and _NAME.fullmatch(str(error.name)):
        return f"{type(error.obj).__name__} has no attribute {error.name}"
    if isinstance(error, NameError) and _NAME.fullmatch(str(error.name)):
        return f"{error.name} is not defined"
    if sqlstate := getattr(error, "sqlstate", None):
        return f"SQLSTATE {sqlstate}"
    first_line = str(error).partition("\n")[0] if type(error).__module__ in ("sqlite3", "django.db.utils") else ""
    return first_line if _OF_DATABASE.fullmatch(first_line) else ""
