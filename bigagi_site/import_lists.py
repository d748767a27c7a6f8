"""The lists of a run's page: which there are, how many records each has, and which of them are looked at."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import QueryDict

from stores.importers.words import name_kind
from stores.models import MigrationRun, RunRecord
from stores.querysets import decided_by
from stores.records import registry
from stores.records.json_values import count_or_none, object_in, object_or_empty

WORDS = {
    "created": "New",
    "updated": "Changed",
    "merged": "Merged",
    "unchanged": "Equal",
    "skipped": "Left as here",
    "quarantined": "Damaged",
    "conflicting": "In conflict",
    "kept_aside": "Kept aside",
}
"""What becomes of records, by what is counted."""
WORDS_OF_UNDO = {
    "created": "Brought back",
    "updated": "Changed back",
    "deleted": "Taken away",
    "skipped": "Kept as here",
}
"""The same where it is another thing that an undo does."""
FLAGS = {"conflicting": "is_conflicting", "kept_aside": "is_kept_aside", "branches": "is_branch"}
LISTED = ("conflicting", "created", "updated", "merged", "deleted", "unchanged", "skipped", "kept_aside")
"""The lists, in the order of how much there is to decide. What is damaged is no record, and is in the run's errors."""


def words_of(run: MigrationRun) -> dict[str, str]:
    """Return what people call what a run counts."""
    return WORDS | (WORDS_OF_UNDO if run.purpose == MigrationRun.Purpose.UNDO else {})


@dataclass(frozen=True)
class Chosen:
    """What is looked at: one of the lists, of one kind, or by one rule."""

    show: str = ""
    kind: str = ""
    rule: str = ""

    @classmethod
    def read(cls, query: QueryDict) -> "Chosen":
        """Return what a query asks for; what is no list is none."""
        show = query.get("show", "")
        return cls(show if show in LISTED or show in FLAGS else "", query.get("kind", ""), query.get("rule", ""))

    @property
    def query(self) -> str:
        """The same as a query, for links to other pages of the list."""
        members = {"show": self.show, "kind": self.kind, "rule": self.rule}
        return urlencode({name: value for name, value in members.items() if value})

    def words(self, run: MigrationRun) -> str:
        """What is looked at of the run, as a heading."""
        shown = {**words_of(run), "branches": "Branches"}.get(self.show, "All records")
        return ", ".join(filter(None, (shown, name_kind(self.kind) if self.kind else "", self.rule)))


@dataclass(frozen=True)
class Listed:
    """One list: its words, how many are in it, where it is, and whether it is the one that is looked at."""

    words: str
    count: int
    query: str
    is_current: bool = False


def find_records(run: MigrationRun, chosen: Chosen) -> QuerySet[RunRecord]:
    """Return the records that are looked at, in the order of the file."""
    records = RunRecord.objects.filter(run=run).defer("imported_before", "difference").order_by("pk")
    if chosen.show in FLAGS:
        records = records.filter(**{FLAGS[chosen.show]: True})
    elif chosen.show:
        records = records.filter(outcome=chosen.show)
    if chosen.show and chosen.show != "branches":
        # A branch is no record of the file, and not counted as one.
        records = records.filter(is_branch=False)
    if chosen.kind:
        records = records.filter(kind=chosen.kind)
    return decided_by(records, chosen.rule) if chosen.rule else records


def name_records(records: Iterable[RunRecord]) -> None:
    """Give those a name that were not read, since they are known, by what another run read of them."""
    unnamed = [record for record in records if not record.name]
    found = RunRecord.objects.filter(uid__in=[record.uid for record in unnamed]).exclude(name="").order_by("pk")
    names = {(kind, uid): name for kind, uid, name in found.values_list("kind", "uid", "name")}
    for record in unnamed:
        record.name = names.get((record.kind, record.uid), "")


def describe_lists(run: MigrationRun, chosen: Chosen) -> list[Listed]:
    """Return the lists of the run that have something."""
    kinds = [kind for kind in object_or_empty(run.counts) if not is_part(kind)]
    words = words_of(run)
    sums = {name: sum(_count(run, kind, name) for kind in kinds) for name in LISTED if name in words}
    lists = [Listed(words[name], count, urlencode({"show": name})) for name, count in sums.items()]
    branches = RunRecord.objects.filter(run=run, is_branch=True).count()
    lists.append(Listed("Branches", branches, urlencode({"show": "branches"})))
    lists += [Listed(rule, count, urlencode({"rule": rule})) for rule, count in _rules(run, kinds).items()]
    return [replace(one, is_current=one.query == chosen.query) for one in lists if one.count]


def describe_kinds(run: MigrationRun, chosen: Chosen) -> dict[str, Any]:
    """Return the table of kinds: its columns, and its rows of cells."""
    words = words_of(run)
    counted = [name for name in words if any(_count(run, kind, name) for kind in object_or_empty(run.counts))]
    rows = []
    for kind in object_or_empty(run.counts):
        cells = []
        for name in counted:
            leads = not is_part(kind) and name != "quarantined"
            query = urlencode({"show": name, "kind": kind}) if leads else ""
            cells.append(Listed(words[name], _count(run, kind, name), query, query == chosen.query and bool(query)))
        rows.append((name_kind(kind), _count(run, kind, "read"), cells))
    return {"columns": [words[name] for name in counted], "rows": rows}


def is_part(kind: str) -> bool:
    """Tell whether records of a kind are parts of others, as messages, or of the file: they have no list."""
    return kind == "file" or any(kind in collection.parts.kinds for collection in registry.all_collections())


def _rules(run: MigrationRun, kinds: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for kind in kinds:
        for rule in (*object_in(run.counts[kind], "rules"), *object_in(run.counts[kind], "reasons")):
            found.setdefault(rule, 0)
    for rule in found:
        found[rule] = decided_by(RunRecord.objects.filter(run=run), rule).count()
    return found


def _count(run: MigrationRun, kind: str, name: str) -> int:
    return count_or_none(object_in(run.counts, kind).get(name)) or 0
