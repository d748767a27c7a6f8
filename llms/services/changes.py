"""What all changes in `app-models` have in common: one ETag, and an id that stays."""

from collections.abc import Callable, Iterable
from typing import Any

from llms.bigagi import ASSIGNMENTS, STORE
from llms.catalog import is_virtual
from llms.models import Assignment
from stores.records import editing
from stores.records.codecs import JSONObject
from stores.records.collections import Collection
from stores.records.errors import Conflict, at
from stores.records.journal.recorder import Entry, Origin, record_change
from stores.records.preconditions import ANY, Precondition, counter_of, etag_of
from stores.records.written import Written

Change = Callable[[Entry, Any], Any]
"""Writes a row, and returns the record as it is kept."""


def check(precondition: Precondition) -> None:
    """Raise `Stale` where the client saw an older `app-models`.

    Call it when the records are locked: all writers lock records before the counter, to prevent deadlocks.
    """
    precondition.check(etag_of(counter_of(STORE, for_update=True)))


def change_record(
    origin: Origin, action: str, collection: Collection, uid: str, change: Change, precondition: Precondition = ANY
) -> Written:
    """Change one record that is here. Raises `Missing` and `Invalid`."""
    with record_change(origin, action) as entry:
        row = editing.find_for_write(collection, uid)
        check(precondition)
        entry.summary = str(row)
        value = change(entry, row)
    return written(collection, uid, value, entry)


def written(collection: Collection, uid: str, value: Any, entry: Entry) -> Written:
    """Return what the service answers: the record, its row and the entry."""
    return Written(value, collection.find([uid])[uid], entry.change, entry.lost_keys, entry.dropped_keys)


def replace_with(collection: Collection, record: JSONObject) -> Change:
    """Return the change that makes a record what a client sent."""

    def change(entry: Entry, row: Any) -> Any:
        whole = {"id": row.uid} | record
        check_id(collection, whole, row.uid)
        return editing.replace(entry, collection, row, whole)

    return change


def merge_with(collection: Collection, patch: JSONObject) -> Change:
    """Return the change that merges a JSON Merge Patch into a record."""

    def change(entry: Entry, row: Any) -> Any:
        check_id(collection, {"id": row.uid} | patch, row.uid)
        return editing.patch(entry, collection, row, patch)

    return change


def check_not_virtual(uid: object) -> None:
    """Raise `Conflict` where the id is that of a service that comes with the program, or of one of its models."""
    if isinstance(uid, str) and is_virtual(uid):
        detail = f"{uid} comes with the program or from the environment, so it cannot be changed."
        raise Conflict(detail, "virtual-service")


def check_id(collection: Collection, record: JSONObject, uid: str) -> None:
    """Raise `Invalid` where the record has another id than it is kept under."""
    if record["id"] != uid:
        raise at("/id", f"The id of a {collection.kind} cannot be changed.")


def delete_assignments(entry: Entry, models: Iterable[str]) -> None:
    """Delete the assignments that name one of these models, as big-AGI does: their domains are automatic again."""
    for row in Assignment.objects.select_for_update().filter(model_uid__in=list(models)):
        editing.delete(entry, ASSIGNMENTS, row)
