"""Totals: of all time, and since counting began anew.

A service's total is what browsers counted of it, with the calls in the ledger that are not among these
(`metrics.reconciliation`). Days of the rollups are added up, and of the day in which counting begins its quarter-hours
and events, so that the cost does not grow with the ledger.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import reduce
from operator import or_
from typing import Any

from django.db import transaction
from django.db.models import Q

from metrics.days import DAY, day_at, start_of
from metrics.ledger.sums import COUNTED, QUARTER_MS, measures_of_event
from metrics.models import CountingStart, UsageEvent, UsageQuarter
from metrics.reconciliation import Amounts, DeviceCount, counts_anything, find_end, read_devices, sum_by_service
from stores.iteration import batched
from stores.journal.recorder import Origin, record_change
from stores.models import Change
from stores.sql import fetch, insert_one

NOTHING = Amounts()

CONDITIONS_A_QUERY = 200
"""SQLite takes expressions of a depth of 1,000."""


@dataclass(frozen=True)
class LedgerSums:
    """What the ledger has of a service: amounts, in which unknown counts as 0, and how many calls have no price."""

    amounts: Amounts = NOTHING
    unpriced: int = 0


@dataclass(frozen=True)
class Total:
    """What was used of a service."""

    amounts: Amounts
    """Unknown counts as 0."""
    added: Amounts
    """The part of it that browsers did not count."""
    unpriced: int
    """Calls in the ledger whose cost is not known."""
    devices: tuple[DeviceCount, ...] = ()
    baselines: tuple[Any, ...] = ()
    """What each browser counted, in big-AGI's JSON, the one that was loaded last before others."""
    first: int | None = None
    """The first and the last call in the ledger, in ms since the epoch."""
    last: int | None = None


@dataclass(frozen=True)
class Totals:
    """What was used, by the service's id: of all time, and since counting began anew, where it did."""

    all_time: dict[str, Total]
    start: CountingStart | None
    since: dict[str, Total] | None


def read_totals() -> Totals:
    """Return the totals of every service of which anything is known."""
    baselines = _read_baselines()
    start = CountingStart.objects.filter(taken_back_by="").first()
    all_time = _with_dates(_total(baselines, read_ledger(), _imported_until(baselines)))
    if start is None:
        return Totals(all_time, None, None)
    since = _total(
        {service: found.less(start.baselines) for service, found in baselines.items()},
        read_ledger(start.at),
        _imported_until(baselines, start.at),
    )
    return Totals(all_time, start, since)


def start_counting(origin: Origin, at: int | None = None) -> tuple[CountingStart, Change]:
    """Let totals count anew from now on, or from a time in ms; return that, and the journal's entry."""
    now = round(time.time() * 1000)
    counted = {service: asdict(found.counted) for service, found in _read_baselines().items()}
    with transaction.atomic():
        with record_change(origin, "count anew", is_kept=True) as entry:
            pass
        assert entry.change is not None
        start = CountingStart(
            at=now if at is None else at, baselines=counted, made_at=now, change=str(entry.change.pk), taken_back_by=""
        )
        insert_one(start)
    return start, entry.change


# --- what browsers counted -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Baselines:
    service: str
    counted: Amounts
    devices: tuple[DeviceCount, ...]
    raw: tuple[Any, ...]

    def less(self, earlier: Any) -> "_Baselines":
        """Return what was counted beyond an earlier time; never less than nothing, as where an import was undone."""
        known = earlier.get(self.service) if isinstance(earlier, Mapping) else None
        before = Amounts(**known) if isinstance(known, Mapping) else NOTHING
        rest = asdict(self.counted - before)
        return _Baselines(
            self.service, Amounts(**{name: max(0, value) for name, value in rest.items()}), self.devices, ()
        )


def _read_baselines() -> dict[str, _Baselines]:
    return {
        service: _Baselines(
            service, _sum(device.counted for device in found), found, tuple(device.baseline for device in found)
        )
        for service, found in read_devices().items()
    }


def _sum(amounts: Iterable[Amounts]) -> Amounts:
    return sum(amounts, NOTHING)


def _total(
    baselines: dict[str, _Baselines], ledger: dict[str, LedgerSums], explained: dict[str, Amounts]
) -> dict[str, Total]:
    totals = {}
    for service in sorted(baselines.keys() | ledger.keys()):
        found, sums = baselines.get(service), ledger.get(service, LedgerSums())
        added = sums.amounts - explained.get(service, NOTHING)
        totals[service] = (
            Total(added, added, sums.unpriced)
            if found is None
            else Total(found.counted + added, added, sums.unpriced, found.devices, found.raw)
        )
    return totals


# --- what the ledger has ---------------------------------------------------------------------------------------------

_MEASURES = (
    *("calls", "cost_nano_usd", "input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens"),
    *("reasoning_tokens", "unpriced"),
)
_OF_ROLLUPS = {name: name for name in _MEASURES}


def read_ledger(since: int | None = None) -> dict[str, LedgerSums]:
    """Return the sums of the calls in the ledger by service, by one statement; `since` is a time in ms, from which on
    they are dated."""
    if since is None:
        parts: list[tuple[str, list[Any]]] = [_part("key", "{metrics.UsageDay}", "dimension = 'service'", _OF_ROLLUPS)]
    else:
        day, quarter = day_at(since), since - since % QUARTER_MS + QUARTER_MS
        days, quarters = "dimension = 'service' AND day > %s", "start >= %s AND start < %s"
        events = f"{COUNTED} AND at >= %s AND at < %s"
        parts = [
            _part("key", "{metrics.UsageDay}", days, _OF_ROLLUPS, str(day)),
            _part("service", "{metrics.UsageQuarter}", quarters, _OF_ROLLUPS, quarter, start_of(day + DAY)),
            _part("service", "{metrics.UsageEvent}", events, measures_of_event(""), since, quarter),
        ]
    statement = " UNION ALL ".join(sql for sql, _ in parts)
    found = fetch(statement, [value for _, values in parts for value in values])
    return _by_service(found)


def _part(service: str, table: str, where: str, measures: dict[str, str], *values: Any) -> tuple[str, list[Any]]:
    sums = ", ".join(f"SUM({measures[name]})" for name in _MEASURES)
    sql = f"SELECT {service}, {sums} FROM {table} WHERE {where} GROUP BY {service}"
    return sql, list(values)


def _by_service(rows: Iterable[tuple[Any, ...]]) -> dict[str, LedgerSums]:
    sums: dict[str, LedgerSums] = {}
    for service, *values in rows:
        calls, cost, new, read, written, output, reasoning, unpriced = (int(value or 0) for value in values)
        before = sums.get(service, LedgerSums())
        amounts = Amounts(calls, cost, new + read + written, output + reasoning)
        sums[service] = LedgerSums(before.amounts + amounts, before.unpriced + unpriced)
    # Calls that were all taken back leave rows of zeros.
    return {service: found for service, found in sums.items() if found != LedgerSums()}


_DATES = """SELECT s.column1,
        (SELECT e.at FROM {{metrics.UsageEvent}} e WHERE e.service = s.column1 AND {stands} ORDER BY e.at LIMIT 1),
        (SELECT e.at FROM {{metrics.UsageEvent}} e WHERE e.service = s.column1 AND {stands} ORDER BY e.at DESC LIMIT 1)
    FROM (VALUES {values}) s
"""
_STANDS = f"""e.{COUNTED} AND e.corrects_id IS NULL
    AND NOT EXISTS (SELECT 1 FROM {{{{metrics.UsageEvent}}}} c WHERE c.corrects_id = e.id)"""


def _with_dates(totals: dict[str, Total]) -> dict[str, Total]:
    """Return the totals with the dates of the first and the last call in the ledger that was not taken back."""
    if not totals:
        return {}
    statement = _DATES.format(values=", ".join(["(%s)"] * len(totals)), stands=_STANDS.format())
    dates = {service: (first, last) for service, first, last in fetch(statement, list(totals))}
    return {
        service: replace(total, first=dates[service][0], last=dates[service][1]) for service, total in totals.items()
    }


def _imported_until(baselines: dict[str, _Baselines], since: int | None = None) -> dict[str, Amounts]:
    """Return what imported messages tell of calls that browsers counted too, by service; `since` is a time in ms, from
    which on they are dated."""
    quarters: list[Q] = []
    events: list[Q] = []
    for service, found in baselines.items():
        if not counts_anything(found.devices):
            continue
        last = find_end(found.devices)
        whole, broken = _cut(since or 0, None if last is None else last + 1)
        quarters += [Q(service=service, **_within("start", span)) for span in whole]
        events += [Q(service=service, **_within("at", span)) for span in broken]
    explained: dict[str, Amounts] = {}
    for model, conditions in ((UsageQuarter, quarters), (UsageEvent, events)):
        for some in batched(conditions, CONDITIONS_A_QUERY):
            rows = model.objects.filter(reduce(or_, some), source=UsageEvent.Source.IMPORT)
            for service, amounts in sum_by_service(rows).items():
                explained[service] = explained.get(service, NOTHING) + amounts
    return explained


Span = tuple[int, int | None]
"""From and until a time in ms, the last one not included; None: for ever."""


def _cut(first: int, end: int | None) -> tuple[list[Span], list[Span]]:
    """Return the whole quarter-hours of a span of time, and what is left of it at its ends."""
    begin = -(-first // QUARTER_MS) * QUARTER_MS
    if end is None:
        return [(begin, None)], [(first, begin)] if first < begin else []
    last = end - end % QUARTER_MS
    if last <= begin:
        return [], [(first, end)] if first < end else []
    return [(begin, last)], [span for span in ((first, begin), (last, end)) if span[0] < span[1]]


def _within(column: str, span: Span) -> dict[str, int]:
    first, end = span
    return {f"{column}__gte": first} | ({} if end is None else {f"{column}__lt": end})
