"""All models, services and assignments at once: merged into what is here, put in its place, deleted."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from llms.bigagi import APP_MODELS, STORE
from llms.services.changes import check
from stores.models import Change
from stores.records import editing
from stores.records.codecs import JSONObject
from stores.records.collections import Collection
from stores.records.errors import Conflict, Taken
from stores.records.iteration import batched
from stores.records.journal.lists import move, replace_damaged
from stores.records.journal.purge import record_deletion
from stores.records.journal.recorder import Entry, Origin, record_change
from stores.records.preconditions import ANY, Precondition

DELETE_BATCH = 50
"""Records that one transaction deletes."""

Parts = Mapping[str, dict[str, JSONObject]]
"""Records by their ids, in their order, by the member of `app-models` that holds them: sources, llms, …"""


def merge_llms(origin: Origin, parts: Parts, precondition: Precondition = ANY) -> Entry:
    """Add the records that are not here behind the others; give those that are here the members that came.

    Members that did not come stay: so a vendor's new values do not touch what the person set. Raises `Invalid`."""
    with record_change(origin, "merge models") as entry:
        locked = {key: _lock(key, list(incoming)) for key, incoming in parts.items()}
        check(precondition)
        for collection in _collections(parts):
            incoming, here = parts[collection.key], locked[collection.key]
            for uid, row in here.items():
                [stored] = collection.load([row])
                value = stored | editing.take_in(entry, incoming[uid], stored, uid)
                value = editing.guard_keys(entry, collection, stored, value, incoming[uid])
                editing.overwrite(entry, collection, row, stored, value)
            new = {uid: record for uid, record in incoming.items() if uid not in here}
            first = collection.first_position()
            _create_many(entry, collection, new, {uid: first + at for at, uid in enumerate(new)})
        _summarize(entry)
    return entry


def replace_llms(origin: Origin, parts: Parts, precondition: Precondition = ANY) -> Entry:
    """Make these the records that are here, in this order; others are deleted. Raises `Invalid`."""
    with record_change(origin, "replace models") as entry:
        locked = {key: _lock(key) for key in parts}
        check(precondition)
        for collection in _collections(parts):
            _replace_all(entry, collection, locked[collection.key], parts[collection.key])
        _summarize(entry)
    return entry


def delete_llms(
    origin: Origin, precondition: Precondition = ANY, *, confirmed: bool = False, purge: bool = False
) -> Change | None:
    """Delete all models, services and assignments. Raises `Conflict` without confirmation."""
    if not confirmed:
        detail = "This deletes every model, service and assignment. To confirm, add ?confirm=true."
        raise Conflict(detail, "not-confirmed")
    with record_change(origin, "delete models", STORE) as entry:
        check(precondition)
        for collection in APP_MODELS.collections:
            replace_damaged(entry, collection, [])
    whole = entry.change
    # Assignments first, as they name models, and models before their services.
    for collection in reversed(APP_MODELS.collections):
        for some in batched(list(collection.rows().values_list("pk", flat=True)), DELETE_BATCH):
            with record_deletion(origin, "delete models", STORE, into=whole, purge=purge) as entry:
                for row in collection.rows().filter(pk__in=some).select_for_update():
                    editing.delete(entry, collection, row)
            whole = entry.change or whole
    return whole


def _collections(parts: Parts) -> list[Collection]:
    return [collection for collection in APP_MODELS.collections if collection.key in parts]


def _lock(key: str, uids: list[str] | None = None) -> dict[str, Any]:
    """Return the rows with these ids, or all, by id, locked until the transaction ends."""
    [collection] = [each for each in APP_MODELS.collections if each.key == key]
    rows = collection.rows().select_for_update()
    return {row.uid: row for row in (rows if uids is None else rows.filter(uid__in=uids))}


def _replace_all(entry: Entry, collection: Collection, here: dict[str, Any], incoming: dict[str, JSONObject]) -> None:
    first = collection.first_position()
    for uid in [uid for uid in here if uid not in incoming]:
        editing.delete(entry, collection, here.pop(uid))
    new = {uid: record for uid, record in incoming.items() if uid not in here}
    if collection.shape == "map":
        places = dict.fromkeys(incoming, 0)
    else:
        # The places that those here have are given out anew: damaged members between them stay where they are.
        free = sorted(row.position for row in here.values())
        places = dict(zip(incoming, [*free, *range(first, first + len(new))], strict=True))
    for uid, row in here.items():
        editing.replace(entry, collection, row, incoming[uid])
    _create_many(entry, collection, new, places)
    if collection.shape == "list":
        move(entry, collection, {uid: places[uid] for uid in here})


def _create_many(entry: Entry, collection: Collection, new: dict[str, JSONObject], places: Mapping[str, int]) -> None:
    batch = []
    for uid, record in new.items():
        value = editing.take_in(entry, record, None, uid)
        batch.append((editing.to_rows(collection, value, uid), places[uid]))
    try:
        with transaction.atomic():
            collection.insert(batch)
    except IntegrityError as error:
        # On PostgreSQL another may have written the same ids meanwhile.
        raise Taken("One of these was created by another request in the meantime. Send yours again.") from error
    for rows, _ in batch:
        entry.created(collection.kind, rows.uid, rows.content_hash)


def _summarize(entry: Entry) -> None:
    entry.summary = f"{len(entry.records)} records"
