"""Slow figures: calculated by a background thread, kept in the database, and shown with their age.

Opening the dashboard starts those that are due; no request waits for them.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, connection
from django.utils import timezone

from bigagi_site.dashboard.heavy import FINDERS
from bigagi_site.models import Statistic

logger = logging.getLogger(__name__)

SLOW_SHARE = 50
"""Slower figures are calculated less often, so that they use at most this fraction of the time."""

_lock = threading.Lock()
_thread: threading.Thread | None = None


@dataclass(frozen=True)
class FoundStatistic:
    """Figures and when they were found; None where they never were."""

    figures: Any = None
    at: datetime | None = None
    error: str = ""


def read_statistics() -> dict[str, FoundStatistic]:
    """Return the last figures of each kind, and ask for newer ones where they are due."""
    rows = {row.name: row for row in Statistic.objects.filter(name__in=list(FINDERS))}
    if any(_is_due(rows.get(name), finder.every) for name, finder in FINDERS.items()):
        find_in_background()
    return {
        name: FoundStatistic(row.figures, row.found_at, row.error) if (row := rows.get(name)) else FoundStatistic()
        for name in FINDERS
    }


def _is_due(row: Statistic | None, every: timedelta) -> bool:
    if row is None:
        return True
    return timezone.now() - row.found_at > max(every, timedelta(seconds=row.seconds * SLOW_SHARE))


def find_in_background() -> None:
    """Begin to find what is due, unless that is under way."""
    global _thread
    with _lock:
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_find_and_close, name="statistics", daemon=True)
            _thread.start()


def _find_and_close() -> None:
    try:
        find_due()
    except DatabaseError:
        # A restore or a shutdown can remove the database during the thread; the next view starts it again.
        logger.warning("Figures could not be stored.", exc_info=True)
    finally:
        connection.close()


def find_due() -> None:
    """Find all figures that are due, one after the other."""
    for name, finder in FINDERS.items():
        if _is_due(Statistic.objects.filter(name=name).first(), finder.every):
            find(name, finder.find)


def find(name: str, finder: Callable[[], Any]) -> None:
    """Find these figures and keep them; the last ones stay where that fails."""
    started = time.perf_counter()
    try:
        facts: dict[str, Any] = {"figures": finder(), "error": ""}
    except Exception as error:
        logger.exception("Figures of %s could not be calculated.", name)
        facts = {"error": str(error)[:500] or type(error).__name__}
    facts |= {"found_at": timezone.now(), "seconds": round(time.perf_counter() - started, 3)}
    Statistic.objects.update_or_create(name=name, defaults=facts, create_defaults={"figures": None} | facts)
