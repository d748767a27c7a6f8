"""What became of the parts of a record, as a chat's messages and their fragments, in a decision on it."""

from collections import Counter
from typing import Any

from stores.importers.decision import Decision
from stores.records.collections import Collection


def count_parts(collection: Collection, decision: Decision) -> dict[str, Counter[str]]:
    """Count the parts of a decided record, and what is in them, by their outcomes, from its rows."""
    rows = decision.source_rows
    assert rows is not None
    parts: Counter[str] = Counter()
    inside: Counter[str] = Counter()
    before = _part_hashes(collection, rows.uid, decision.stored)
    for part in rows.parts:
        outcome = _part_outcome(decision, part, before)
        parts[outcome] += 1
        inside[outcome] += len(part.fragments)
        inside["quarantined"] += len(part.damaged)
    for member in rows.damaged:
        parts["quarantined"] += 1
        inside["quarantined"] += member.inside
    return dict(zip(collection.parts.kinds, (parts, inside), strict=False))


def _part_hashes(collection: Collection, uid: str, stored: Any) -> dict[str, str]:
    """Return the hashes of the parts that a decision replaces, by their ids."""
    return {} if stored is None else {part.uid: part.content_hash for part in collection.to_rows(stored, uid).parts}


def _part_outcome(decision: Decision, part: Any, before: dict[str, str]) -> str:
    if decision.outcome != "updated":
        return decision.outcome
    if part.uid not in before:
        return "created"
    # Of a record that went on here too, the parts that were here stay as they are.
    is_kept = decision.rows is not decision.source_rows or before[part.uid] == part.content_hash
    return "unchanged" if is_kept else "updated"
