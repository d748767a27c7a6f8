"""Undoing a change, as long as no newer change touches the same records."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from django.db import transaction

from stores.models import Change, ChangedRecord
from stores.records import editing, jsontext, registry
from stores.records.collections import Collection
from stores.records.errors import Conflict, Missing
from stores.records.journal.delta import unpatch
from stores.records.journal.lists import (
    DAMAGED,
    POSITIONS,
    as_damaged,
    collection_of_list,
    move,
    read_damaged,
    read_positions,
    replace_damaged,
)
from stores.records.journal.recorder import Entry, Origin, record_change
from stores.records.opaque_stores import OPAQUE_STORES
from stores.records.sql import fetch, marks

KIND = "cannot-be-undone"
MOST_AT_ONCE = 100
"""Newer changes up to which a refusal names all that are to be undone first."""

_consequences: list[Callable[[Change, Change], bool]] = []


def register_consequence(take_back: Callable[[Change, Change], bool]) -> None:
    """Register a side effect of undo: it gets the change that is undone and the one that undoes it, and
    returns whether there was anything to undo."""
    _consequences.append(take_back)


def close_abandoned(change_id: int) -> None:
    """End what processes that are gone had begun in the records of the change. Call it before `undo`, outside of any
    transaction."""
    # An import is undone by its run, and can have any number of records.
    records = ChangedRecord.objects.filter(change=change_id).exclude(change__source=Change.Source.IMPORT)
    uids: dict[str, list[str]] = defaultdict(list)
    for kind, uid in records.values_list("kind", "uid"):
        uids[kind].append(uid)
    for kind, some in uids.items():
        registry.close_abandoned(kind, some)


def undo(origin: Origin, change_id: int) -> Change | None:
    """Undo the change; return the new entry, which is a change itself.

    Raises `Missing`, and `Conflict` with the reason if a newer change touches a record, or the data for undo was
    deleted. Then nothing is changed.
    """
    change = Change.objects.filter(pk=change_id).first()
    if change is None:
        raise Missing(f"There is no change {change_id}.")
    if change.source == Change.Source.IMPORT:
        raise Conflict(tell_run(change), KIND, {"run": change.run_id})
    if change.is_purged:
        raise Conflict("This change cannot be undone: the data it needs was permanently deleted.", KIND)
    has_records = change.record_count > 0
    with transaction.atomic():
        with record_change(
            origin, f"undo {change.action}"[:60], change.summary, undoes=change, is_kept=not has_records
        ) as entry:
            for record in change.records.order_by("-id"):
                _UNDO.get(record.kind, _undo_record)(entry, record)
            if entry.dropped_keys:
                entry.summary = f"{entry.summary}. {editing.tell_dropped(entry.dropped_keys)}"
        if entry.change is not None:
            took_back = [take_back(change, entry.change) for take_back in _consequences]
            if not has_records and not any(took_back):
                raise Conflict("This change has already been undone.", KIND)
    return entry.change


def tell_run(change: Change) -> str:
    """Say how the entry of an import is undone."""
    if change.run_id is None:
        return "The run of this import is no longer known, so it cannot be undone. Restore the backup made before it."
    return (
        f"An import is undone as a whole: undo run {change.run_id} (in the admin under Imports, with "
        f"manage.py undo_migration {change.run_id}, or POST /api/migrations/{change.run_id}/undo)."
    )


def _undo_record(entry: Entry, record: ChangedRecord) -> None:
    collection = collection_of(record.kind)
    row = collection.find_for_write(record.uid)
    if row is not None:
        # A request that waited for another write can still undo, unless that write touched the same records.
        collection.check_free(row)
    if row is not None and record.action == ChangedRecord.Action.UPDATED:
        [stored] = collection.load([row])
        left = _left_by(record, collection, row, stored)
        before = collection.files.unjournaled(_unpatched(record, left, read_body(record)))
        value = editing.guard_keys(entry, collection, stored, collection.settle(stored, before), {})
        editing.overwrite(entry, collection, row, stored, value)
        return
    _check(record, "" if row is None else row.content_hash)
    if record.action == ChangedRecord.Action.CREATED:
        editing.delete(entry, collection, row)
        return
    rows = editing.to_rows(collection, collection.files.unjournaled(read_body(record)), record.uid)
    editing.insert(entry, collection, rows, free_position(collection, record.position or 0))


def _left_by(record: ChangedRecord, collection: Collection, row: Any, stored: Any) -> Any:
    """Return the record as the change left it, as the journal writes it. Raises `Conflict` if it is no longer so."""
    left = collection.files.journaled(stored)
    if row.content_hash == record.hash_after:
        return left
    # What came later can have been undone, up to what `settle` changed.
    newer = ChangedRecord.objects.filter(kind=record.kind, uid=record.uid, change__gt=record.change_id)
    later = list(newer.select_related("change").order_by("-change_id"))
    undone = {each.change.undoes_id for each in later} - {None}
    is_back = all(each.change_id in undone or each.change.undoes_id for each in later)
    if is_back and all(each.action == ChangedRecord.Action.UPDATED and each.body is not None for each in later):
        for each in later:
            left = _unpatched(each, left, read_body(each))
        if collection.is_same(collection.settle(stored, collection.files.unjournaled(left)), stored):
            return left
    raise _changed_later(record)


def _undo_positions(entry: Entry, record: ChangedRecord) -> None:
    collection = collection_of_list(record.uid)
    delta = read_body(record)
    uids = [path[0] for path, *_ in delta]
    now = read_positions(collection, uids)
    _check(record, jsontext.content_hash(now))
    move(entry, collection, _unpatched(record, now, delta))


def _undo_damaged(entry: Entry, record: ChangedRecord) -> None:
    collection = collection_of_list(record.uid)
    now = read_damaged(collection)
    _check(record, jsontext.content_hash(now))
    before = _unpatched(record, now, read_body(record))
    replace_damaged(entry, collection, as_damaged(collection, before))


_UNDO = {POSITIONS: _undo_positions, DAMAGED: _undo_damaged}


def collection_of(kind: str) -> Collection:
    """Return the collection that keeps records of this kind. Raises KeyError."""
    return OPAQUE_STORES if kind == "store" else registry.collection_of(kind)


def read_body(record: ChangedRecord) -> Any:
    """Return the JSON of what undo needs of the record."""
    return jsontext.decode(record.body or "null", jsontext.OWN_DEPTH)


def free_position(collection: Collection, position: int) -> int:
    """Return this position of a list, or the nearest one that no newer record has taken: ties would have no order."""
    if collection.shape == "map" or not collection.rows().filter(position=position).exists():
        return position
    taken = set(collection.rows().values_list("position", flat=True))
    return next(at for step in count(1) for at in (position - step, position + step) if at not in taken)


def _check(record: ChangedRecord, content_hash: str) -> None:
    if content_hash != record.hash_after:
        raise _changed_later(record)


def _changed_later(record: ChangedRecord) -> Conflict:
    newer = _find_newest(_find_standing([record.change_id], record))
    by = f" by change {newer.pk} ({newer.action})" if newer else " since"
    first = _find_standing_on(record.change_id)
    if any(change.source == Change.Source.IMPORT or change.is_purged for change in first):
        first = []
    facts = {"newer": _describe(newer) if newer else None, "undo_first": [_describe(change) for change in first]}
    return Conflict(f"The {record.kind} {record.uid} was changed later{by}. Undo that change first.", KIND, facts)


def _describe(change: Change) -> dict[str, Any]:
    at = change.at.isoformat().replace("+00:00", "Z")
    return {"id": change.pk, "at": at, "action": change.action, "summary": change.summary}


def _find_newest(pks: set[int]) -> Change | None:
    return Change.objects.get(pk=max(pks)) if pks else None


def _find_standing_on(change_id: int) -> list[Change]:
    """Return all that stands on the change, the newest first: later changes of its records, and those of theirs; none
    where they are more than can be undone at once."""
    found: set[int] = set()
    new = {change_id}
    while new:
        new = {pk for pk in _find_standing(sorted(new)) if pk > change_id} - found
        found |= new
        if len(found) > MOST_AT_ONCE:
            return []
    return list(Change.objects.filter(pk__in=found).order_by("-pk"))


def _find_standing(changes: Sequence[int], only: ChangedRecord | None = None) -> set[int]:
    """Return the later changes of these changes' records, or of one of them, that still stand: of one that was undone,
    neither it nor the undo does. With an undo that stands comes what it undoes, which stands again without it."""
    statement = f"""SELECT record.id, record.change_id, later.change_id, change.undoes_id
        FROM {{stores.ChangedRecord}} AS record
        JOIN {{stores.ChangedRecord}} AS later
            ON later.kind = record.kind AND later.uid = record.uid AND later.change_id > record.change_id
        JOIN {{stores.Change}} AS change ON change.id = later.change_id
        WHERE record.change_id IN ({marks(changes)}) {"AND record.id = %s" if only else ""}
        ORDER BY later.change_id DESC"""
    standing: set[int] = set()
    undone: dict[int, set[int]] = defaultdict(set)
    for record, change, later, undoes in fetch(statement, [*changes, *([only.pk] if only else [])]):
        if later in undone[record]:
            continue
        if undoes is None or undoes <= change:
            standing |= {later} if undoes is None else {later, undoes}
        else:
            undone[record].add(undoes)
    return standing


def _unpatched(record: ChangedRecord, value: Any, delta: Any) -> Any:
    try:
        return unpatch(value, delta)
    except ValueError as error:
        raise Conflict(f"The {record.kind} {record.uid} is no longer as this change left it: {error}.", KIND) from error
