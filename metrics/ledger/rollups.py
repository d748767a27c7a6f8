"""Rebuilding the rollups from the ledger, and finding where they differ from it."""

from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from metrics.ledger.sums import (
    COUNTED,
    DAY_KEY,
    DETAIL_KEY,
    DIMENSIONS,
    EMPTY,
    QUARTER_KEY,
    day_of,
    measures_of_event,
    quarter_of,
)
from metrics.ledger.triggers import DAYS, DETAILS, LEDGER, QUARTERS, ZONE
from metrics.models.rollups import MEASURES

NAMES = ", ".join(MEASURES)
SUMMED = ", ".join(f"SUM({name}) AS {name}" for name in MEASURES)


@dataclass(frozen=True)
class Difference:
    """A rollup row that differs from the ledger or is missing."""

    rollup: str
    key: tuple[object, ...]

    def __str__(self) -> str:
        return f"{self.rollup} {' '.join(map(str, self.key))}"


def rebuild_rollups() -> None:
    """Rebuild quarter-hours and days from the ledger, in one transaction."""
    with transaction.atomic(), connection.cursor() as cursor:
        _wait_for_writers(cursor)
        cursor.execute(f"DELETE FROM {QUARTERS}")
        cursor.execute(f"INSERT INTO {QUARTERS} ({', '.join(QUARTER_KEY)}, {NAMES}) {quarters_of_ledger()}")
        rebuild_days()


def rebuild_days() -> None:
    """Rebuild the days from the quarter-hours, for example after a change of the time zone."""
    with transaction.atomic(), connection.cursor() as cursor:
        _wait_for_writers(cursor)
        cursor.execute(f"DELETE FROM {DETAILS}")
        cursor.execute(f"INSERT INTO {DETAILS} ({', '.join(DETAIL_KEY)}, {NAMES}) {details_of_quarters()}")
        cursor.execute(f"DELETE FROM {DAYS}")
        cursor.execute(f"INSERT INTO {DAYS} ({', '.join(DAY_KEY)}, {NAMES}) {days_of_details()}")


def _wait_for_writers(cursor: Any) -> None:
    # SQLite has one writer at a time; on PostgreSQL another could add to rows while they are made.
    if connection.vendor == "postgresql":
        cursor.execute(f"LOCK TABLE {LEDGER} IN SHARE ROW EXCLUSIVE MODE")


def find_differences(limit: int = 100) -> list[Difference]:
    """Return rows of the rollups that differ from the ledger, or from what they are made of, at most so many of
    each."""
    expected = (
        ("quarter-hour", QUARTERS, QUARTER_KEY, quarters_of_ledger()),
        ("day in detail", DETAILS, DETAIL_KEY, details_of_quarters()),
        ("day", DAYS, DAY_KEY, days_of_details()),
    )
    return [
        Difference(name, row) for name, table, key, select in expected for row in _differing(table, key, select, limit)
    ]


def _differing(table: str, key: tuple[str, ...], expected: str, limit: int) -> list[tuple[object, ...]]:
    columns = f"{', '.join(key)}, {NAMES}"
    stored = f"SELECT {columns} FROM {table}"
    # A row whose calls were all reversed may exist with zeros, or not at all.
    something = " OR ".join(f"{name} <> 0" for name in MEASURES)
    statement = (
        f"WITH expected AS ({expected}), stored AS ({stored})"
        f" SELECT DISTINCT {', '.join(key)} FROM ("
        f"SELECT * FROM (SELECT * FROM expected EXCEPT SELECT * FROM stored) missing WHERE {something}"
        f" UNION ALL SELECT * FROM (SELECT * FROM stored EXCEPT SELECT * FROM expected) extra WHERE {something}"
        f") differing ORDER BY {', '.join(key)} LIMIT {int(limit)}"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def quarters_of_ledger() -> str:
    """Return the SELECT of the quarter-hours that the ledger makes, in the order of their columns."""
    measures = measures_of_event("")
    sums = ", ".join(f"SUM({measures[name]}) AS {name}" for name in MEASURES)
    return (
        f"SELECT {quarter_of('at')} AS start, service, vendor, model, source, {sums} FROM {LEDGER} WHERE {COUNTED}"
        " GROUP BY 1, 2, 3, 4, 5"
    )


def details_of_quarters() -> str:
    """Return the SELECT of the days by service, vendor, model and source that the quarter-hours make."""
    day = day_of("q.start", ZONE, connection.vendor)
    return f"SELECT {day} AS day, service, vendor, model, source, {SUMMED} FROM {QUARTERS} q GROUP BY 1, 2, 3, 4, 5"


def days_of_details() -> str:
    """Return the SELECT of the days by each of these alone."""
    return " UNION ALL ".join(
        f"SELECT '{dimension}' AS dimension, day, {column or EMPTY} AS key, {SUMMED} FROM {DETAILS}"
        f" GROUP BY {f'day, {column}' if column else 'day'}"
        for dimension, column in DIMENSIONS.items()
    )
