"""Lists of ids, as the chats of a folder, merged entry by entry.

For each id the base keeps when a file last said that it is listed, or that it is not: only a file that has the record
itself can say that. The latest word counts, in whatever order files come; what was put in or taken out here stays so.
"""

from collections.abc import Sequence
from typing import Any

from stores.records.merging.rules import Rule, Sides

Entries = dict[str, list[Any]]
"""By id: when that was said, in ms, and whether it is listed."""


def list_entries(listed: Sequence[Any], at: float) -> Entries:
    """Return the base of a list that a file of this time brought."""
    return {uid: [at, True] for uid in listed if isinstance(uid, str)}


def merge_listed(
    sides: Sides, stored: Sequence[Any], incoming: Sequence[Any], base: Entries | None, kind: str
) -> tuple[list[Any], Entries, list[Rule]]:
    """Return the merged list of ids of records of this kind, its base, and the rules that made it."""
    here, there, known = set(stored), set(incoming), sides.in_file(kind)
    entries: Entries = dict(base or {})
    rules: list[Rule] = []
    kept: dict[Any, bool] = {}
    for uid in (*stored, *incoming, *entries):
        if uid in kept:
            continue
        kept[uid] = uid in here
        if uid not in there and uid not in known:
            continue
        at, was = entries.get(uid, [-1, None])
        is_changed_here = (uid in here) != bool(was)
        is_listed = uid in there
        is_later = (sides.taken_at, is_listed) > (at, bool(was))
        if is_later or was is None:
            entries[uid] = [max(at, sides.taken_at), is_listed]
        if kept[uid] == is_listed:
            continue
        if is_changed_here or not is_later:
            rules.append(Rule.CHANGED_HERE if is_changed_here else Rule.OLDER)
            continue
        kept[uid] = is_listed
        rules.append(Rule.LISTED)
    return _in_order(sides, stored, incoming, kept, entries), entries, rules


def _in_order(
    sides: Sides, stored: Sequence[Any], incoming: Sequence[Any], kept: dict[Any, bool], entries: Entries
) -> list[Any]:
    """Return the ids that are kept: where the order was not changed here, those of the newest file first, in its
    order, then those that only older ones list."""
    if not sides.is_as_imported:
        listed = dict.fromkeys((*stored, *incoming))
        return [uid for uid in listed if kept[uid]]
    latest = [uid for uid in incoming if entries.get(uid, [0])[0] <= sides.taken_at]
    listed = dict.fromkeys((*latest, *stored, *incoming))
    return sorted((uid for uid in listed if kept[uid]), key=lambda uid: -entries.get(uid, [0])[0])
