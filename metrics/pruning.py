"""Keeping a log within its bounds, in small steps after each written batch."""

from datetime import timedelta

from django.db.models import Max
from django.utils import timezone

from metrics.models import ApiRequest, LogEntry


def prune_log(log: type[ApiRequest] | type[LogEntry], *, rows: int, days: int, at_once: int) -> None:
    """Delete the oldest rows beyond so many rows and days, at most `at_once` of each: the transaction stays short."""
    newest = log._default_manager.aggregate(newest=Max("pk"))["newest"] or 0
    oldest_time = timezone.now() - timedelta(days=days)
    # Keys have no gaps but those of what was pruned or rolled back, so that no row has to be counted.
    for beyond in (
        log._default_manager.filter(pk__lte=newest - rows).order_by("pk"),
        log._default_manager.filter(at__lt=oldest_time).order_by("at"),
    ):
        if keys := list(beyond.values_list("pk", flat=True)[:at_once]):
            log._default_manager.filter(pk__in=keys).delete()
