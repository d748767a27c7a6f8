"""The ledger's events as JSON, as a table and as lines of JSON. In streams memory does not grow with the ledger."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery

from metrics.models import UsageEvent
from stores.records.errors import Missing
from stores.records.jsontext import encode

CORRECTED_BY = "corrected_by"
FIELDS = (
    *("id", "at", "source", "service", "vendor", "model", "conversation", "message", "input_tokens"),
    *("cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens", "estimated", "cost_nano_usd"),
    *("cost_reported_nano_usd", "cost_code", "price_source", "ms_to_first_token", "ms_total", "outcome"),
    *("corrects", CORRECTED_BY),
)
"""The members of a usage event, with the event that reverses it."""
TIME = "time"
"""A table's column with `at` for people to read, in ISO 8601."""

BATCH = 2_000
_FORMULAS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n", "'")  # Full width, too.
_LATER_FORMULA = re.compile(r"""([;\t\r\n])(?="*[=+\-@＝＋－＠'])""")
"""Where a cell with a formula begins for a spreadsheet that separates by `;` or tabs: it skips quotes."""


def find_event(key: int) -> Mapping[str, Any]:
    """Return the members of one event. Raises `Missing`."""
    corrections = UsageEvent.objects.filter(corrects=OuterRef("pk")).values("pk")[:1]
    events = UsageEvent.objects.filter(pk=key).annotate(**{CORRECTED_BY: Subquery(corrections)})
    found = events.values(*FIELDS).first()
    if found is None:
        raise Missing(f"There is no event {key}.")
    return found


def describe_event(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event's JSON, in the order of its members."""
    return {name: event[name] for name in FIELDS}


def write_csv(events: QuerySet[UsageEvent], *, is_newest_first: bool = True) -> Iterator[bytes]:
    """Yield the events as a table (RFC 4180) in UTF-8, with a line of names.

    Text that a spreadsheet would evaluate gets an apostrophe in front: at its start, and after a `;`, tab or line break
    inside, where spreadsheets with another separator start a cell."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow((*FIELDS, TIME))
    for rows in _batches(events, is_newest_first=is_newest_first):
        writer.writerows([*map(_cell, row), datetime.fromtimestamp(row[1] / 1000, UTC).isoformat()] for row in rows)
        yield _take(buffer)
    if buffer.tell():
        yield _take(buffer)


def write_ndjson(events: QuerySet[UsageEvent], *, is_newest_first: bool = True) -> Iterator[bytes]:
    """Yield the events as lines of JSON."""
    for rows in _batches(events, is_newest_first=is_newest_first):
        yield "".join(f"{encode(dict(zip(FIELDS, row, strict=True)))}\n" for row in rows).encode("ascii")


def _take(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return value
    # What a spreadsheet would run. The apostrophe itself is doubled, so that one less is always what it was.
    safe = _LATER_FORMULA.sub(r"\1'", value)
    return f"'{safe}" if value.startswith(_FORMULAS) else safe


def _batches(events: QuerySet[UsageEvent], *, is_newest_first: bool) -> Iterator[list[tuple[Any, ...]]]:
    events = events.order_by("-at", "-pk") if is_newest_first else events.order_by("at", "pk")
    beyond = "lt" if is_newest_first else "gt"
    rest = events
    while rows := list(rest.values_list(*FIELDS)[:BATCH]):
        yield rows
        if len(rows) < BATCH:
            return
        key, at = rows[-1][:2]
        # The first condition alone bounds the scan of the index.
        rest = events.filter(**{f"at__{beyond}e": at}).filter(Q(**{f"at__{beyond}": at}) | Q(**{f"pk__{beyond}": key}))
