"""What became of the parts of a chat, its messages and their fragments, in a decision on the chat."""

from collections import Counter
from typing import Any

from stores.collections import Collection
from stores.importers.decision import Decision


def count_parts(collection: Collection, decision: Decision) -> dict[str, Counter[str]]:
    """Count the messages and fragments of a decided conversation by their buckets, from its rows."""
    rows = decision.source_rows
    assert rows is not None
    messages: Counter[str] = Counter()
    fragments: Counter[str] = Counter()
    before = _message_hashes(collection, rows.uid, decision.ours)
    for part in rows.parts:
        bucket = _part_bucket(decision, part, before)
        messages[bucket] += 1
        fragments[bucket] += len(part.fragments)
        fragments["quarantined"] += len(part.damaged)
    for member in rows.damaged:
        messages["quarantined"] += 1
        fragments["quarantined"] += member.inside
    return {"message": messages, "fragment": fragments}


def _message_hashes(collection: Collection, uid: str, ours: Any) -> dict[str, str]:
    """Return the hashes of the messages that a decision replaces, by their ids."""
    return {} if ours is None else {part.uid: part.content_hash for part in collection.to_rows(ours, uid).parts}


def _part_bucket(decision: Decision, part: Any, before: dict[str, str]) -> str:
    if decision.bucket != "updated":
        return decision.bucket
    if part.uid not in before:
        return "created"
    # Of a chat that went on here too, the messages that were here stay as they are.
    is_kept = decision.rows is not decision.source_rows or before[part.uid] == part.content_hash
    return "unchanged" if is_kept else "updated"
