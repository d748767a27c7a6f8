"""What an import remembers of a record for the next one, and for its branches."""

from collections.abc import Sequence

from stores.importers.decision import Candidate, Decision
from stores.models import ChangedRecord, ImportedRecord, MigrationRun, Record
from stores.records import jsontext
from stores.records.collections import Collection
from stores.records.merging.rules import Branch

Decided = tuple[Candidate, Decision]

REMEMBERED = (
    *("source_digest", "imported_hash", "merged_hash", "base", "branch_of"),
    *("counts", "is_verified", "run_id"),
)
"""The fields of an `ImportedRecord` that say what was brought."""


def remember(collection: Collection, decisions: Sequence[Decided], run: MigrationRun | None) -> None:
    """Write what the import brought of these records."""
    brought = [(candidate, decision) for candidate, decision in decisions if _is_brought(decision)]
    for _, decision in brought:
        decision.imported_before = before_text(decision.imported)
    ImportedRecord.objects.bulk_create(
        [
            ImportedRecord(
                kind=collection.kind,
                uid=candidate.uid,
                source_digest=candidate.digest,
                imported_hash=decision.source_rows.content_hash,  # type: ignore[union-attr]  # It is brought.
                merged_hash=decision.rows.content_hash if decision.outcome == "merged" else "",  # type: ignore[union-attr]
                base=_base_text(decision),
                branch_of=candidate.root or (decision.imported.branch_of if decision.imported else ""),
                counts=candidate.counts,
                is_verified=False,
                run=_run_of(collection, decision, run),
            )
            for candidate, decision in brought
        ],
        update_conflicts=True,
        unique_fields=["kind", "uid"],
        update_fields=[
            *("source_digest", "imported_hash", "merged_hash", "base", "branch_of"),
            *("counts", "is_verified", "run"),
        ],
    )

    _remember_words([decision for _, decision in decisions if _keeps_ours(decision)])


def before_text(imported: ImportedRecord | None) -> str:
    """Return as JSON what an import brought last of a record; `null` where none did."""
    return jsontext.encode(None if imported is None else {name: getattr(imported, name) for name in REMEMBERED})


def _is_brought(decision: Decision) -> bool:
    return decision.rows is not None and decision.source_rows is not None and not _keeps_ours(decision)


def _keeps_ours(decision: Decision) -> bool:
    # Of what is unchanged, `stored` says that it is another state than the file's.
    return decision.outcome == "skipped" or decision.outcome == "unchanged" and decision.stored is not None


def _remember_words(decisions: Sequence[Decision]) -> None:
    """Write what a file said that changed nothing: an older one that comes later must not change it either."""
    changed = []
    for decision in decisions:
        if decision.imported is not None and decision.base is not None:
            text = jsontext.encode(decision.base)
            if text != decision.imported.base:
                decision.imported_before = before_text(decision.imported)
                decision.imported.base = text
                changed.append(decision.imported)
    ImportedRecord.objects.bulk_update(changed, ["base"])


def _run_of(collection: Collection, decision: Decision, run: MigrationRun | None) -> MigrationRun | None:
    # What has no time of its own is as old as the file that brought it: an older one that adds to it changes no times.
    is_timeless = not collection.parts.kinds
    return decision.imported.run if decision.imported and decision.is_older and is_timeless else run


def _base_text(decision: Decision) -> str | None:
    if decision.base is not None:
        return jsontext.encode(decision.base)
    return decision.imported.base if decision.imported is not None else None


def branch_candidate(collection: Collection, candidate: Candidate, branch: Branch) -> Candidate:
    """Return the branch of a candidate as a candidate of its own, in the same place."""
    rows = collection.to_rows(branch.record, branch.uid)
    # Its text is in no file, so no digest of a file's text may lead to it.
    digest = f"-{rows.content_hash[1:]}"
    counts = collection.parts.count(branch.record)
    return Candidate(branch.uid, candidate.index, digest, branch.record, rows, [], counts, branch.root)


def forgotten_uids(kind: str, uids: Sequence[str]) -> set[str]:
    """Return those of the records that were deleted here and forgotten on purpose."""
    deleted = ChangedRecord.objects.filter(kind=kind, uid__in=uids, action=ChangedRecord.Action.DELETED)
    return set(deleted.filter(change__is_purged=True, body=None).values_list("uid", flat=True))


def is_proven(row: Record | None, imported: ImportedRecord | None) -> bool:
    """Tell whether a row is what an import brought, and was found the same by a verification."""
    if row is None or imported is None:
        return False
    return imported.is_verified and row.content_hash == imported.imported_hash
