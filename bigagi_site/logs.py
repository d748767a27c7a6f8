"""Structured logs: readable on a terminal, or one JSON object per line. They contain no message text and no keys.

The program's own events are fixed sentences with named facts. Other libraries may log the data they process: of that
only what is known to be safe is kept.
"""

import logging
import sys
from collections.abc import Mapping, MutableMapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings

from bigagi_site.optional import import_without
from bigagi_site.tracebacks import format_exception
from stores.records.key_shapes import hide_keys

# Its rich tracebacks would print local variables, and are off (`build_formatter`).
import_without("structlog", "rich")
import structlog  # noqa: E402

LONGEST = 2_000
"""Characters of one fact."""

PARTS = ("stores", "chats", "llms", "metrics", "workspace", "api")
"""The names of the program's own loggers."""

HARMLESS = (*PARTS, "bigagi_site", "django", "uvicorn")
"""Loggers whose messages may be formatted with arguments: of others only the pattern is shown."""

QUIET = ("aiohttp", "asyncio", "django.db.backends", "httpcore", "httpx", "markdown_it", "openai", "PIL")
"""Loggers that at DEBUG print what is sent and stored; they never go below WARNING."""

Event = MutableMapping[str, Any]


def name_logger(logger: Any, method: str, event: Event) -> Event:
    """Name the program's own loggers by their part, and those of requests `api`."""
    name = str(event.get("logger"))
    if name.startswith(("django_structlog.", "django.request", "stores.api.")):
        event["logger"] = "api"
    elif (part := name.partition(".")[0]) in PARTS:
        event["logger"] = part
    return event


def keep_pattern(logger: Any, method: str, event: Event) -> Event:
    """For other loggers, show only the pattern without arguments, and only the first line."""
    record: logging.LogRecord = event["_record"]
    if record.name.partition(".")[0] not in HARMLESS:
        event["event"] = str(record.msg).partition("\n")[0]
    return event


def tell_exception(logger: Any, method: str, event: Event) -> Event:
    """Put an exception in as text that is safe (`tracebacks`)."""
    info = event.pop("exc_info", None)
    if str(event.get("logger")).startswith("django.security."):
        # Requests that Django refuses to read: anybody can send them, and the words say all.
        return event
    if info is True:
        info = sys.exc_info()
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["exception"] = format_exception(error)
    return event


def clean(logger: Any, method: str, event: Event) -> Event:
    """Hide keys, cut what is long, and keep each fact on its line."""
    return {
        name: hide_keys(value) if name == "exception" else _clean_value(value, depth=0) for name, value in event.items()
    }


def _clean_value(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str | Path | UUID | date | timedelta):
        # Escaped, a line break cannot begin a line that looks like another entry.
        text = hide_keys(str(value)[:LONGEST])
        return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    if isinstance(value, list | tuple | set) and depth < 3:
        return [_clean_value(one, depth + 1) for one in list(value)[:50]]
    if isinstance(value, Mapping) and depth < 3:
        return {str(name)[:100]: _clean_value(one, depth + 1) for name, one in list(value.items())[:50]}
    # A row, a request: its text could hold anything.
    return f"<{type(value).__name__}>"


SHARED_PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    name_logger,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def build_formatter(log_format: str) -> structlog.stdlib.ProcessorFormatter:
    """Return the formatter of `log_format` (console or json)."""
    renderer: Any = structlog.processors.JSONRenderer()
    if log_format != "json":
        # Tracebacks are text by then; the rich ones would print local variables.
        plain = structlog.dev.plain_traceback
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*SHARED_PROCESSORS, keep_pattern],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, tell_exception, clean, renderer],
    )


class KeptHandler(logging.Handler):
    """Hands lines on to what keeps them in the database.

    Django sets logging up before there are models, and once more with each application: this one is there from the
    first, and stays."""

    target: ClassVar[logging.Handler | None] = None

    def emit(self, record: logging.LogRecord) -> None:
        if self.target is not None:
            self.target.handle(record)


def build_logging(log_format: str, level: str) -> dict[str, Any]:
    """Return Django's LOGGING for `log_format` and point structlog at the same handler, which writes to stderr."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED_PROCESSORS,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    levels = logging.getLevelNamesMapping()
    if level not in levels:
        level = "WARNING"
    at_least_warning = level if levels[level] > logging.WARNING else "WARNING"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"structured": {"()": build_formatter, "log_format": log_format}},
        "handlers": {
            "console": {"class": "logging.StreamHandler", "formatter": "structured"},
            "kept": {"()": KeptHandler, "level": "WARNING"},
        },
        "root": {"handlers": ["console", "kept"], "level": level},
        "loggers": {
            # Each of these writes to its own handler else; one line is enough.
            "django": {"handlers": [], "propagate": True},
            "django.server": {"handlers": [], "propagate": True},
            # The request log has the same facts.
            "django.request": {"level": "CRITICAL"},
            **{name: {"level": at_least_warning} for name in QUIET},
        },
    }


def keep_warnings() -> None:
    """Keep warnings and errors in the database from now on. Models can be imported only when all apps are there."""
    from metrics.log_entries import LogEntryHandler

    if settings.LOG_ENTRY_ROWS > 0:
        KeptHandler.target = LogEntryHandler()
        KeptHandler.target.setFormatter(build_formatter("json"))
