"""The totals that several browsers counted: the last one that was loaded, and the others beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from metrics.models import OtherBaseline, UsageBaseline
from stores import jsontext
from stores.models import ChangedRecord


@dataclass(frozen=True)
class Counted:
    """What one browser counted of one service, in big-AGI's JSON; `device` is empty where it is not known."""

    device: str
    baseline: Any

    def is_same_browser(self, other: "Counted") -> bool:
        """Tell whether both are by one browser. Where one of them is not known, that they began in the same
        millisecond tells it; where neither is, there is one unknown browser."""
        if self.device and other.device:
            return self.device == other.device or jsontext.same_quickly(self.baseline, other.baseline)
        if self.device == other.device:
            return True
        first = _number(self.baseline, "firstUsageDate")
        return first is not None and first == _number(other.baseline, "firstUsageDate")

    def is_newer(self, other: "Counted") -> bool:
        """Tell whether this was counted after the other, by the same browser."""
        return self._reached() > other._reached()

    def _reached(self) -> tuple[float, float]:
        return _number(self.baseline, "lastUsageDate") or 0, _number(self.baseline, "usageCount") or 0


def keep_other(service: str, counted: Counted) -> None:
    """Keep what a browser counted beside what the one loaded last did; of one browser, the newest."""
    kept = OtherBaseline.objects.filter(service=service, device=counted.device).first()
    if kept is None:
        OtherBaseline.objects.create(service=service, device=counted.device, data=counted.baseline)
    elif counted.is_newer(Counted(kept.device, kept.data)):
        kept.data = counted.baseline
        kept.save(update_fields=["data"])


def drop_other(service: str, counted: Counted) -> None:
    """Forget what this browser counted earlier: it is the one loaded last now."""
    for kept in OtherBaseline.objects.filter(service=service):
        if counted.is_same_browser(Counted(kept.device, kept.data)):
            kept.delete()


def others() -> dict[str, list[Counted]]:
    """Return what other browsers counted than those loaded last, by service. Where the totals of a service were
    deleted, those of its other browsers do not count either, until an undo brings them back."""
    found: dict[str, list[Counted]] = {}
    here = UsageBaseline.objects.values("uid")
    for other in OtherBaseline.objects.filter(service__in=here).order_by("service", "device"):
        found.setdefault(other.service, []).append(Counted(other.device, other.data))
    return found


def tidy_others() -> None:
    """Delete what other browsers counted of services whose totals were deleted for good."""
    orphans = OtherBaseline.objects.exclude(service__in=UsageBaseline.objects.values("uid"))
    kept = ChangedRecord.objects.filter(
        kind="baseline", action=ChangedRecord.Action.DELETED, body__isnull=False, uid__in=orphans.values("service")
    )
    orphans.exclude(service__in=list(kept.values_list("uid", flat=True))).delete()


def describe_devices() -> list[str]:
    """Say of which services the totals of several browsers are added up."""
    services = sorted(others())
    return [f"Totals of several browsers were added up for: {', '.join(services)}."] if services else []


def _number(baseline: Any, name: str) -> float | None:
    value = baseline.get(name) if isinstance(baseline, Mapping) else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
