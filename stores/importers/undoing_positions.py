"""The order of a list, put back where an import changed it."""

from typing import Any

from stores.importers.undoing_plan import Item
from stores.models import RunRecord
from stores.records.journal.lists import collection_of_list, move, read_positions
from stores.records.journal.recorder import Entry
from stores.records.undoing import read_body

MOVED = "the order was changed since"


def take_back_positions(entry: Entry, item: Item, *, force: bool) -> RunRecord:
    """Put the records of one list back where they stood, and return what became of that. Where one stands elsewhere by
    now, or is gone, all stay; with `force` it is only that one."""
    decided = RunRecord(kind=item.kind, uid=item.uid, outcome="skipped")
    bodies: list[Any] = [None if record.body is None else read_body(record) for record in item.records]
    if None in bodies:
        decided.reason = "what undo needs of it was permanently deleted"
        return decided
    # A place is written as `[[id], "set", [before], [after]]`, and the newest change comes first.
    moves = [(path[0], old, new) for body in bodies for path, _, [old], [new] in body]
    collection = collection_of_list(item.uid)
    places: dict[str, Any] = read_positions(collection, [uid for uid, *_ in moves])
    for uid, old, new in moves:
        if places.get(uid) == new or force and uid in places:
            places[uid] = old
        elif not force:
            decided.reason = MOVED
            return decided
    move(entry, collection, places)
    decided.outcome = "updated"
    return decided
