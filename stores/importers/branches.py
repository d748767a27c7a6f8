"""Branches that imports made of records: a list that has a record has its branches too."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Collection as Ids
from typing import Any

from django.db.models import QuerySet

from stores.importers.decision import base_of, is_unchanged
from stores.importers.outcomes import note_imported_before
from stores.importers.remembered import before_text
from stores.models import ChangedRecord, ImportedRecord, MigrationRun
from stores.records import editing, jsontext, registry
from stores.records.collections import Collection
from stores.records.journal.recorder import Entry

Branches = Mapping[str, Mapping[str, Sequence[str]]]
"""The ids of branches by the ids of the records that they are branches of, by kind."""


def branches_here(*, before: MigrationRun | None = None) -> Branches:
    """Return the branches that are here; with a run, those that were here before it made some."""
    found: dict[str, dict[str, list[str]]] = {}
    for collection in registry.long_lists():
        branches = dict(_branches(collection.kind).values_list("uid", "branch_of"))
        for uid, _ in _made_by(before, collection.kind) if before else ():
            branches.pop(uid, None)
        here = collection.rows().filter(**{f"{collection.uid_column}__in": branches})
        for uid in here.values_list(collection.uid_column, flat=True):
            found.setdefault(collection.kind, {}).setdefault(branches[uid], []).append(uid)
    return found


class KnownBranches:
    """The branches that were here before an import. `seen` returns the ids of a kind that its file had so far; some
    that are here can be of the run that it goes on with, `resumed`. What the file says of a record, it says of its
    branches, except of those that it has itself."""

    def __init__(self, seen: Callable[[str], Ids[str]], resumed: MigrationRun | None) -> None:
        self._seen = seen
        self._here = branches_here(before=resumed)

    def with_seen(self, kind: str) -> Ids[str]:
        """Return the ids of which the file can say where they are listed."""
        seen, here = self._seen(kind), self._here.get(kind, {})
        return {*seen, *(uid for root in here if root in seen for uid in here[root])} if here else seen

    def follow(self, collection: Collection, record: Any) -> Any:
        """Return a record of the file with the branches of what it lists."""
        seen, here = self._seen(collection.lists.kind), self._here.get(collection.lists.kind, {})
        branches = {root: [uid for uid in uids if uid not in seen] for root, uids in here.items()}
        return collection.lists.with_branches(record, branches) if branches else record


def place_branches(entry: Entry, run: MigrationRun) -> None:
    """Put the branches that a run made where the records are listed that they are branches of."""
    for collection in registry.all_collections():
        branches: dict[str, list[str]] = {}
        for uid, root in _made_by(run, collection.lists.kind) if collection.lists.kind else ():
            branches.setdefault(root, []).append(uid)
        if branches:
            _list_branches(entry, collection, branches, run)


def _list_branches(
    entry: Entry, collection: Collection, branches: Mapping[str, Sequence[str]], run: MigrationRun
) -> None:
    imported = {one.uid: one for one in ImportedRecord.objects.filter(kind=collection.kind)}
    rows = list(collection.rows().select_for_update())
    for row, stored in zip(rows, collection.load(rows), strict=True):
        known = imported.get(row.uid)
        before = before_text(known)
        is_as_imported = is_unchanged(row, known)
        editing.overwrite(entry, collection, row, stored, collection.lists.with_branches(stored, branches))
        if known is None:
            continue
        if (base := base_of(known)) is not None:
            known.base = jsontext.encode(collection.lists.base_with_branches(base, branches))
        if is_as_imported:
            known.merged_hash = row.content_hash
        if before_text(known) != before:
            note_imported_before(run, collection.kind, {row.uid: before})
        known.save(update_fields=["base", "merged_hash"])


def _branches(kind: str) -> QuerySet[ImportedRecord]:
    return ImportedRecord.objects.filter(kind=kind).exclude(branch_of="").order_by("pk")


def _made_by(run: MigrationRun, kind: str) -> Iterator[tuple[str, str]]:
    """Yield the ids of the branches that a run made, each with that of what it is a branch of."""
    created = ChangedRecord.objects.filter(change__run=run, kind=kind, action=ChangedRecord.Action.CREATED)
    yield from _branches(kind).filter(run=run, uid__in=created.values("uid")).values_list("uid", "branch_of")
