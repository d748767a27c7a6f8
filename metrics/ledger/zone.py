"""The owner's time zone as a table, from which the database finds the day of a call."""

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from metrics.days import DAY
from metrics.models import ZoneOffset

FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def save_zone() -> bool:
    """Write the table of the configured zone unless it is there; return whether it was another one, or none."""
    if is_current():
        return False
    rows = [ZoneOffset(starts=starts, offset_ms=offset, zone=zone) for starts, offset, zone in _expected()]
    with transaction.atomic():
        ZoneOffset.objects.all().delete()
        ZoneOffset.objects.bulk_create(rows)
    return True


def is_current() -> bool:
    """Tell whether the table is that of the configured zone, as its clocks are known today: rules change."""
    return list(ZoneOffset.objects.order_by("starts").values_list("starts", "offset_ms", "zone")) == _expected()


def _expected() -> list[tuple[int, int, str]]:
    name = settings.OWNER_TIME_ZONE
    return [(starts, offset, name) for starts, offset in find_offsets(name)]


@cache
def find_offsets(name: str) -> list[tuple[int, int]]:
    """Return when the zone's offset from UTC changes and what it is then, both in ms, from 1970 to 2100."""
    zone = ZoneInfo(name)
    before = _offset(zone, FIRST)
    offsets = [(0, before)]
    day = FIRST
    while day < LAST:
        next_day = day + DAY
        after = _offset(zone, next_day)
        if after != before:
            change = _find_change(zone, day, next_day)
            offsets.append((round(change.timestamp()) * 1000, _offset(zone, change)))
        day, before = next_day, after
    return offsets


def _find_change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """Return the first second of the offset that holds at `after`; at `before` there is another."""
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        before, after = (middle, after) if _offset(zone, middle) == _offset(zone, before) else (before, middle)
    return after


def _offset(zone: ZoneInfo, at: datetime) -> int:
    offset = zone.utcoffset(at.astimezone(zone))
    return 0 if offset is None else round(offset.total_seconds()) * 1000
