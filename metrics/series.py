"""Usage over time: one statement, over the rollups if they suffice, otherwise over at most a month of the ledger."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.conf import settings
from django.db import connection

from metrics.days import DAY, EARLIEST, LATEST, start_of, zone
from metrics.latency import PERCENTILES, find_percentiles
from metrics.ledger.sums import COUNTED, day_of, local_of, measures_of_event, quarter_of
from metrics.ledger.triggers import DAYS, DETAILS, LEDGER, QUARTERS, ZONE
from metrics.models import UsageEvent
from metrics.models.rollups import FIRST_TOKEN, SUMS, TOTAL
from stores.records.sql import fetch

FILTERS = ("service", "vendor", "model", "source")
BY = ("all", *FILTERS, "hour", "persona", "conversation")
PER = ("hour", "day", "week", "month")
SOURCES = tuple(source for source in UsageEvent.Source.values if source != UsageEvent.Source.TEST)

MAX_FINE_DAYS = 31
"""Days of a series by hour, persona or conversation, or per hour."""
MAX_DAYS = 3_700
"""Days of a series per day: ten years."""

TOKENS = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
LATENCIES = tuple(f"ms_{of}_p{percent}" for of in ("to_first_token", "total") for percent in PERCENTILES)
COLUMNS = (
    *("at", "key", "calls", "errors", "unpriced", "estimated", *TOKENS, "cost_nano_usd", "cost_reported_nano_usd"),
    *LATENCIES,
)
"""What a row of a series says. `at` is the day on which its time begins (of a week, its Monday; of a month, its first),
or the hour with its offset from UTC. What no call told is None: tokens, costs, latencies."""

_HOUR_MS = 3_600_000
_AT_FIRST = 2 + len(SUMS)
_AT_TOTAL = _AT_FIRST + len(FIRST_TOKEN)


class InvalidQuery(ValueError):
    """An invalid query for a series; `parameter` is the invalid one."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(message)
        self.parameter = parameter


@dataclass(frozen=True)
class Query:
    """A series: days `start` to `end`, both included, in the owner's time zone, and what is asked of them.

    `per` divides them, `by` each of these; a filter that is None lets all through. Raises `InvalidQuery`."""

    start: date
    end: date
    by: str = "all"
    per: str = "day"
    service: str | None = None
    vendor: str | None = None
    model: str | None = None
    source: str | None = None
    latencies: bool = True
    """Whether percentiles are asked for; without them it is quicker."""

    def __post_init__(self) -> None:
        if self.by not in BY:
            raise InvalidQuery("by", f"by must be one of: {', '.join(BY)}.")
        if self.per not in PER:
            raise InvalidQuery("per", f"per must be one of: {', '.join(PER)}.")
        if self.source is not None and self.source not in SOURCES:
            raise InvalidQuery("source", f"source must be one of: {', '.join(SOURCES)}. Test calls are not counted.")
        if not EARLIEST <= self.start <= LATEST:
            raise InvalidQuery("start", f"start must be a day from {EARLIEST} to {LATEST}.")
        if not self.start <= self.end <= LATEST:
            raise InvalidQuery("end", f"end must be a day from start to {LATEST}.")
        days = (self.end - self.start).days + 1
        if self.is_fine and days > MAX_FINE_DAYS:
            raise InvalidQuery(
                "start",
                f"A series by hour, persona or conversation, or per hour, can have at most {MAX_FINE_DAYS} days.",
            )
        if self.per == "day" and days > MAX_DAYS:
            raise InvalidQuery(
                "start", f"A series per day can have at most {MAX_DAYS} days. Ask per week or month instead."
            )

    @property
    def is_fine(self) -> bool:
        """Whether days are too coarse for the query."""
        return self.per == "hour" or self.by in ("hour", "persona", "conversation")

    @property
    def filters(self) -> dict[str, str]:
        """The values that rows must have."""
        return {name: value for name in FILTERS if (value := getattr(self, name)) is not None}


@dataclass(frozen=True)
class Series:
    """Rows in the order of `columns`, by time and key; times without calls have none."""

    query: Query
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]

    def points(self) -> Iterator[dict[str, Any]]:
        """Yield the rows by the names of their columns."""
        for row in self.rows:
            yield dict(zip(self.columns, row, strict=True))


def read_series(query: Query) -> Series:
    """Return a series, by one statement."""
    rows = fetch(*_statement(query))
    if query.per == "hour":
        rows = [(_hour(row[0]), *row[1:]) for row in rows]
    if not query.latencies:
        return Series(query, COLUMNS[: -len(LATENCIES)], rows)
    return Series(query, COLUMNS, [_with_percentiles(row) for row in rows])


# --- rows ------------------------------------------------------------------------------------------------------------


def _with_percentiles(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return (
        *row[:_AT_FIRST],
        *find_percentiles(row[_AT_FIRST:_AT_TOTAL]),
        *find_percentiles(row[_AT_TOTAL:]),
    )


def _hour(start: int) -> str:
    return datetime.fromtimestamp(start // 1000, UTC).astimezone(zone()).isoformat(timespec="minutes")


# --- the statement ---------------------------------------------------------------------------------------------------


def _statement(query: Query) -> tuple[str, list[Any]]:
    """Return the statement and its parameters: sums by time and key, shown as the rows of a series."""
    select, parameters = _sums_of(query)
    # A bare column of days would come as dates, each parsed by Python.
    at = "at" if query.per == "hour" else "CAST(at AS TEXT)"
    two_digits = "printf('%%02d', key)" if connection.vendor == "sqlite" else "lpad(key::text, 2, '0')"
    # Calls that were all taken back leave a row of zeros.
    something = " OR ".join(f"{name} <> 0" for name in SUMS)
    return (
        f"SELECT {at}, {two_digits if query.by == 'hour' else 'key'}, {_shown(query)} FROM ({select}) sums"
        # By the columns themselves, as the index has them.
        f" WHERE {something} ORDER BY at, key",
        parameters,
    )


def _shown(query: Query) -> str:
    """Return the measures as they are shown: what no call told is NULL, not 0."""
    tokens = " OR ".join(f"{name} <> 0" for name in TOKENS)
    shown = {name: f"CASE WHEN {tokens} THEN {name} END" for name in TOKENS} | {
        "cost_nano_usd": "CASE WHEN calls <> unpriced OR cost_nano_usd <> 0 THEN cost_nano_usd END",
        "cost_reported_nano_usd": "NULLIF(cost_reported_nano_usd, 0)",
    }
    return ", ".join(shown.get(name, name) for name in _measures(query))


def _sums_of(query: Query) -> tuple[str, list[Any]]:
    dimensions = {*query.filters, *({query.by} - {"all"})}
    if query.by in ("persona", "conversation"):
        return _over_ledger(query)
    if query.is_fine:
        return _over_quarters(query)
    if len(dimensions) > 1:
        return _over_details(query)
    return _over_days(query, dimensions.pop() if dimensions else "all")


def _over_days(query: Query, dimension: str) -> tuple[str, list[Any]]:
    key = "''" if query.by == "all" else "d.key"
    conditions = ["d.dimension = %s", "d.day >= %s", "d.day <= %s"]
    parameters: list[Any] = [dimension, str(query.start), str(query.end)]
    if query.filters:
        conditions.append("d.key = %s")
        parameters.append(query.filters[dimension])
    if query.per == "day":
        # Rows are what is asked for; nothing has to be added up.
        measures = ", ".join(f"d.{name}" for name in _measures(query))
        return f"SELECT d.day AS at, {key} AS key, {measures} FROM {DAYS} d WHERE {_and(conditions)}", parameters
    return _grouped(query, _period_of("d.day", query.per), key, f"{DAYS} d", conditions), parameters


def _over_details(query: Query) -> tuple[str, list[Any]]:
    key = "''" if query.by == "all" else f"d.{query.by}"
    conditions = ["d.day >= %s", "d.day <= %s", *(f"d.{name} = %s" for name in query.filters)]
    parameters = [str(query.start), str(query.end), *query.filters.values()]
    return _grouped(query, _period_of("d.day", query.per), key, f"{DETAILS} d", conditions), parameters


def _over_quarters(query: Query) -> tuple[str, list[Any]]:
    key = {"all": "''", "hour": f"{_local('q.start')} / {_HOUR_MS} % 24"}.get(query.by, f"q.{query.by}")
    conditions, parameters = _span(query, "q", "start")
    at = _escape(_time_of("q.start", query.per))
    return _grouped(query, at, _escape(key), f"{QUARTERS} q", conditions), parameters


def _over_ledger(query: Query) -> tuple[str, list[Any]]:
    conditions, parameters = _span(query, "e", "at")
    key, source = "e.conversation", f"{LEDGER} e"
    if query.by == "persona":
        key = "COALESCE(p.persona, '')" if _personas else "''"
        source += f" LEFT JOIN ({_personas[0]}) p ON p.conversation = e.conversation" if _personas else ""
    at = _escape(_time_of(quarter_of("e.at"), query.per))
    measures = {name: _escape(measure) for name, measure in measures_of_event("e.").items()}
    return _grouped(query, at, key, source, [f"e.{COUNTED}", *conditions], measures), parameters


def _grouped(
    query: Query, at: str, key: str, source: str, conditions: list[str], measures: dict[str, str] | None = None
) -> str:
    sums = ", ".join(f"{_sum(measures[name] if measures else name)} AS {name}" for name in _measures(query))
    return f"SELECT {at} AS at, {key} AS key, {sums} FROM {source} WHERE {_and(conditions)} GROUP BY 1, 2"


def _and(conditions: list[str]) -> str:
    return " AND ".join(conditions)


_personas: list[str] = []


def register_personas(statement: str) -> None:
    """Tell by which SELECT of `conversation` and `persona` the personas of chats are known; tables as in `fetch`."""
    _personas[:] = [statement]


def _span(query: Query, table: str, column: str) -> tuple[list[str], list[Any]]:
    conditions = [f"{table}.{column} >= %s", f"{table}.{column} < %s"]
    conditions += [f"{table}.{name} = %s" for name in query.filters]
    return conditions, [start_of(query.start), start_of(query.end + DAY), *query.filters.values()]


def _measures(query: Query) -> tuple[str, ...]:
    return (*SUMS, *FIRST_TOKEN, *TOTAL) if query.latencies else SUMS


def _sum(expression: str) -> str:
    # PostgreSQL's sum of integers is no integer.
    return f"SUM({expression})::bigint" if connection.vendor == "postgresql" else f"SUM({expression})"


def _time_of(start: str, per: str) -> str:
    """Return the begin of the period of a time in ms: of an hour in ms, else a day."""
    if per == "hour":
        return f"({start} - {_local(start)} % {_HOUR_MS})"
    return _period_of(day_of(start, ZONE, connection.vendor), per)


def _local(start: str) -> str:
    # One day later, because SQL rounds towards 0 and western time zones were still in 1969.
    return f"({local_of(start, ZONE)} + 24 * {_HOUR_MS})"


def _period_of(day: str, per: str) -> str:
    """Return the first day of the period of a day. Weeks begin on Monday."""
    if per == "day":
        return day
    if connection.vendor == "postgresql":
        return f"date_trunc('{per}', {day})::date"
    return f"date({day}, '-6 days', 'weekday 1')" if per == "week" else f"date({day}, 'start of month')"


def _escape(expression: str) -> str:
    return expression.replace("%", "%%")


def zone_name() -> str:
    """Return the name of the zone of the days."""
    return str(settings.OWNER_TIME_ZONE)
