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
    before, after = (_part_hashes(collection, rows.uid, state) for state in (decision.stored, decision.value))
    for part in rows.parts:
        outcome = _part_outcome(decision, part, before, after or before)
        parts[outcome] += 1
        inside[outcome] += len(part.fragments)
        inside["quarantined"] += len(part.damaged)
    for member in rows.damaged:
        parts["quarantined"] += 1
        inside["quarantined"] += member.inside
    return dict(zip(collection.parts.kinds, (parts, inside), strict=False))


def _part_hashes(collection: Collection, uid: str, state: Any) -> dict[str, str]:
    """Return the hashes of the parts of a state of the record, by their ids."""
    return {} if state is None else {part.uid: part.content_hash for part in collection.to_rows(state, uid).parts}


def _part_outcome(decision: Decision, part: Any, before: dict[str, str], after: dict[str, str]) -> str:
    if decision.outcome not in ("updated", "merged"):
        return decision.outcome
    if decision.merged is not None and part.uid in decision.merged.left_out:
        return "skipped"
    if part.uid not in before:
        return "created"
    if before[part.uid] == part.content_hash:
        return "unchanged"
    # What was here stays, or something new stands in its place: the source's, or one made of both.
    return "skipped" if after.get(part.uid) == before[part.uid] else "updated"
