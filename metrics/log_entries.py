"""Warnings and errors of the log, kept in the database: written asynchronously, with a bounded size."""

import json
import logging
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from metrics.models import LogEntry
from metrics.pruning import prune_log
from stores.background.batches import BatchWriter

CAPACITY = 1_000
"""Entries that can wait to be written; beyond, they are lost and counted."""

PRUNED_AT_ONCE = 500
MAX_DETAILS = 4_000
"""Characters of the JSON of a line's facts."""
MAX_EXCEPTION = 20_000
"""Characters of a traceback: its end tells most."""

NAME = "log entries"
"""The writer, and its thread."""

_COLUMNS = {"level", "logger", "event", "request_id", "exception"}

Entry = dict[str, Any]
"""The columns of a row."""


class LogEntryHandler(logging.Handler):
    """Adds log records to the entries. Its formatter returns a line as a JSON object, without message text and keys.

    It never fails and never logs: what it cannot store is counted as lost.
    """

    def emit(self, record: logging.LogRecord) -> None:
        # The writer's own log lines, for example about a locked database, would go to the writer and fail again.
        if record.threadName == NAME:
            return
        try:
            ENTRIES.add(describe_record(record, json.loads(self.format(record))))
        except Exception:
            ENTRIES.lost += 1


def describe_record(record: logging.LogRecord, line: dict[str, Any]) -> Entry:
    """Return the columns of a log line."""
    facts = {name: value for name, value in line.items() if name not in _COLUMNS and name != "timestamp"}
    details = json.dumps(facts) if facts else ""
    exception = _storable(line.get("exception", ""))
    return {
        "at": datetime.fromtimestamp(record.created, UTC),
        "level": _level_of(record.levelno),
        "logger": _storable(line.get("logger", ""))[:100],
        "event": _storable(line.get("event", ""))[:500],
        "request_id": _storable(line.get("request_id", ""))[:64],
        "details": details if len(details) <= MAX_DETAILS else details[: MAX_DETAILS - 1] + "…",
        "exception": exception if len(exception) <= MAX_EXCEPTION else "…" + exception[1 - MAX_EXCEPTION :],
    }


def write_entries(entries: list[Entry]) -> None:
    """Write the entries, and delete as many of the oldest as are beyond the bounds."""
    with transaction.atomic():
        LogEntry.objects.bulk_create([LogEntry(**entry) for entry in entries])
    prune_log(LogEntry, rows=settings.LOG_ENTRY_ROWS, days=settings.LOG_ENTRY_DAYS, at_once=PRUNED_AT_ONCE)


def _level_of(number: int) -> str:
    if number >= logging.CRITICAL:
        return LogEntry.Level.CRITICAL
    return LogEntry.Level.ERROR if number >= logging.ERROR else LogEntry.Level.WARNING


def _storable(value: Any) -> str:
    # Databases take neither lone surrogates nor NUL.
    return str(value).encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")


ENTRIES: BatchWriter[Entry] = BatchWriter(NAME, write_entries, capacity=CAPACITY)
