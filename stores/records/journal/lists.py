"""The part of a list that is in none of its records: the positions of the records, and damaged items between them.

A change in it is a record of the journal too, of kind `positions` or `damaged`; its id is the store's name and the
list's key, as `app-folders/folders`.
"""

from typing import Any

from stores.models import Quarantine
from stores.records import jsontext, registry
from stores.records.codecs import Damaged
from stores.records.collections import Collection
from stores.records.journal.delta import diff
from stores.records.journal.recorder import Entry
from stores.records.quarantine import quarantined_members, save_quarantine

POSITIONS, DAMAGED = "positions", "damaged"


def list_id(collection: Collection) -> str:
    """Return the id of the collection's list in the journal."""
    return f"{collection.store}/{collection.key}"


def collection_of_list(uid: str) -> Collection:
    """Return the collection of a list's id. Raises KeyError."""
    return {list_id(collection): collection for collection in registry.all_collections()}[uid]


# --- positions -------------------------------------------------------------------------------------------------------


def read_positions(collection: Collection, uids: list[str]) -> dict[str, int]:
    """Return the positions of these records, by id."""
    return dict(_rows(collection, uids).values_list("uid", "position"))


def move(entry: Entry, collection: Collection, positions: dict[str, int]) -> None:
    """Move records to other positions; records already there are left alone."""
    before = read_positions(collection, list(positions))
    moved = {uid: at for uid, at in positions.items() if before[uid] != at}
    if not moved:
        return
    was = {uid: before[uid] for uid in moved}
    write_positions(collection, moved)
    hashes = jsontext.content_hash(was), jsontext.content_hash(moved)
    entry.updated(POSITIONS, list_id(collection), *hashes, diff(was, moved))


def write_positions(collection: Collection, positions: dict[str, int]) -> None:
    """Put records at these positions."""
    rows = {row.uid: row for row in _rows(collection, list(positions))}
    for uid, at in positions.items():
        rows[uid].position = at
    # Not by `_rows`: what it leaves out would not be written.
    table: Any = collection.model._default_manager
    table.bulk_update(rows.values(), ["position"], batch_size=500)


def _rows(collection: Collection, uids: list[str]) -> Any:
    # Which model it is, and so that it has positions, is known to the collection alone.
    return collection.model._default_manager.filter(uid__in=uids)


# --- damaged members -------------------------------------------------------------------------------------------------


def read_damaged(collection: Collection) -> list[Any]:
    """Return the damaged items of the list that can be written in its JSON, as plain values."""
    names = ("position", "kind", "uid", "place", "reason", "raw")
    members = quarantined_members(collection.store, collection.key, None)
    return [{name: getattr(member, name) for name in names} for member in members]


def replace_damaged(entry: Entry, collection: Collection, members: list[Damaged]) -> None:
    """Make these the damaged members of the list."""
    before = read_damaged(collection)
    new = {(member.position, member.raw) for member in members}
    if {(member["position"], member["raw"]) for member in before} == new:
        return
    write_damaged(collection, members)
    after = read_damaged(collection)
    hashes = jsontext.content_hash(before), jsontext.content_hash(after)
    entry.updated(DAMAGED, list_id(collection), *hashes, diff(before, after))


def write_damaged(collection: Collection, members: list[Damaged]) -> None:
    Quarantine.objects.filter(store=collection.store, collection=collection.key, owner=None, is_json=True).delete()
    save_quarantine(collection.store, members, None)


def as_damaged(collection: Collection, plain: list[Any]) -> list[Damaged]:
    """Return the members that `read_damaged` made plain."""
    return [Damaged(collection.key, **member) for member in plain]
