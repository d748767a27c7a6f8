"""Totals: of all time, and since the last reset.

A service's total is the browser counts plus the calls in the ledger that these do not include
(`metrics.reconciliation`). Days of the rollups are added up, and for the day of the reset its quarter-hours
and events, so that the query time does not grow with the ledger.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
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
from stores.models import Change
from stores.records.iteration import batched
from stores.records.journal.recorder import Origin, record_change
from stores.records.sql import fetch, insert_one

NOTHING = Amounts()

CONDITIONS_A_QUERY = 200
"""SQLite takes expressions of a depth of 1,000."""


Span = tuple[int, int | None]
"""From and until a time in ms, the last one not included; None: for ever."""


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
    """Usage by service id: of all time, and since the last reset, if there was one."""

    all_time: dict[str, Total]
    start: CountingStart | None
    since: dict[str, Total] | None


# --- what browsers counted -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Baselines:
    """What browsers counted of a service."""

    service: str
    devices: tuple[DeviceCount, ...] = ()

    @property
    def counted(self) -> Amounts:
        return sum((device.counted for device in self.devices), NOTHING)

    @property
    def end(self) -> int | None:
        """The first millisecond that they did not count; None if unknown."""
        last = find_end(self.devices)
        return None if last is None else last + 1

    def describe(self) -> dict[str, Any]:
        """Return it as JSON, the form stored at a reset."""
        return {
            "until": find_end(self.devices),
            "devices": [
                {"device": device.device, "first": device.first_usage, "counted": asdict(device.counted)}
                for device in self.devices
            ],
        }

    def grown_since(self, start: CountingStart) -> Amounts:
        """Return what was counted beyond the counts known then; never negative, for example after an import was undone.

        The count of a browser that was unknown then counts fully if it began later. Otherwise it is unknown how
        much of it is later."""
        known = start.baselines.get(self.service, {}).get("devices", [])
        return sum((_growth(device, known, start.at) for device in self.devices), NOTHING)


def _growth(device: DeviceCount, known: list[dict[str, Any]], at: int) -> Amounts:
    # Two that are named are one browser only by their name: a restored backup has another's first call.
    same = [before for before in known if before["device"] == device.device] or [
        before
        for before in known
        if not (before["device"] and device.device) and before["first"] == device.first_usage is not None
    ]
    if same:
        return (device.counted - Amounts(**same[0]["counted"])).at_least(NOTHING)
    is_later = device.first_usage is not None and device.first_usage >= at
    return device.counted if is_later else NOTHING


def _counted_spans(baselines: dict[str, _Baselines], since: int = 0) -> dict[str, Span]:
    """Return the time that browsers counted, by service, from `since` on."""
    return {service: (since, found.end) for service, found in baselines.items() if counts_anything(found.devices)}


def _spans_before(start: CountingStart, baselines: dict[str, _Baselines]) -> dict[str, Span]:
    """Return the time before the start that browsers have counted, but had not by then, by service."""
    spans: dict[str, Span] = {}
    for service, (_, end) in _counted_spans(baselines).items():
        known = start.baselines.get(service, {}).get("until")
        if known is not None:
            spans[service] = known + 1, start.at if end is None else min(start.at, end)
    return spans


def _read_baselines() -> dict[str, _Baselines]:
    return {service: _Baselines(service, found) for service, found in read_devices().items()}


def _of_services(baselines: dict[str, _Baselines], ledger: dict[str, LedgerSums]) -> Iterator[tuple[str, _Baselines]]:
    for service in sorted(baselines.keys() | ledger.keys()):
        yield service, baselines.get(service, _Baselines(service))


def _total(found: _Baselines, counted: Amounts, ledger: LedgerSums, explained: Amounts) -> Total:
    """Return a total of what browsers counted and of what the ledger has beside what these messages explain of it."""
    added = ledger.amounts - explained
    baselines = tuple(device.baseline for device in found.devices)
    return Total(counted + added, added, ledger.unpriced, found.devices, baselines)


# --- totals ----------------------------------------------------------------------------------------------------------


def read_totals() -> Totals:
    """Return the totals of every service of which anything is known."""
    baselines = _read_baselines()
    start = CountingStart.objects.filter(taken_back_by="").first()
    ledger = read_ledger()
    explained = _imported(_counted_spans(baselines))
    all_time = {
        service: _total(found, found.counted, ledger.get(service, LedgerSums()), explained.get(service, NOTHING))
        for service, found in _of_services(baselines, ledger)
    }
    return Totals(_with_dates(all_time), start, None if start is None else _read_since(start, baselines, all_time))


def _read_since(start: CountingStart, baselines: dict[str, _Baselines], services: Iterable[str]) -> dict[str, Total]:
    """Return what was used since then. What browsers counted has no dates: of each it is what it counted more than by
    then, less those calls in it that their messages date earlier, and at least what messages tell of. Until when a
    service was counted then is known of its browsers together: of one that was known less far, earlier calls count."""
    ledger = read_ledger(start.at)
    explained = _imported(_counted_spans(baselines, start.at))
    earlier = _imported(_spans_before(start, baselines))
    totals = {}
    for service in services:
        found, reported = baselines.get(service, _Baselines(service)), explained.get(service, NOTHING)
        grown = found.grown_since(start) - earlier.get(service, NOTHING)
        totals[service] = _total(found, grown.at_least(reported), ledger.get(service, LedgerSums()), reported)
    return totals


def start_counting(origin: Origin, at: int | None = None) -> tuple[CountingStart, Change]:
    """Reset the count, from now or from a time in ms; return that time and the journal entry."""
    now = round(time.time() * 1000)
    counted = {service: found.describe() for service, found in _read_baselines().items()}
    with transaction.atomic():
        with record_change(origin, "reset count", is_kept=True) as entry:
            pass
        assert entry.change is not None
        start = CountingStart(
            at=now if at is None else at, baselines=counted, made_at=now, change=str(entry.change.pk), taken_back_by=""
        )
        insert_one(start)
    return start, entry.change


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
    # Calls that were all reversed leave rows of zeros.
    return {service: found for service, found in sums.items() if found != LedgerSums()}


_DATES = """SELECT s.column1,
        (SELECT e.at FROM {{metrics.UsageEvent}} e WHERE e.service = s.column1 AND {stands} ORDER BY e.at LIMIT 1),
        (SELECT e.at FROM {{metrics.UsageEvent}} e WHERE e.service = s.column1 AND {stands} ORDER BY e.at DESC LIMIT 1)
    FROM (VALUES {values}) s
"""
_STANDS = f"""e.{COUNTED} AND e.calls > 0
    AND NOT EXISTS (SELECT 1 FROM {{{{metrics.UsageEvent}}}} c WHERE c.corrects_id = e.id)"""


def _with_dates(totals: dict[str, Total]) -> dict[str, Total]:
    """Return the totals with the dates of the first and the last call in the ledger that was not reversed."""
    if not totals:
        return {}
    statement = _DATES.format(values=", ".join(["(%s)"] * len(totals)), stands=_STANDS.format())
    dates = {service: (first, last) for service, first, last in fetch(statement, list(totals))}
    return {
        service: replace(total, first=dates[service][0], last=dates[service][1]) for service, total in totals.items()
    }


def _imported(spans: Mapping[str, Span]) -> dict[str, Amounts]:
    """Return what imported messages tell of calls, by service, each in a span of time."""
    quarters: list[Q] = []
    events: list[Q] = []
    for service, span in spans.items():
        whole, broken = _cut(*span)
        quarters += [Q(service=service, **_within("start", part)) for part in whole]
        events += [Q(service=service, **_within("at", part)) for part in broken]
    explained: dict[str, Amounts] = {}
    for model, conditions in ((UsageQuarter, quarters), (UsageEvent, events)):
        for some in batched(conditions, CONDITIONS_A_QUERY):
            rows = model.objects.filter(reduce(or_, some), source=UsageEvent.Source.IMPORT)
            for service, amounts in sum_by_service(rows).items():
                explained[service] = explained.get(service, NOTHING) + amounts
    return explained


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
