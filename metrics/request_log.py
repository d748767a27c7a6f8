"""Writing the log of the API's requests, off the request path and within its bounds."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from metrics.models import ApiRequest
from stores.batches import BatchWriter

CAPACITY = 10_000
"""Entries that can wait to be written; beyond, they are lost and counted."""

PRUNED_AT_ONCE = 2_000
"""Rows deleted after each batch at most, so that the transaction stays short."""


Entry = dict[str, Any]
"""The columns of a row: to make the row itself takes longer than a request should wait."""


def write_requests(entries: list[Entry]) -> None:
    """Write the entries, and delete as many of the oldest as are beyond the bounds."""
    with transaction.atomic():
        ApiRequest.objects.bulk_create([ApiRequest(**entry) for entry in entries])
    prune_requests()


def prune_requests() -> None:
    """Delete the oldest rows beyond REQUEST_LOG_ROWS and REQUEST_LOG_DAYS, at most `PRUNED_AT_ONCE` of each."""
    newest = ApiRequest.objects.aggregate(newest=Max("pk"))["newest"] or 0
    oldest_time = timezone.now() - timedelta(days=settings.REQUEST_LOG_DAYS)
    # Keys have no gaps but those of what was pruned or rolled back, so that no row has to be counted.
    for beyond in (
        ApiRequest.objects.filter(pk__lte=newest - settings.REQUEST_LOG_ROWS).order_by("pk"),
        ApiRequest.objects.filter(at__lt=oldest_time).order_by("at"),
    ):
        if keys := list(beyond.values_list("pk", flat=True)[:PRUNED_AT_ONCE]):
            ApiRequest.objects.filter(pk__in=keys).delete()


LOG: BatchWriter[Entry] = BatchWriter("log of requests", write_requests, capacity=CAPACITY)
