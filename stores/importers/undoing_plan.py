"""What a run did, record by record, and whether a record was changed since: what an undo of the run begins with."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db.models import Q

from stores.models import Change, ChangedRecord, MigrationRun, Revision, RunRecord
from stores.querysets import standing_undos
from stores.records import jsontext, registry
from stores.records.errors import Conflict
from stores.records.journal.lists import DAMAGED, POSITIONS
from stores.records.undoing import KIND, collection_of

Key = tuple[str, str]
"""Kind and id of a record."""

LONGEST_UID = 200
"""Characters of an id that a `RunRecord` holds; only the places of damaged parts can have more."""
OF_LISTS = (DAMAGED, POSITIONS)
"""Kinds of the journal that are no records, but what is between those of a list, and their order."""
WRITTEN = ("created", "updated", "merged", "deleted")
"""Outcomes that say that a run wrote a record."""


@dataclass
class Item:
    """One record, and what the run did to it."""

    kind: str
    uid: str
    records: list[ChangedRecord] = field(default_factory=list)
    """The run's parts of the journal for the record, the newest first."""
    decided: list[RunRecord] = field(default_factory=list)
    """What the run noted of the record, the first first."""
    brought_again: int | None = None
    """A later run that stands, and that brought the record again or took it back."""

    @property
    def name(self) -> str:
        return next((one.name for one in self.decided if one.name), "")

    @cached_property
    def beside(self) -> list[dict[str, Any]]:
        """What the run changed beside the record, as it was before, the first first."""
        return [jsontext.decode(one.beside) for one in self.decided if one.beside]

    @property
    def imported_before(self) -> str | None:
        """What imports had brought of the record before the run; None where the run did not change that."""
        return next((one.imported_before for one in self.decided if one.imported_before is not None), None)

    def find_change(self, content_hash: str) -> str:
        """Say what changed the record since the run; nothing where it is as the run left it. `content_hash` is that of
        the record now, empty where it is not here."""
        if self.records and content_hash != self.records[0].hash_after:
            newer = ChangedRecord.objects.filter(kind=self.kind, uid=self.uid, pk__gt=self.records[0].pk)
            last = newer.select_related("change").defer("body").order_by("-pk").first()
            done = "changed since" if content_hash else "deleted since"
            return f"{done} by change {last.change_id} ({last.change.action})" if last else done
        if self.brought_again is not None:
            return f"changed since by run {self.brought_again}"
        return ""


def find_keys(run: MigrationRun) -> list[Key]:
    """Return the records that a run changed or took note of, the newest first."""
    noted = Q(outcome__in=WRITTEN) | Q(imported_before__isnull=False) | Q(beside__isnull=False) | Q(is_kept_aside=True)
    # What was only noted of others has no order; what was written has: records were moved when they all were here.
    changed = ChangedRecord.objects.filter(change__run=run).order_by("-pk")
    keys = dict.fromkeys(changed.values_list("kind", "uid").iterator())
    decided = RunRecord.objects.filter(run=run).filter(noted).order_by("-pk")
    keys |= dict.fromkeys(decided.values_list("kind", "uid").iterator())
    return list(keys)


def find_revisions(run: MigrationRun, keys: Iterable[Key]) -> dict[Key, list[int]]:
    """Return the revisions that a run kept, by the record that they belong to: those of a message by its chat's."""
    known = set(keys)
    owners = {part: one.kind for one in registry.all_collections() for part in one.parts.kinds}
    found: dict[Key, list[int]] = defaultdict(list)
    for pk, kind, uid in Revision.objects.filter(run=run).values_list("pk", "kind", "uid").iterator():
        key = (kind, uid)
        if kind in owners:
            # An id can hold a slash.
            places = [at for at, character in enumerate(uid) if character == "/"]
            named = [(owners[kind], uid[:at]) for at in reversed(places)]
            key = next((one for one in named if one in known), named[-1] if named else key)
        found[key].append(pk)
    return found


def load_items(run: MigrationRun, keys: Sequence[Key], *, with_bodies: bool = True) -> list[Item]:
    """Return what the run did to these records, in their order."""
    items = {key: Item(*key) for key in keys}
    for kind in dict.fromkeys(kind for kind, _ in keys):
        uids = [uid for one, uid in keys if one == kind]
        changed = ChangedRecord.objects.filter(kind=kind, uid__in=uids, change__run=run).order_by("-pk")
        for record in changed if with_bodies else changed.defer("body"):
            items[kind, record.uid].records.append(record)
        if kind in OF_LISTS:
            continue
        for decided in RunRecord.objects.filter(kind=kind, uid__in=uids, run=run).order_by("pk"):
            items[kind, decided.uid].decided.append(decided)
        _find_brought_again(run, [items[kind, uid] for uid in uids])
    return list(items.values())


def _find_brought_again(run: MigrationRun, items: Sequence[Item]) -> None:
    last = {item.uid: item.decided[-1].pk for item in items if item.decided}
    if not last:
        return
    changed = Q(imported_before__isnull=False) | Q(beside__isnull=False)
    later = RunRecord.objects.filter(changed, kind=items[0].kind, uid__in=last, pk__gt=min(last.values()))
    touched: dict[str, list[tuple[int, str, int | None]]] = defaultdict(list)
    names = ("pk", "uid", "run_id", "run__purpose", "run__based_on")
    for pk, uid, by, purpose, based_on in later.exclude(run=run).order_by("-pk").values_list(*names):
        if pk > last[uid]:
            touched[uid].append((by, purpose, based_on))
    for item in items:
        item.brought_again = _find_standing(run, touched.get(item.uid, ()))


def _find_standing(run: MigrationRun, later: Iterable[tuple[int, str, int | None]]) -> int | None:
    """Return the newest of these runs, given newest first, that still stands: of one that was undone, neither it nor
    the undo does."""
    undone: set[int] = set()
    for by, purpose, based_on in later:
        if by in undone:
            continue
        if purpose != MigrationRun.Purpose.UNDO or based_on is None or based_on <= run.pk:
            return by
        undone.add(based_on)
    return None


def find_relying(run: MigrationRun, item: Item) -> str:
    """Say which later import stands on what the run kept, where that is a copy of older chats: it is kept once."""
    if item.decided or item.records:
        return ""
    imports = MigrationRun.objects.filter(purpose=MigrationRun.Purpose.IMPORT, pk__gt=run.pk)
    for later in imports.exclude(pk__in=standing_undos()).only("notes"):
        if any(note.startswith(f"{item.uid} is a copy of ") for note in later.notes):
            return f"kept by run {later.pk} too"
    return ""


# --- for people, before anything is done ---


@dataclass
class Survey:
    """What an undo would do: records by kind that it would take back, and those that were changed since, each with the
    reason."""

    counts: dict[str, int] = field(default_factory=dict)
    kept: list[tuple[Item, str]] = field(default_factory=list)


def survey(run: MigrationRun, size: int = 200) -> Survey:
    """Look at all that an undo of the run would take back, without changing anything."""
    found = Survey()
    keys = find_keys(run)
    for start in range(0, len(keys), size):
        items = load_items(run, keys[start : start + size], with_bodies=False)
        hashes = _hashes_of(items)
        for item in items:
            if item.kind in OF_LISTS or not item.records:
                continue
            reason = item.find_change(hashes.get((item.kind, item.uid), ""))
            if reason:
                found.kept.append((item, reason))
            else:
                found.counts[item.kind] = found.counts.get(item.kind, 0) + 1
    return found


def _hashes_of(items: Sequence[Item]) -> dict[Key, str]:
    uids: dict[str, list[str]] = defaultdict(list)
    for item in items:
        if item.kind not in OF_LISTS:
            uids[item.kind].append(item.uid)
    return {
        (kind, uid): row.content_hash
        for kind, some in uids.items()
        for uid, row in collection_of(kind).find(some).items()
    }


def check_journal(run: MigrationRun) -> None:
    """Raises `Conflict` where nothing of the run is left that an undo could go by."""
    has_decided = RunRecord.objects.filter(run=run).exists()
    if not has_decided and Change.objects.filter(run=run).exists():
        raise Conflict(
            f"Run {run.pk} was made by an earlier version of bigagi, which did not note what undo needs. "
            f"{tell_backup(run)}",
            KIND,
        )
    wrote = RunRecord.objects.filter(run=run, outcome__in=WRITTEN, is_branch=False)
    if wrote.exists() and not ChangedRecord.objects.filter(change__run=run).exists():
        raise Conflict(
            f"The journal's entry of run {run.pk} was deleted, and undo needs it. {tell_backup(run)}",
            KIND,
        )


def backup_of(run: MigrationRun) -> str:
    """Return the path of the backup that was made before an import, or before the one that this run goes back to."""
    while run.based_on is not None and run.purpose == MigrationRun.Purpose.UNDO:
        run = run.based_on
    told = (note for phase in run.phases for note in phase.get("notes", ()) if note.startswith(BACKED_UP))
    return next((note.removeprefix(BACKED_UP) for note in told), "")


BACKED_UP = "Backed up to "
"""How the note of a run begins that names its backup."""


def tell_backup(run: MigrationRun) -> str:
    """Say which backup is the way back."""
    path = backup_of(run)
    return f"The backup made before it: {path}." if path else "No backup was made before it: nothing was here then."
