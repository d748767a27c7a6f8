"""Days of the owner's time zone, and where they begin."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

DAY = timedelta(days=1)
EARLIEST, LATEST = date(1969, 12, 31), date(2099, 12, 30)
"""Days that clocks of every zone know, and that milliseconds from 1970 on can tell: west of Greenwich 1970 began on the
last day of 1969. Calls without a date have its first millisecond."""


def zone() -> ZoneInfo:
    """Return the owner's time zone."""
    return ZoneInfo(settings.OWNER_TIME_ZONE)


def start_of(day: date) -> int:
    """Return when the day begins, in ms since the epoch. A midnight that clocks leave out is the time of the leap."""
    return round(datetime(day.year, day.month, day.day, tzinfo=zone()).timestamp()) * 1000


def day_at(at: int) -> date:
    """Return the day of a time in ms."""
    return datetime.fromtimestamp(at // 1000, UTC).astimezone(zone()).date()


def today() -> date:
    """Return the current day."""
    return datetime.now(zone()).date()


def month_of(day: date) -> tuple[date, date]:
    """Return the first day of the day's month, and of the next."""
    first = day.replace(day=1)
    return first, (first + 31 * DAY).replace(day=1)
