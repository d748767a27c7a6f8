"""What an import decided of each record, kept as `RunRecord` rows, by which a run is counted, listed and resumed."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction

from stores.importers.decision import Candidate, Decision
from stores.importers.parts import count_parts
from stores.importers.run import Progress
from stores.importers.words import name_kind
from stores.models import MigrationRun, RunRecord
from stores.records.collections import Collection
from stores.records.fields import compress
from stores.records.journal.delta import diff
from stores.records.journal.recorder import readable
from stores.records.jsontext import decode, encode
from stores.records.merging.rules import Rule
from stores.records.sql import insert_rows

NOT_SHOWN = "another version is shown, or it was deleted here"
"""Why a part of a merged record was not written."""

ASIDE = "kept_aside"
"""Beside the outcomes of parts: how many are kept as revisions."""

_BRANCHED = "a branch: the file and the chat here were both continued"

_NAMES = (
    *("run", "kind", "uid", "name", "outcome", "reason", "rules", "parts"),
    *("is_conflicting", "is_kept_aside", "is_branch", "imported_before", "difference", "beside"),
)


def record_of(collection: Collection, candidate: Candidate, decision: Decision, *, tells_difference: bool) -> RunRecord:
    """Return what was decided, without its run."""
    return RunRecord(
        kind=collection.kind,
        uid=candidate.uid,
        name=readable(collection.name_of(candidate.value))[:200] if isinstance(candidate.value, dict) else "",
        outcome=decision.outcome,
        reason=decision.reason[:100],
        rules={str(rule): count for rule, count in decision.rules.items()} or None,
        parts=_parts(collection, candidate, decision),
        is_conflicting=decision.is_conflict,
        is_kept_aside=decision.keeps_source,
        imported_before=decision.imported_before,
        difference=_difference(collection, candidate, decision) if tells_difference else None,
    )


def _parts(collection: Collection, candidate: Candidate, decision: Decision) -> dict[str, dict[str, int]] | None:
    if not collection.parts.kinds:
        return None
    if decision.outcome in ("unchanged", "skipped") or decision.source_rows is None:
        return {kind: {decision.outcome: count} for kind, count in candidate.counts.items()}
    parts: dict[str, dict[str, int]] = {kind: dict(+some) for kind, some in count_parts(collection, decision).items()}
    if decision.merged is not None and decision.merged.versions:
        parts.setdefault(collection.parts.kinds[0], {})[ASIDE] = len(decision.merged.versions)
    return parts


def _difference(collection: Collection, candidate: Candidate, decision: Decision) -> str | None:
    """Return what would change here, as a delta; where ours stays, what the file has otherwise. What is in a branch, or
    is kept as another version of a part, is neither."""
    is_left = decision.outcome == "merged" and not decision.replaces
    if decision.stored is None or candidate.value is None or is_left:
        return None
    shown = candidate.value if decision.value is None else decision.value
    return encode(diff(collection.files.journaled(decision.stored), collection.files.journaled(shown)))


def note_beside(collection: Collection, records: Iterable[RunRecord], before: Mapping[str, Any]) -> None:
    """Keep what stood beside these records `before`, by their ids, and does so no more: an undo puts it back."""
    if not before:
        return
    now = collection.read_beside(before)
    for record in records:
        if record.uid in before and before[record.uid] != now[record.uid]:
            record.beside = encode({"state": before[record.uid]})


def note_imported_before(run: MigrationRun | None, kind: str, before: Mapping[str, str]) -> None:
    """Keep what imports had brought of these records (`before_text`, by id) where the run changed that after it had
    decided on them, or without."""
    noted, missing = set(), []
    for record in RunRecord.objects.filter(run=run, kind=kind, uid__in=before):
        noted.add(record.uid)
        if record.imported_before is None:
            record.imported_before = before[record.uid]
            missing.append(record)
    RunRecord.objects.bulk_update(missing, ["imported_before"])
    beside = [uid for uid in before if uid not in noted]
    facts = {"kind": kind, "outcome": "updated", "is_branch": True}
    save_decided(run, [RunRecord(uid=uid, imported_before=before[uid], **facts) for uid in beside])


def save_decided(run: MigrationRun | None, records: Iterable[RunRecord]) -> None:
    """Write what was decided; without a run nothing is."""
    if run is not None:
        # A preview is in no transaction yet.
        with transaction.atomic(savepoint=False):
            insert_rows(RunRecord, _NAMES, [_values(run.pk, record) for record in records])


def _values(run: int, record: RunRecord) -> tuple[Any, ...]:
    rules, parts = (None if value is None else encode(value) for value in (record.rules, record.parts))
    texts = (record.imported_before, record.difference, record.beside)
    kept = (None if text is None else compress(text) for text in texts)
    return (
        *(run, record.kind, record.uid, record.name, record.outcome, record.reason, rules, parts),
        *(record.is_conflicting, record.is_kept_aside, record.is_branch, *kept),
    )


def find_decided(run: MigrationRun | None, kind: str) -> list[RunRecord]:
    """Return what the run has decided of the records of a kind, and of their branches, in that order."""
    if run is None:
        return []
    records = RunRecord.objects.filter(run=run, kind=kind).order_by("pk")
    return list(records.defer("imported_before", "difference"))


def digests_before(run: MigrationRun | None, kind: str) -> dict[str, str]:
    """Return the ids of the records of a kind that the run has brought, each with the digest of the text that was
    imported of it before; empty where none was."""
    brought = RunRecord.objects.filter(run=run, kind=kind).exclude(imported_before=None).order_by("-pk")
    found = {}
    for uid, text in brought.values_list("uid", "imported_before").iterator():
        # Of a record that it brought twice, the first time counts.
        before = decode(text or "null")
        found[uid] = "" if before is None else str(before["source_digest"])
    return found


def count_record(progress: Progress, collection: Collection, record: RunRecord) -> None:
    """Count a record and its parts by their outcomes, and tell what the owner should know of it."""
    if record.reason == Rule.DELETED_AND_CONTINUED:
        progress.note(
            f"The {name_kind(record.kind)} “{record.name}” was deleted here and continued in the file. To have it "
            "back, import the file again with --restore-deleted."
        )
    if record.is_branch:
        if record.outcome == "created":
            is_copy = str(Rule.COPIED) in (record.rules or {})
            why = "a copy of the chat in the file" if is_copy else _BRANCHED
            progress.note(f"“{record.name}” is {why}.")
        return
    kind, outcome = record.kind, record.outcome
    progress.count(kind, outcome, reason=record.reason)
    progress.count_rules(kind, Counter(record.rules or {}))
    progress.conflicting[kind] += record.is_conflicting
    progress.kept_aside[kind] += record.is_kept_aside
    is_written = outcome not in ("unchanged", "skipped")
    for part, outcomes in (record.parts or {}).items():
        progress.kept_aside[part] += outcomes.get(ASIDE, 0)
        for name, count in outcomes.items():
            if name != ASIDE:
                not_shown = NOT_SHOWN if name == "skipped" else ""
                progress.count(part, name, count, not_shown if is_written else record.reason)
