"""What became of the parts of a record, as a chat's messages and their fragments, in a decision on it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from stores.importers.decision import Decision
from stores.records.collections import Collection

State = tuple[Decision, dict[str, str], dict[str, str]]
"""A decision with the hashes of the parts of the record before and after it, by their ids."""


def count_parts(collection: Collection, decision: Decision) -> dict[str, Counter[str]]:
    """Count the parts of a decided record, and what is in them, by their outcomes, from its rows."""
    rows = decision.source_rows
    assert rows is not None
    parts: Counter[str] = Counter()
    inside: Counter[str] = Counter()
    states = list(_states(collection, decision))
    for part in rows.parts:
        outcome = _part_outcome(part, states)
        parts[outcome] += 1
        inside[outcome] += len(part.fragments)
        inside["quarantined"] += len(part.damaged)
    for member in rows.damaged:
        parts["quarantined"] += 1
        inside["quarantined"] += member.inside
    return dict(zip(collection.parts.kinds, (parts, inside), strict=False))


def _states(collection: Collection, decision: Decision | None) -> Iterator[State]:
    """Yield the decisions on a record, on its branch, and on that one's, each with what was there and is there now."""
    brought: Any = None
    while decision is not None:
        states = (decision.stored, decision.value, brought)
        before, after, own = (_part_hashes(collection, state) for state in states)
        yield decision, before, after or before or own
        brought = decision.branch.record if decision.branch else None
        decision = decision.branch_decision


def _part_hashes(collection: Collection, state: Any) -> dict[str, str]:
    """Return the hashes of the parts of a state of the record, by their ids."""
    return {} if state is None else {part.uid: part.content_hash for part in collection.to_rows(state, "").parts}


def _part_outcome(part: Any, states: Sequence[State]) -> str:
    # A part that goes on in a branch is where that is.
    decision, before, after = next((state for state in states if part.uid in state[2]), states[0])
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
