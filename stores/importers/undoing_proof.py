"""What an undo of a run came to: compared with what the journal says was there before, and told in words."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from stores.importers.certificate import LONGEST_LIST
from stores.importers.remembered import before_text
from stores.importers.undoing_plan import OF_LISTS, Item, load_items
from stores.importers.words import one_or_many, tell_kinds
from stores.models import ChangedRecord, ImportedRecord, MigrationRun, RunRecord
from stores.records import jsontext
from stores.records.codecs import Unreadable
from stores.records.iteration import batched
from stores.records.journal.lists import POSITIONS
from stores.records.undoing import collection_of

AT_ONCE = 20
"""Records that are read and compared at once."""

SAME, KEPT, CHANGED, DIFFERS = "same", "kept", "changed since", "differs"


def verify_undo(run: MigrationRun, by: MigrationRun) -> dict[str, Any]:
    """Compare what is here with what the journal says was here before the run, and return the certificate."""
    states: Counter[str] = Counter()
    taken: Counter[str] = Counter()
    kept: Counter[str] = Counter()
    named: list[dict[str, Any]] = []
    for record, state in _look_at_all(run, by):
        states[state] += 1
        if record.kind == POSITIONS:
            # The order of a list is no record, and not counted.
            pass
        elif state == KEPT:
            kept[record.kind] += 1
        elif record.outcome != "unchanged":
            taken[record.kind] += 1
        if state != SAME and len(named) < LONGEST_LIST:
            facts = {"kind": record.kind, "id": record.uid, "name": record.name, "reason": record.reason}
            named.append(facts | {"state": state, "differences": []})
    return {
        "counts": dict(taken),
        "kept": dict(kept),
        "states": dict(states),
        "differences": states[DIFFERS],
        "records": named,
        "notes": [],
        "verdict": None,
        "proof": tell_undo(run, taken, kept, differing=states[DIFFERS]),
    }


def tell_undo(run: MigrationRun, taken: Counter[str], kept: Counter[str], *, differing: int = 0) -> str:
    """Return in a sentence or two what the undo of a run came to."""
    done = "brought back" if is_redo(run) else "taken back"
    text = f"{tell_kinds(taken)} {done}" if taken else f"Nothing was to be {done}"
    if differing:
        is_not = "is" if differing == 1 else "are"
        text = f"{text}, but {one_or_many(differing, 'record')} {is_not} not as before (see the certificate)."
    else:
        text = f"{text}, verified." if taken else f"{text}."
    if kept:
        was = "it was" if kept.total() == 1 else "they were"
        text = f"{text} {tell_kinds(kept)} kept, because {was} changed since (see the certificate for each)."
    return text


def is_redo(run: MigrationRun) -> bool:
    """Tell whether an undo of this run brings an import back rather than taking it back."""
    is_back = False
    while run.purpose == MigrationRun.Purpose.UNDO and run.based_on is not None:
        run, is_back = run.based_on, not is_back
    return is_back


def _look_at_all(run: MigrationRun, by: MigrationRun) -> Iterator[tuple[RunRecord, str]]:
    decided = RunRecord.objects.filter(run=by).order_by("pk").defer("beside", "difference")
    for some in batched(decided.iterator(chunk_size=500), AT_ONCE):
        items = {(item.kind, item.uid): item for item in load_items(run, [(one.kind, one.uid) for one in some])}
        found = _read(some)
        for record in some:
            if record.outcome == "skipped":
                yield record, KEPT
            elif record.kind in OF_LISTS:
                yield record, SAME
            else:
                yield record, _compare(record, items[record.kind, record.uid], by, found)


def _read(records: Sequence[RunRecord]) -> dict[tuple[str, str], str]:
    """Return the hashes of what is here of these records, made anew of their JSON."""
    uids: dict[str, list[str]] = defaultdict(list)
    for record in records:
        if record.kind not in OF_LISTS and record.outcome != "skipped":
            uids[record.kind].append(record.uid)
    hashes = {}
    for kind, some in uids.items():
        collection = collection_of(kind)
        rows = collection.find(some)
        for (uid, row), value in zip(rows.items(), collection.load(list(rows.values())), strict=True):
            try:
                made = collection.to_rows(value, uid).content_hash
            except Unreadable:
                made = DIFFERS
            hashes[kind, uid] = made if made == row.content_hash else DIFFERS
    return hashes


def _compare(record: RunRecord, item: Item, by: MigrationRun, found: dict[tuple[str, str], str]) -> str:
    is_same = not item.records or found.get((item.kind, item.uid), "") == item.records[-1].hash_before
    if is_same and item.imported_before is not None:
        imported = ImportedRecord.objects.filter(kind=item.kind, uid=item.uid).first()
        is_same = jsontext.same(jsontext.decode(before_text(imported)), jsontext.decode(item.imported_before))
    if is_same:
        return SAME
    own = ChangedRecord.objects.filter(kind=item.kind, uid=item.uid, change__run=by).order_by("-pk").first()
    later = ChangedRecord.objects.filter(kind=item.kind, uid=item.uid).exclude(change__run=by)
    if own is not None and later.filter(pk__gt=own.pk).exists():
        # While this ran, as the owner can go on meanwhile.
        return CHANGED
    return DIFFERS
