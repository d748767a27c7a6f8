"""Writing the log of the API's requests, off the request path and within its bounds."""

from typing import Any

from django.conf import settings
from django.db import transaction

from metrics.models import ApiRequest
from metrics.pruning import prune_log
from stores.background.batches import BatchWriter

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
    prune_log(ApiRequest, rows=settings.REQUEST_LOG_ROWS, days=settings.REQUEST_LOG_DAYS, at_once=PRUNED_AT_ONCE)


LOG: BatchWriter[Entry] = BatchWriter("log of requests", write_requests, capacity=CAPACITY)
