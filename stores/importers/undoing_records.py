"""What an undo writes: batches of records, each put back as it was before the run with all that stood beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Max, Q

from stores.importers.outcomes import save_decided
from stores.importers.remembered import REMEMBERED, before_text
from stores.importers.undoing_damage import take_back_damage, take_back_order
from stores.importers.undoing_plan import OF_LISTS, Item, Key, find_relying, load_items
from stores.models import ChangedRecord, ImportedRecord, MigrationRun, Quarantine, Revision, RunRecord
from stores.records import jsontext
from stores.records.codecs import Rows, Unreadable, damaged_in
from stores.records.collections import Collection
from stores.records.errors import Conflict
from stores.records.journal.delta import diff, unpatch
from stores.records.journal.lists import DAMAGED
from stores.records.journal.recorder import Entry
from stores.records.undoing import collection_of, free_position, read_body

Action = ChangedRecord.Action

GONE = object()
"""The state of a record that is not here."""

FORGOTTEN = "what undo needs of it was permanently deleted"
MISFIT = "the journal's part of it does not fit what is here"
BUSY = "something else writes in it now"
UNKNOWN_KIND = "this version of bigagi does not keep such records"

KEPT = ("kind", "uid", "reason", "body", "content_hash", "size", "run_id")
"""What is to be known of a revision that goes, to put it back."""


class _Kept(Exception):
    """The record stays as it is, for this reason."""


@dataclass
class _Now:
    """A record as it is here: its row and JSON, or None and `GONE`; `change` says what changed it since the run."""

    collection: Collection
    row: Any
    stored: Any
    content_hash: str
    change: str


class Undoing:
    """Takes back what `run` did, in the name of the run `by`. With `force`, also what was changed since."""

    def __init__(self, run: MigrationRun, by: MigrationRun, revisions: dict[Key, list[int]], *, force: bool) -> None:
        self.run = run
        self.by = by
        self.force = force
        self._revisions = revisions

    def take_back(self, entry: Entry, keys: Sequence[Key]) -> list[RunRecord]:
        """Take back these records, and write what became of each. Call it inside the entry's transaction."""
        decided = []
        for item in load_items(self.run, keys):
            if item.kind in OF_LISTS:
                take_back = take_back_damage if item.kind == DAMAGED else take_back_order
                decided.append(take_back(entry, item, self.run, force=self.force))
                continue
            try:
                decided.append(self._take_back(entry, item))
            except _Kept as kept:
                decided.append(_decided(item, "skipped", str(kept)))
        save_decided(self.by, decided)
        return decided

    def _take_back(self, entry: Entry, item: Item) -> RunRecord:
        """Raises `_Kept`."""
        now = self._look_at(item)
        state = next((one["state"] for one in item.beside if "state" in one), None)
        beside = {} if state is None else {"state": now.collection.read_beside([item.uid])[item.uid]}
        outcome = self._put_back(entry, item, now) if item.records else "unchanged"
        decided = _decided(item, outcome, now.change)
        if state is not None:
            now.collection.write_beside(item.uid, state)
        beside |= self._put_back_revisions(item)
        decided.beside = jsontext.encode(beside) if beside else None
        if item.imported_before is not None:
            decided.imported_before = _put_back_imported(item, item.imported_before)
        return decided

    def _look_at(self, item: Item) -> _Now:
        """Return the record as it is here, locked. Raises `_Kept` where it is to stay so."""
        try:
            collection = collection_of(item.kind)
        except KeyError:
            raise _Kept(UNKNOWN_KIND) from None
        row = collection.find_for_write(item.uid)
        content_hash = "" if row is None else row.content_hash
        if row is not None and item.records:
            try:
                collection.check_free(row)
            except Conflict:
                raise _Kept(BUSY) from None
        change = item.find_change(content_hash) or find_relying(self.run, item)
        if change and not self.force:
            raise _Kept(change)
        stored = GONE if row is None or not item.records else collection.load([row])[0]
        return _Now(collection, row, stored, content_hash, change)

    # --- the record ---

    def _put_back(self, entry: Entry, item: Item, now: _Now) -> str:
        """Make the record what it was, and return what that did to it. Raises `_Kept`."""
        collection, row = now.collection, now.row
        here = GONE if row is None else collection.files.journaled(now.stored)
        newer: list[ChangedRecord] = []
        if now.change:
            later = ChangedRecord.objects.filter(kind=item.kind, uid=item.uid, pk__gt=item.records[0].pk)
            newer = list(later.order_by("-pk"))
        before = _state_before([*newer, *item.records], here)
        rows = None if before is GONE else _to_rows(collection, collection.files.unjournaled(before), item.uid)
        if ("" if rows is None else rows.content_hash) != item.records[-1].hash_before:
            raise _Kept(MISFIT)
        if now.change and row is not None and (rows is None or rows.content_hash != now.content_hash):
            self._keep(item, collection.text_of(now.stored))
        if rows is None:
            if row is None:
                return "unchanged"
            text, position = jsontext.encode(here), getattr(row, "position", None)
            entry.deleted(item.kind, item.uid, now.content_hash, text, position)
            collection.delete(row)
            return "deleted"
        if row is not None and rows.content_hash == now.content_hash:
            return "unchanged"
        newest = Quarantine.objects.aggregate(newest=Max("pk"))["newest"] or 0 if damaged_in(rows) else None
        if row is None:
            collection.insert([(rows, _place(collection, newer, item.records))])
            entry.created(item.kind, item.uid, rows.content_hash)
        else:
            collection.replace(row, rows)
            entry.updated(item.kind, item.uid, now.content_hash, rows.content_hash, diff(here, before))
        if newest is not None:
            _name_run(item, collection, newest)
        return "created" if row is None else "updated"

    def _keep(self, item: Item, text: str) -> None:
        """Keep the state that a person made since and that is lost now."""
        Revision.objects.bulk_create(
            [
                Revision(
                    kind=item.kind,
                    uid=item.uid,
                    reason=Revision.Reason.REPLACED,
                    body=text,
                    size=len(text),
                    content_hash=jsontext.digest(text),
                    run=self.by,
                )
            ],
            ignore_conflicts=True,
        )

    # --- what stands beside it ---

    def _put_back_revisions(self, item: Item) -> dict[str, Any]:
        """Delete the revisions that the run kept, and put back those that it deleted; return what bringing that back
        needs."""
        own = self._revisions.get((item.kind, item.uid), [])
        wanted = Q(pk__in=own)
        for kind, uid, reason, content_hash in (key for one in item.beside for key in one.get("added", ())):
            wanted |= Q(kind=kind, uid=uid, reason=reason, content_hash=content_hash)
        deleted = list(Revision.objects.filter(wanted).order_by("pk").values(*KEPT)) if own or item.beside else []
        if deleted:
            Revision.objects.filter(wanted).delete()
        added = [facts for one in item.beside for facts in one.get("removed", ())]
        known = set(
            MigrationRun.objects.filter(pk__in={facts["run_id"] for facts in added}).values_list("pk", flat=True)
        )
        Revision.objects.bulk_create(
            [Revision(**facts | {"run_id": facts["run_id"] if facts["run_id"] in known else None}) for facts in added],
            ignore_conflicts=True,
        )
        keys = [[facts[name] for name in ("kind", "uid", "reason", "content_hash")] for facts in added]
        return ({"removed": deleted} if deleted else {}) | ({"added": keys} if keys else {})


def _decided(item: Item, outcome: str, reason: str) -> RunRecord:
    return RunRecord(kind=item.kind, uid=item.uid, name=item.name, outcome=outcome, reason=reason[:100])


def _state_before(records: Sequence[ChangedRecord], state: Any) -> Any:
    """Return the state, as the journal has it, before these changes, which are given newest first. Raises `_Kept`."""
    for record in records:
        if record.action == Action.CREATED:
            state = GONE
            continue
        if record.body is None:
            raise _Kept(FORGOTTEN)
        if record.action == Action.DELETED:
            state = read_body(record)
            continue
        if state is GONE:
            raise _Kept(MISFIT)
        try:
            state = unpatch(state, read_body(record))
        except ValueError:
            raise _Kept(MISFIT) from None
    return state


def _place(collection: Collection, newer: Sequence[ChangedRecord], own: Sequence[ChangedRecord]) -> int:
    """Return where a record that is put back stood when it was deleted: by the run itself, or since."""
    places = [one.position for one in own if one.position is not None]
    if places:
        # Just there, also where another one is: a branch stands in the place of its chat, behind it.
        return places[-1]
    places = [one.position for one in newer if one.position is not None]
    return free_position(collection, places[-1] if places else collection.first_position())


def _to_rows(collection: Collection, value: Any, uid: str) -> Rows:
    try:
        return collection.to_rows(value, uid)
    except Unreadable:
        raise _Kept(MISFIT) from None


def _name_run(item: Item, collection: Collection, newest: int) -> None:
    """Let damaged parts that were put back be of the import that brought them."""
    brought = jsontext.decode(item.imported_before or "null")
    run = MigrationRun.objects.filter(pk=brought["run_id"]).first() if brought else None
    Quarantine.objects.filter(store=collection.store, run=None, pk__gt=newest).update(run=run)


def _put_back_imported(item: Item, before: str) -> str:
    """Make what is known of imports of the record what it was; return what that was until now."""
    known = ImportedRecord.objects.filter(kind=item.kind, uid=item.uid)
    now = before_text(known.first())
    facts = jsontext.decode(before)
    if facts is None:
        known.delete()
        return now
    if not MigrationRun.objects.filter(pk=facts["run_id"]).exists():
        facts["run_id"] = None
    ImportedRecord.objects.update_or_create(
        kind=item.kind, uid=item.uid, defaults={name: facts[name] for name in REMEMBERED}
    )
    return now
