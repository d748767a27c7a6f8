"""Logs changes at INFO: what was done by which request, but no ids, titles or content."""

import logging

import structlog

from stores.models import Change
from stores.records import registry

_root = logging.getLogger()


def tell_change(change: Change) -> None:
    """Log a stored change once for each app whose records it changed."""
    if not _root.isEnabledFor(logging.INFO):
        return
    for part in sorted({_part_of(store) for store in change.stores.split()} or {"stores"}):
        structlog.get_logger(part).info(
            "changed",
            change=change.pk,
            action=change.action,
            source=change.source,
            records=change.record_count,
            request_id=change.request_id,
        )


def _part_of(store: str) -> str:
    collections = registry.get(store).collections
    return collections[0].model._meta.app_label if collections else "stores"
