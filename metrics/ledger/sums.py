"""What a call adds to the sums, as SQL that both databases understand. Pure.

Events, rollup rows and sums over both use the same expressions, so that what the triggers maintain,
what a rebuild writes and what a check expects cannot diverge.
"""

from metrics.models.events import NOT_ERRORS
from metrics.models.rollups import FIRST_TOKEN, LATENCY_BOUNDS, MEASURES, TOTAL

QUARTER_MS = 15 * 60 * 1000

COUNTED = "source <> 'test'"
"""Which events count."""

EMPTY = "''"

DIMENSIONS = {"all": "", "service": "service", "vendor": "vendor", "model": "model", "source": "source"}
"""The dimensions of the days, with their columns."""

QUARTER_KEY = ("start", "service", "vendor", "model", "source")
DETAIL_KEY = ("day", "service", "vendor", "model", "source")
DAY_KEY = ("dimension", "day", "key")


def measures_of_event(row: str) -> dict[str, str]:
    """Return what an event adds to each measure; `row` is the event's prefix, as `NEW.`."""
    errors = ", ".join(f"'{outcome}'" for outcome in NOT_ERRORS)
    names = {
        "calls": f"{row}calls",
        "errors": f"CASE WHEN {row}outcome IN ({errors}) THEN 0 ELSE {row}calls END",
        "unpriced": f"CASE WHEN {row}cost_nano_usd IS NULL AND {row}cost_code <> 'free' THEN {row}calls ELSE 0 END",
        "estimated": f"CASE WHEN {row}estimated THEN {row}calls ELSE 0 END",
    }
    for name in MEASURES:
        if name not in names and name not in FIRST_TOKEN and name not in TOTAL:
            names[name] = f"COALESCE({row}{name}, 0)"
    for buckets, column in ((FIRST_TOKEN, "ms_to_first_token"), (TOTAL, "ms_total")):
        names |= _buckets(buckets, f"{row}{column}", f"{row}calls")
    return names


def _buckets(names: tuple[str, ...], value: str, calls: str) -> dict[str, str]:
    bounds = [None, *LATENCY_BOUNDS, None]
    sums = {}
    for name, lower, upper in zip(names, bounds, bounds[1:], strict=False):
        conditions = [f"{value} >= {lower}" if lower else f"{value} IS NOT NULL", f"{value} < {upper}" if upper else ""]
        sums[name] = f"CASE WHEN {' AND '.join(filter(None, conditions))} THEN {calls} ELSE 0 END"
    return sums


def quarter_of(at: str) -> str:
    """Return the start of the quarter-hour of a time in ms."""
    return f"({at} - {at} % {QUARTER_MS})"


def local_of(start: str, zone_table: str) -> str:
    """Return the local time for a time in ms, as ms, in the zone whose offsets are in the table."""
    offset = f"(SELECT z.offset_ms FROM {zone_table} z WHERE z.starts <= {start} ORDER BY z.starts DESC LIMIT 1)"
    return f"({start} + COALESCE({offset}, 0))"


def day_of(start: str, zone_table: str, vendor: str) -> str:
    """Return the day of a time in ms, in the zone whose offsets are in the table."""
    local = f"{local_of(start, zone_table)} / 1000"
    if vendor == "postgresql":
        return f"(TIMESTAMP 'epoch' + ({local}) * INTERVAL '1 second')::date"
    return f"date({local}, 'unixepoch')"


def add_up(table: str) -> str:
    """Return the end of an INSERT into a rollup that adds to a row that is there."""
    return ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in MEASURES)
