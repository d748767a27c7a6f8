"""What an import did to lists and to none of their records, taken back: damaged parts, which leave the quarantine, and
the order of records."""

from typing import Any

from stores.importers.undoing_plan import LONGEST_UID, Item
from stores.models import ChangedRecord, MigrationRun, Quarantine, RunRecord
from stores.querysets import standing_undos
from stores.records import jsontext
from stores.records.codecs import storable
from stores.records.journal.lists import collection_of_list, move, read_positions
from stores.records.journal.recorder import Entry
from stores.records.undoing import read_body

Action = ChangedRecord.Action

COLUMNS = (
    "store",
    "collection",
    "position",
    "kind",
    "uid",
    "place",
    "reason",
    "raw",
    "raw_digest",
    "is_json",
    "run_id",
)


def take_back_damage(entry: Entry, item: Item, run: MigrationRun, *, force: bool) -> RunRecord:
    """Take back what the run did to the damaged parts of one list, and return what became of them."""
    decided = RunRecord(kind=item.kind, uid=item.uid[:LONGEST_UID], name=item.uid[:LONGEST_UID], outcome="skipped")
    if not force and (later := _find_met_again(run)) is not None:
        decided.reason = f"met again by run {later}"
        return decided
    for record in item.records:
        if record.action == Action.CREATED and (row := _find_row(item.uid, record.hash_after, run)) is not None:
            body = jsontext.encode({name: getattr(row, name) for name in COLUMNS})
            entry.deleted(item.kind, item.uid, row.raw_digest, body, row.position)
            row.delete()
            decided.outcome = "deleted"
        elif record.action == Action.DELETED and record.body is not None:
            facts = _known_run(read_body(record))
            Quarantine.objects.create(**facts)
            entry.created(item.kind, item.uid, facts["raw_digest"])
            decided.outcome = "created"
        else:
            decided.reason = "the list was written anew since"
    return decided


def take_back_order(entry: Entry, item: Item, run: MigrationRun, *, force: bool) -> RunRecord:
    """Put records back in the places from which the run moved them, as far as they are here; all or none."""
    decided = RunRecord(kind=item.kind, uid=item.uid[:LONGEST_UID], name=item.uid[:LONGEST_UID], outcome="skipped")
    collection = collection_of_list(item.uid)
    for record in item.records:
        if record.body is None:
            decided.reason = "what undo needs of it was permanently deleted"
            continue
        # Each operation is of one record: its place before, and after.
        moves = {path[0]: (old[0], new[0]) for path, _, old, new in read_body(record)}
        here = read_positions(collection, list(moves))
        if not force and any(at != moves[uid][1] for uid, at in here.items()):
            decided.reason = "moved since"
            break
        move(entry, collection, {uid: moves[uid][0] for uid in here})
        decided.outcome = "updated"
    return decided


def _known_run(facts: dict[str, Any]) -> dict[str, Any]:
    known = MigrationRun.objects.filter(pk=facts["run_id"]).exists()
    return facts if known else facts | {"run_id": None}


def _find_row(uid: str, digest: str, run: MigrationRun) -> Quarantine | None:
    """Return a part with this digest in the list of this id, one of the import's own where there is one."""
    while run.based_on is not None and run.purpose == MigrationRun.Purpose.UNDO:
        run = run.based_on
    rows = [
        row
        for row in Quarantine.objects.filter(raw_digest=digest, owner=None)
        if storable(f"{row.store}/{row.collection}")[:500] == uid
    ]
    return max(rows, key=lambda row: (row.run_id == run.pk, row.pk), default=None)


def _find_met_again(run: MigrationRun) -> int | None:
    """Return a later import that stands and met damage: it keeps nothing twice, and so may stand on this one's."""
    if run.purpose != MigrationRun.Purpose.IMPORT:
        return None
    imports = MigrationRun.objects.filter(purpose=MigrationRun.Purpose.IMPORT, pk__gt=run.pk)
    for later in imports.exclude(pk__in=standing_undos()).only("counts"):
        if any(counts.get("quarantined") for counts in later.counts.values()):
            return later.pk
    return None
