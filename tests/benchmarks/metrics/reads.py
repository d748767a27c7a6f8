"""Reading what was used: day series over a year and the dashboard's data, beside SQL written by hand over the rollups
and over the raw ledger."""

import statistics
import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from bigagi_site.dashboard.board import read_usage
from metrics.days import start_of, today
from metrics.ledger.sums import day_of, measures_of_event
from metrics.ledger.triggers import DAYS, DETAILS, LEDGER, ZONE
from metrics.models.rollups import FIRST_TOKEN, SUMS, TOTAL
from metrics.series import Query, read_series
from stores.records.sql import fetch
from tests.benchmarks.measuring import print_table

TO_ROLLUPS, TO_LEDGER = 3.0, 50.0
TIMES, RAW_TIMES = 9, 3
YEAR = timedelta(days=364)


def measure() -> bool:
    """Print the table; return whether all targets are met."""
    end = today()
    start = end - YEAR
    cases: list[tuple[str, Callable[[], Any], Callable[[], Any], Callable[[], Any]]] = [
        (
            _name(query),
            lambda query=query: read_series(query),
            lambda query=query: _series_of_rollups(query),
            lambda query=query: _series_of_ledger(query),
        )
        for query in _queries(start, end)
    ]
    month = end.replace(day=1)
    cases.append(
        (
            "dashboard",
            lambda: read_usage(None),
            lambda: _board_of_rollups(month, end),
            lambda: _board_of_ledger(month, end),
        )
    )
    rows, is_met = [], True
    for name, ours, rollups, ledger in cases:
        # By turns, so that what else goes on slows all of them alike.
        seconds = [(_seconds(ours), _seconds(rollups)) for _ in range(TIMES)]
        mine, best = (statistics.median(column) for column in zip(*seconds, strict=True))
        raw = statistics.median(_seconds(ledger) for _ in range(RAW_TIMES))
        # A filter by one thing in a series by another leaves the ledger's own query few rows, and as many to give.
        is_filtered = ", source" in name or ", vendor" in name
        is_met &= mine <= best * TO_ROLLUPS and (is_filtered or raw >= mine * TO_LEDGER)
        rows.append(
            [
                name,
                f"{mine * 1000:.1f}",
                f"{best * 1000:.1f}",
                f"{raw * 1000:.0f}",
                f"{mine / best:.2f} (≤ {TO_ROLLUPS})",
                f"{raw / mine:.0f}" + ("" if is_filtered else f" (≥ {TO_LEDGER:.0f})"),
            ]
        )
    print_table(
        [
            "a year, day by day",
            "ours, ms",
            "rollups by hand, ms",
            "ledger by hand, ms",
            "ours / rollups",
            "ledger / ours",
        ],
        rows,
    )
    return is_met


def _queries(start: date, end: date) -> list[Query]:
    dimensions = ("all", "service", "vendor", "model", "source")
    plain = [Query(start, end, by=by, latencies=False) for by in dimensions]
    filtered = [
        Query(start, end, by="model", source="chat", latencies=False),
        Query(start, end, by="source", vendor="vendor-1", latencies=False),
    ]
    return plain + filtered + [Query(start, end, by=by) for by in ("all", "service", "model")]


def _name(query: Query) -> str:
    filters = "".join(f", {name} {value}" for name, value in query.filters.items())
    return f"by {query.by}{filters}{', with percentiles' if query.latencies else ''}"


# --- over the rollups ------------------------------------------------------------------------------------------------


def _series_of_rollups(query: Query) -> list[tuple[Any, ...]]:
    names = ", ".join((*SUMS, *FIRST_TOKEN, *TOTAL) if query.latencies else SUMS)
    span = [str(query.start), str(query.end)]
    if not query.filters:
        sql = f"SELECT CAST(day AS TEXT), key, {names} FROM {DAYS} WHERE dimension = %s AND day BETWEEN %s AND %s"
        return fetch(f"{sql} ORDER BY day, key", [query.by, *span])
    sums = ", ".join(f"SUM({name})" for name in SUMS)
    where = " AND ".join(f"{name} = %s" for name in query.filters)
    return fetch(
        f"SELECT CAST(day AS TEXT), {query.by}, {sums} FROM {DETAILS} WHERE day BETWEEN %s AND %s AND {where}"
        " GROUP BY 1, 2 ORDER BY 1, 2",
        [*span, *query.filters.values()],
    )


def _board_of_rollups(month: date, end: date) -> list[Any]:
    """The dashboard's numbers: three sums of months, two charts, models, latencies, totals by service."""
    first = end - timedelta(days=29)
    last = (month - timedelta(days=1)).replace(day=1)
    sums, buckets = (", ".join(f"SUM({name})" for name in names) for names in (SUMS, (*FIRST_TOKEN, *TOTAL)))
    of = f"FROM {DAYS} WHERE dimension = %s AND day BETWEEN %s AND %s"
    chart = [str(first), str(end)]
    spans = [(month, end), (last, month - timedelta(days=1)), (last, last + (end - month))]
    return [
        *(fetch(f"SELECT {sums} {of}", ["all", str(one), str(other)]) for one, other in spans),
        fetch(f"SELECT CAST(day AS TEXT), key, cost_nano_usd {of}", ["service", *chart]),
        fetch(f"SELECT CAST(day AS TEXT), {', '.join(SUMS)} {of}", ["all", *chart]),
        fetch(
            f"SELECT key, {sums} {of} GROUP BY key ORDER BY SUM(cost_nano_usd) DESC LIMIT 8",
            ["model", str(first), str(end)],
        ),
        fetch(f"SELECT key, {sums}, {buckets} {of} GROUP BY key", ["service", *chart]),
        fetch(f"SELECT key, {sums} FROM {DAYS} WHERE dimension = 'service' GROUP BY key"),
    ]


# --- over the ledger -------------------------------------------------------------------------------------------------

COUNTED = "source <> 'test' AND at >= %s AND at < %s"


def _measures(names: tuple[str, ...]) -> str:
    measures = measures_of_event("")
    return ", ".join(f"SUM({measures[name]}) AS {name}" for name in names)


def _day() -> str:
    return day_of("at", ZONE, "sqlite").replace("%", "%%")


def _span(first: date, last: date) -> list[int]:
    return [start_of(first), start_of(last + timedelta(days=1))]


def _series_of_ledger(query: Query) -> list[Any]:
    day, key = _day(), "''" if query.by == "all" else query.by
    where = " AND ".join([COUNTED, *(f"{name} = %s" for name in query.filters)])
    parameters = [*_span(query.start, query.end), *query.filters.values()]
    sums = f"SELECT {day}, {key}, {_measures(SUMS)} FROM {LEDGER} WHERE {where} GROUP BY 1, 2 ORDER BY 1, 2"
    found: list[Any] = [fetch(sums, parameters)]
    for column in ("ms_to_first_token", "ms_total") if query.latencies else ():
        # Exact percentiles, by the nearest rank.
        ranked = (
            f"SELECT {day} AS day, {key} AS key, {column} AS ms,"
            f" row_number() OVER (PARTITION BY {day}, {key} ORDER BY {column}) AS place,"
            f" count(*) OVER (PARTITION BY {day}, {key}) AS calls FROM {LEDGER} WHERE {where} AND {column} IS NOT NULL"
        )
        percentiles = ", ".join(
            f"MIN(CASE WHEN place * 100 >= calls * {percent} THEN ms END)" for percent in (50, 90, 95, 99)
        )
        found.append(fetch(f"SELECT day, key, {percentiles} FROM ({ranked}) GROUP BY 1, 2 ORDER BY 1, 2", parameters))
    return found


def _board_of_ledger(month: date, end: date) -> list[Any]:
    first = end - timedelta(days=29)
    last = (month - timedelta(days=1)).replace(day=1)
    spans = [(month, end), (last, month - timedelta(days=1)), (last, last + (end - month))]
    whole = (*SUMS, *FIRST_TOKEN, *TOTAL)
    day, chart = _day(), _span(first, end)
    of = f"FROM {LEDGER} WHERE {COUNTED}"
    return [
        *(fetch(f"SELECT {_measures(SUMS)} {of}", _span(*span)) for span in spans),
        fetch(f"SELECT {day}, service, {_measures(('cost_nano_usd',))} {of} GROUP BY 1, 2", chart),
        fetch(f"SELECT {day}, {_measures(SUMS)} {of} GROUP BY 1", chart),
        fetch(f"SELECT model, {_measures(SUMS)} {of} GROUP BY 1 ORDER BY SUM(cost_nano_usd) DESC LIMIT 8", chart),
        fetch(f"SELECT service, {_measures(whole)} {of} GROUP BY 1", chart),
        fetch(f"SELECT service, {_measures(SUMS)} FROM {LEDGER} WHERE source <> 'test' GROUP BY 1"),
    ]


def _seconds(act: Callable[[], Any]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started
