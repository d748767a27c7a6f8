"""The order in which a person put records, taken over from the newest file."""

from collections.abc import Sequence

from stores.importers.decision import base_of
from stores.importers.file_facts import Source, Strategy
from stores.importers.outcomes import note_imported_before
from stores.importers.remembered import before_text
from stores.models import Change, ChangedRecord, ImportedRecord, MigrationRun
from stores.records import jsontext
from stores.records.collections import Collection
from stores.records.journal.lists import POSITIONS, list_id, move
from stores.records.journal.recorder import Entry

PLACE = "place"
"""The member of a base that says in which place a record stood in the newest file that had it: the file's time in ms,
with a minus for the newest to be first, and the place."""


def take_order(
    entry: Entry, collection: Collection, uids: Sequence[str], source: Source, run: MigrationRun | None
) -> None:
    """Put the records in the order of the newest files that have them, unless a person changed it here; `uids` are
    those of this file in its order. What no file brought stays in its place."""
    if source.strategy == Strategy.OURS:
        return
    imported = {one.uid: one for one in ImportedRecord.objects.filter(kind=collection.kind)}
    bases = {uid: base for uid, one in imported.items() if isinstance(base := base_of(one), dict)}
    places = {uid: (*base[PLACE],) for uid, base in bases.items() if PLACE in base}
    here = list(collection.rows().values_list(collection.uid_column, "position"))
    known = [uid for uid, _ in here if uid in places]
    is_changed_here = known != sorted(known, key=lambda uid: places[uid]) or not known and _was_moved(collection)
    at, placed, before = -source.told(None).taken_at, [], {}
    for place, uid in enumerate(uids):
        if uid in bases and (uid not in places or (at, place) != places[uid] and at <= places[uid][0]):
            places[uid] = at, place
            before[uid] = before_text(imported[uid])
            imported[uid].base = jsontext.encode(bases[uid] | {PLACE: [at, place]})
            placed.append(imported[uid])
    note_imported_before(run, collection.kind, before)
    ImportedRecord.objects.bulk_update(placed, ["base"])
    if not is_changed_here or source.strategy == Strategy.THEIRS:
        free = {uid: position for uid, position in here if uid in places}
        order = sorted(free, key=lambda uid: places[uid])
        move(entry, collection, dict(zip(order, free.values(), strict=True)))


def _was_moved(collection: Collection) -> bool:
    """Tell whether a person moved records here, for those of which no file's order was kept yet."""
    moved = ChangedRecord.objects.filter(kind=POSITIONS, uid=list_id(collection))
    return moved.exclude(change__source=Change.Source.IMPORT).exists()
