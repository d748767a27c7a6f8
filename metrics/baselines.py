"""The totals of several browsers: the one imported last, and the others."""

from dataclasses import dataclass
from typing import Any

from metrics.models import OtherBaseline, UsageBaseline
from stores.models import ChangedRecord
from stores.records import jsontext
from stores.records.json_values import number_in


@dataclass(frozen=True)
class Counted:
    """What one browser counted of one service, in big-AGI's JSON; `device` is empty where it is not known."""

    device: str
    baseline: Any

    def is_same_browser(self, other: "Counted") -> bool:
        """Tell whether both are from one browser. If one of them is unknown, an equal first call in
        milliseconds decides; if both are unknown, they count as the same unknown browser."""
        if self.device and other.device:
            return self.device == other.device or jsontext.same_quickly(self.baseline, other.baseline)
        if self.device == other.device:
            return True
        first = number_in(self.baseline, "firstUsageDate")
        return first is not None and first == number_in(other.baseline, "firstUsageDate")

    def is_newer(self, other: "Counted") -> bool:
        """Tell whether this count is later than the other, by the same browser."""
        return self._reached() > other._reached()

    def _reached(self) -> tuple[float, float]:
        return number_in(self.baseline, "lastUsageDate") or 0, number_in(self.baseline, "usageCount") or 0


def keep_other(service: str, counted: Counted) -> None:
    """Keep the count of a browser other than the one imported last; only the newest of each browser."""
    kept = OtherBaseline.objects.filter(service=service, device=counted.device).first()
    if kept is None:
        OtherBaseline.objects.create(service=service, device=counted.device, data=counted.baseline)
    elif counted.is_newer(Counted(kept.device, kept.data)):
        kept.data = counted.baseline
        kept.save(update_fields=["data"])


def drop_other(service: str, counted: Counted) -> None:
    """Delete the earlier count of this browser: it is now the one imported last."""
    for kept in OtherBaseline.objects.filter(service=service):
        if counted.is_same_browser(Counted(kept.device, kept.data)):
            kept.delete()


def kept_others(service: str) -> list[list[Any]]:
    """Return the counts of a service by browsers other than the one imported last, each as device and JSON."""
    kept = OtherBaseline.objects.filter(service=service).order_by("device")
    return [[other.device, other.data] for other in kept]


def replace_others(service: str, counts: list[list[Any]]) -> None:
    """Make these the counts of a service by other browsers."""
    OtherBaseline.objects.filter(service=service).delete()
    OtherBaseline.objects.bulk_create(
        OtherBaseline(service=service, device=device, data=data) for device, data in counts
    )


def others() -> dict[str, list[Counted]]:
    """Return the counts of browsers other than the one imported last, by service. If the totals of a service were
    deleted, the counts of its other browsers are ignored too, until an undo restores them."""
    found: dict[str, list[Counted]] = {}
    here = UsageBaseline.objects.values("uid")
    for other in OtherBaseline.objects.filter(service__in=here).order_by("service", "device"):
        found.setdefault(other.service, []).append(Counted(other.device, other.data))
    return found


def tidy_others() -> None:
    """Delete the counts of other browsers for services whose totals were permanently deleted."""
    orphans = OtherBaseline.objects.exclude(service__in=UsageBaseline.objects.values("uid"))
    kept = ChangedRecord.objects.filter(
        kind="baseline", action=ChangedRecord.Action.DELETED, body__isnull=False, uid__in=orphans.values("service")
    )
    orphans.exclude(service__in=list(kept.values_list("uid", flat=True))).delete()


def describe_devices() -> list[str]:
    """Name the services whose totals of several browsers are added up."""
    services = sorted(others())
    return [f"Totals of several browsers were added up for: {', '.join(services)}."] if services else []
