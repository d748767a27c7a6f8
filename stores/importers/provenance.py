"""Where a record comes from: which runs, files and browsers brought or changed it, and what it is a branch of."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.dateformat import format as format_date

from stores.models import ImportedRecord, MigrationRun, RunRecord
from stores.records.merging.rules import Rule

WRITTEN = ("created", "updated", "merged")
"""What became of a record that a run brought or changed."""
_UNTOUCHED = ("unchanged", "skipped", "quarantined")
_CONTINUED = {Rule.CONTINUED, Rule.JOINED}
_VERBS = {"created": "from", "updated": "newer from", "merged": "merged with"}


@dataclass(frozen=True)
class Step:
    """What one run did to the record."""

    run: MigrationRun
    outcome: str
    """Empty: the run brought it, and did not write down how."""
    rules: Sequence[str] = ()
    record: int | None = None
    """The key of the `RunRecord` that says so."""

    @property
    def text(self) -> str:
        """The step in words: “from small.json, written by the browser abc, on 3 May 2026”."""
        on = f"on {format_date(timezone.localtime(self.run.started_at), 'j F Y')}"
        if self.run.purpose == MigrationRun.Purpose.UNDO:
            return f"taken back by run {self.run.pk} {on}"
        is_continued = not _CONTINUED.isdisjoint(self.rules)
        verb = "continued from" if is_continued else _VERBS.get(self.outcome, "from")
        device = f", written by the browser {self.run.source_device}," if self.run.source_device else ""
        return f"{verb} “{self.run.source_name}”{device} {on}"


@dataclass(frozen=True)
class Provenance:
    """All that is known of where a record comes from; `steps` are in the order in which they were done."""

    steps: Sequence[Step]
    branch_of: str
    """The id of the record that it was made a branch of; empty: of none."""
    branch_of_name: str
    branches: Sequence[str]
    """The ids of its own branches."""

    @property
    def text(self) -> str:
        """All of it in one line; empty where no import brought it."""
        told = [step.text for step in self.steps]
        if self.branch_of:
            told.append(f"branch of “{self.branch_of_name}”")
        return "; ".join(told)


def provenance_of(kind: str, uid: str) -> Provenance:
    """Return where the record of a kind comes from."""
    imported = ImportedRecord.objects.filter(kind=kind, uid=uid).select_related("run").defer("base").first()
    told = RunRecord.objects.filter(kind=kind, uid=uid).exclude(run__purpose=MigrationRun.Purpose.PREVIEW)
    records = told.exclude(outcome__in=_UNTOUCHED).select_related("run").defer("imported_before", "difference")
    steps = [Step(record.run, record.outcome, list(record.rules or {}), record.pk) for record in records.order_by("pk")]
    if imported and imported.run and imported.run_id not in {step.run.pk for step in steps}:
        # Of an import before runs wrote down what they decide.
        steps.insert(0, Step(imported.run, ""))
    root = imported.branch_of if imported else ""
    branches = ImportedRecord.objects.filter(kind=kind, branch_of=uid).order_by("pk").values_list("uid", flat=True)
    return Provenance(steps, root, _name_of(kind, root) if root else "", list(branches))


def touched_by(run: int, kind: str) -> QuerySet[RunRecord]:
    """Return what a run wrote down of the records of a kind that it brought or changed."""
    return RunRecord.objects.filter(run=run, kind=kind, outcome__in=WRITTEN).order_by()


def _name_of(kind: str, uid: str) -> str:
    named = RunRecord.objects.filter(kind=kind, uid=uid).exclude(name="").order_by("-pk")
    return named.values_list("name", flat=True).first() or uid
