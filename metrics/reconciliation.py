"""Compares big-AGI's counts with the ledger, by service.

A browser counts its calls per service (`app-metrics`), including those without a message. The ledger has the calls that
imported messages record, and those made here. All-time totals are the browser counts plus the calls
made here and the imported messages that are newer than the browser counts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db.models import Q, Sum
from django.db.models.functions import Coalesce

from metrics.baselines import others
from metrics.bigagi import BASELINES
from metrics.ledger.sums import QUARTER_MS
from metrics.models import UsageDayDetail, UsageEvent, UsageQuarter
from stores.models import ImportedRecord
from stores.records.dump import records_of
from stores.records.json_values import is_number
from stores.records.units import format_count, format_usd

NANO_A_DOLLAR = 10**9
LARGEST = 2**53
"""Counts from here on, and dollars from here on in nano-dollars, are damage."""

Source = UsageEvent.Source


@dataclass(frozen=True)
class Amounts:
    """Calls, what they cost, and their tokens; a difference of two can be negative. Unknown counts as 0."""

    calls: int = 0
    cost_nano_usd: int = 0
    input_tokens: int = 0
    """New, read from a cache, and written to one."""
    output_tokens: int = 0
    """With reasoning."""

    def __add__(self, other: "Amounts") -> "Amounts":
        return Amounts(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(Amounts)))

    def __sub__(self, other: "Amounts") -> "Amounts":
        return Amounts(*(getattr(self, one.name) - getattr(other, one.name) for one in fields(Amounts)))

    def at_least(self, other: "Amounts") -> "Amounts":
        """Return the larger one of each."""
        return Amounts(*(max(getattr(self, one.name), getattr(other, one.name)) for one in fields(Amounts)))


NOTHING = Amounts()


@dataclass(frozen=True)
class DeviceCount:
    """What one browser counted of a service."""

    device: str
    """As app-device names it; empty: not known."""
    is_newest: bool
    """Whether it is the one that was loaded last, which a dump gives."""
    counted: Amounts
    last_usage: int | None
    """Its last call, in ms since the epoch."""
    read_at: int | None = None
    """When its backup was made, in ms since the epoch: all calls until then were counted."""
    baseline: Any = None
    """What it counted, in big-AGI's JSON."""
    first_usage: int | None = None
    """Its first call, in ms since the epoch."""


@dataclass(frozen=True)
class ServiceReport:
    """The account of one service. `total` is `counted` with `own` and `later`."""

    service: str
    """Its id; empty: calls of which no service is known."""
    devices: tuple[DeviceCount, ...]
    counted: Amounts
    """By all browsers together."""
    explained: Amounts
    """What imported messages tell of that."""
    gap: Amounts
    """What was counted and left no message here."""
    later: Amounts
    """Imported messages that are newer than what was counted."""
    own: Amounts
    """Calls made here."""
    total: Amounts
    counted_until: int | None
    """Until when browsers counted, in ms since the epoch (`find_end`)."""
    tolerance_nano_usd: int
    """What the browsers' sums can be wrong by (`float_tolerance`)."""
    explanation: str
    alarms: tuple[str, ...]


def reconcile() -> list[ServiceReport]:
    """Return the report of every known service, by its id."""
    devices = read_devices()
    own = sum_by_service(UsageDayDetail.objects.filter(source__in=[Source.CHAT, Source.API]))
    imported = sum_by_service(UsageDayDetail.objects.filter(source=Source.IMPORT))
    return [
        _report(service, devices.get(service, ()), own.get(service, NOTHING), imported.get(service, NOTHING))
        for service in sorted(devices.keys() | own.keys() | imported.keys())
    ]


def _report(service: str, devices: tuple[DeviceCount, ...], own: Amounts, imported: Amounts) -> ServiceReport:
    until = find_end(devices)
    # Totals without any date are taken for those of all messages.
    later = imported if not counts_anything(devices) else NOTHING if until is None else _imported_after(service, until)
    return weigh(service, devices, own, imported - later, later)


# --- pure ------------------------------------------------------------------------------------------------------------


def weigh(
    service: str, devices: tuple[DeviceCount, ...], own: Amounts, explained: Amounts, later: Amounts
) -> ServiceReport:
    """Return the report of a service from its parts."""
    counted = sum((device.counted for device in devices), NOTHING)
    gap = counted - explained
    tolerance = sum(float_tolerance(device.counted) for device in devices)
    alarms = find_alarms(counted, explained, tolerance) if counts_anything(devices) else ()
    return ServiceReport(
        service=service,
        devices=devices,
        counted=counted,
        explained=explained,
        gap=gap,
        later=later,
        own=own,
        total=counted + own + later,
        counted_until=find_end(devices),
        tolerance_nano_usd=tolerance,
        explanation=explain(devices, gap, alarms),
        alarms=alarms,
    )


def find_alarms(counted: Amounts, explained: Amounts, tolerance: int) -> tuple[str, ...]:
    """Report where messages account for more than was counted, which should be impossible."""
    alarms = []
    if explained.calls > counted.calls:
        alarms.append(
            f"Messages account for {format_count(explained.calls, 'call')}, but big-AGI counted {counted.calls:,}: its "
            "counter was reset, or chats of another browser were imported without its totals. Import that browser's "
            "backup too."
        )
    if explained.cost_nano_usd > counted.cost_nano_usd + tolerance:
        alarms.append(
            f"Messages account for {format_usd(explained.cost_nano_usd)}, but big-AGI counted "
            f"{format_usd(counted.cost_nano_usd)}: its counter was reset, or chats of another browser were imported "
            "without its totals. Import that browser's backup too."
        )
    return tuple(alarms)


def explain(devices: tuple[DeviceCount, ...], gap: Amounts, alarms: tuple[str, ...]) -> str:
    """Explain the difference between the counts and what messages account for."""
    if not counts_anything(devices):
        return "No browser totals of this service were imported. Only the calls in the ledger are known."
    if alarms:
        return "Messages account for more than was counted."
    if gap == NOTHING:
        return "Messages account for every call that was counted."
    calls = format_count(gap.calls, "call")
    return (
        f"{calls} for {format_usd(gap.cost_nano_usd)} without a message here: deleted chats, regenerated or edited "
        "answers, automatic titles, Beam, and other calls outside chats."
    )


def float_tolerance(counted: Amounts) -> int:
    """Return the possible error of a browser's sum of costs, in nano-dollars.

    big-AGI turns each call's cents into dollars and adds them to a double. Both steps round, each time by at most half
    a unit in the last place, which is 2⁻⁵³ of the value, and no value on the way is above the last sum: n calls are
    wrong by at most 2 n 2⁻⁵³ of the sum. One nano-dollar more is for our own rounding of the sum.
    """
    wrong = Decimal(2 * max(counted.calls, 1)) * Decimal(counted.cost_nano_usd) / Decimal(2**53)
    return int(wrong) + 1


def find_end(devices: Iterable[DeviceCount]) -> int | None:
    """Return the end of the counted time, in ms since the epoch: the last call that any browser counted, or the
    making of a backup. A message can be dated after the last call, as one into which Beam merged others."""
    ends = [end for device in devices for end in (device.last_usage, device.read_at) if end is not None]
    return max(ends, default=None)


def counts_anything(devices: Iterable[DeviceCount]) -> bool:
    """Tell whether any browser counted calls of the service."""
    return any(device.counted != NOTHING or device.last_usage is not None for device in devices)


def amounts_of_baseline(baseline: Any) -> Amounts:
    """Return what a browser counted of a service, from big-AGI's JSON; what is damaged counts as nothing."""
    if not isinstance(baseline, Mapping):
        return NOTHING
    return Amounts(
        calls=_count(baseline.get("usageCount")),
        cost_nano_usd=nano_of_dollars(baseline.get("totalCosts")) or 0,
        input_tokens=_count(baseline.get("totalInputTokens")),
        output_tokens=_count(baseline.get("totalOutputTokens")),
    )


def nano_of_dollars(value: Any) -> int | None:
    """Return the nano-dollars of a JSON number of dollars, by its digits; None where it is none, or damaged."""
    if not is_number(value) or not 0 <= value < LARGEST / NANO_A_DOLLAR:
        return None
    return int((Decimal(repr(value)) * NANO_A_DOLLAR).to_integral_value(ROUND_HALF_UP))


def _count(value: Any) -> int:
    return int(value) if is_number(value) and 0 <= value < LARGEST else 0


# --- queries ---------------------------------------------------------------------------------------------------------


def read_devices() -> dict[str, tuple[DeviceCount, ...]]:
    """Return what each browser counted, by the service's id; the one that was loaded last comes first."""
    found: dict[str, list[DeviceCount]] = {}
    read_at = _read_times()
    for row, baseline in records_of(BASELINES):
        found[row.uid] = [describe_device(row.device, baseline, is_newest=True, read_at=read_at.get(row.uid))]
    for service, beside in others().items():
        found[service] += [describe_device(other.device, other.baseline, is_newest=False) for other in beside]
    return {service: tuple(devices) for service, devices in found.items()}


def _read_times() -> dict[str, int]:
    """Return when the backups were made that brought the totals here, in ms since the epoch, by service."""
    imported = ImportedRecord.objects.filter(kind=BASELINES.kind).exclude(run=None)
    times = {uid: _milliseconds(at) for uid, at in imported.values_list("uid", "run__source_taken_at")}
    return {uid: at for uid, at in times.items() if at is not None}


def _milliseconds(text: str) -> int | None:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)


def describe_device(name: str, baseline: Any, *, is_newest: bool, read_at: int | None = None) -> DeviceCount:
    """Return what one browser counted of a service, from big-AGI's JSON."""
    dates = baseline if isinstance(baseline, Mapping) else {}
    first, last = (_count(dates.get(name)) or None for name in ("firstUsageDate", "lastUsageDate"))
    return DeviceCount(name, is_newest, amounts_of_baseline(baseline), last, read_at, baseline, first)


_ADDED = {
    "sum_calls": Sum("calls"),
    "sum_cost": Sum(Coalesce("cost_nano_usd", 0)),
    "sum_input": Sum(
        Coalesce("input_tokens", 0) + Coalesce("cache_read_tokens", 0) + Coalesce("cache_write_tokens", 0)
    ),
    "sum_output": Sum(Coalesce("output_tokens", 0) + Coalesce("reasoning_tokens", 0)),
}


def sum_by_service(rows: Any) -> dict[str, Amounts]:
    """Return the sums of rollups or events by service."""
    sums = rows.order_by().values("service").annotate(**_ADDED).values_list("service", *_ADDED)
    return {service: Amounts(*(int(value or 0) for value in values)) for service, *values in sums}


def _imported_after(service: str, at: int) -> Amounts:
    """Return what imported messages tell of calls after this time. The quarter-hour in which it falls is read from the
    ledger, the rest from its sums."""
    next_quarter = at - at % QUARTER_MS + QUARTER_MS
    of_service = Q(service=service, source=Source.IMPORT)
    rest = sum_by_service(UsageQuarter.objects.filter(of_service, start__gte=next_quarter))
    cut = sum_by_service(UsageEvent.objects.filter(of_service, at__gt=at, at__lt=next_quarter))
    return rest.get(service, NOTHING) + cut.get(service, NOTHING)
