"""Pieces of SQL that the views are made of, in the words of each database. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

FIRST_MS, LAST_MS = -62_135_596_800_000, 253_402_300_799_999
"""The years 1 to 9999: beyond, SQLite gives no time, and PostgreSQL an error that ends the whole query."""

FREE_OR_PRICED = "coalesce(e.cost_nano_usd, CASE e.cost_code WHEN 'free' THEN 0 END)"
"""The cost of a ledger's event `e` in 10⁻⁹ USD; NULL: unpriced."""


@dataclass(frozen=True)
class Dialect:
    """How one database says what the views need."""

    time_of: Callable[[str], str]
    """Milliseconds since the epoch as text, as 2026-08-01T09:30:00.000Z."""
    dollars_of: Callable[[str], str]
    """10⁻⁹ USD as dollars."""
    join_texts: Callable[[str, str, str, str], str]
    """A scalar query for a text of each row of FROM (the second), in an order, with a separator between them."""
    bytes_of: Callable[[str], str]
    """The length of a text in UTF-8."""
    blank_line: str
    false: str


def _guarded(ms: str, time: str) -> str:
    return f"CASE WHEN {ms} BETWEEN {FIRST_MS} AND {LAST_MS} THEN {time} END"


def _sqlite_join(text: str, rows: str, order: str, separator: str) -> str:
    # An aggregate can name an order itself only since SQLite 3.44; that of a subquery it keeps.
    return f"(SELECT group_concat(t.text, {separator}) FROM (SELECT {text} AS text FROM {rows} ORDER BY {order}) t)"


SQLITE = Dialect(
    time_of=lambda ms: _guarded(ms, f"strftime('%Y-%m-%dT%H:%M:%fZ', {ms} / 1000.0, 'unixepoch')"),
    dollars_of=lambda nano: f"{nano} / 1e9",
    join_texts=_sqlite_join,
    bytes_of=lambda text: f"length(CAST({text} AS BLOB))",
    blank_line="char(10, 10)",
    false="0",
)
POSTGRESQL = Dialect(
    time_of=lambda ms: _guarded(
        ms, f"""to_char(to_timestamp({ms} / 1000.0) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""
    ),
    # Exact: a numeric of nine places.
    dollars_of=lambda nano: f"round({nano} / 1e9, 9)",
    join_texts=lambda text, rows, order, separator: (
        f"(SELECT string_agg({text}, {separator} ORDER BY {order}) FROM {rows})"
    ),
    bytes_of=lambda text: f"octet_length({text})",
    blank_line="E'\\n\\n'",
    false="false",
)
