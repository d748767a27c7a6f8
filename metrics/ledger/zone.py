"""The owner's time zone, as a table by which the database itself finds the day of a call."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from metrics.models import ZoneOffset

FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def save_zone() -> bool:
    """Write the table of the configured zone unless it is there; return whether it was another one, or none."""
    if is_current():
        return False
    rows = [
        ZoneOffset(starts=starts, offset_ms=offset, zone=settings.OWNER_TIME_ZONE)
        for starts, offset in find_offsets(ZoneInfo(settings.OWNER_TIME_ZONE))
    ]
    with transaction.atomic():
        ZoneOffset.objects.all().delete()
        ZoneOffset.objects.bulk_create(rows)
    return True


def is_current() -> bool:
    """Tell whether the table is that of the configured zone."""
    return list(ZoneOffset.objects.values_list("zone", flat=True).distinct()) == [settings.OWNER_TIME_ZONE]


def find_offsets(zone: ZoneInfo) -> list[tuple[int, int]]:
    """Return when the zone's offset from UTC changes and what it is then, both in ms, from 1970 to 2100."""
    offsets = [(0, _offset(zone, FIRST))]
    day = FIRST
    while day < LAST:
        next_day = day + timedelta(days=1)
        if _offset(zone, day) != _offset(zone, next_day):
            change = _find_change(zone, day, next_day)
            offsets.append((round(change.timestamp()) * 1000, _offset(zone, change)))
        day = next_day
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
