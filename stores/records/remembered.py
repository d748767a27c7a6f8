"""Secrets that a record's text had elsewhere or before, found again by their markers: a text that is moved inside its
record, or put back after it was taken out, comes as it was shown."""

from collections import defaultdict
from typing import Any

from stores.models import ChangedRecord
from stores.records.collections import Collection
from stores.records.jsontext import encode
from stores.records.marked import put_back
from stores.records.secrets import MARKER, holds_marker, may_hold_key, shown_as

CHANGES = 50
"""Number of the record's latest changes that are looked through."""


def put_back_moved(value: Any, collection: Collection, row: Any) -> Any:
    """Return what a client sent, sealed, with references of the row's record, as it is or was lately, in the places of
    the markers in its texts. What two of them show is nobody's, and a key is not taken for another place of its own.

    Records that lead to hosts get none: their keys stay where they are."""
    if collection.guards_keys or not holds_marker(value):
        return value
    [stored] = collection.load([row])
    changed = ChangedRecord.objects.filter(kind=collection.kind, uid=row.uid, body__isnull=False)
    bodies = changed.order_by("-id").values_list("body", flat=True)[:CHANGES]
    shown: dict[str, set[str]] = defaultdict(set)
    for text in (encode(stored), *bodies):
        for marker, reference in shown_as(text or ""):
            shown[marker].add(reference)
    # Of a short one the marker tells nothing.
    pairs = [(marker, found.pop()) for marker, found in shown.items() if marker != MARKER and len(found) == 1]
    return _fill(value, pairs) if pairs else value


def _fill(value: Any, pairs: list[tuple[str, str]], key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _fill(item, pairs, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, pairs, key) for item in value]
    if not isinstance(value, str) or MARKER not in value or may_hold_key(key):
        return value
    return put_back(value, pairs)
