"""Lists of ids, as the chats of a folder, merged entry by entry.

For each id the base keeps when a file last said that it is listed, or that it is not: only a file that has the record
itself can say that. The latest word counts, in whatever order files come; what was put in or taken out here stays so.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from stores.records.merging.rules import Rule, Sides, Told

Words = list[list[Any]]
"""The base: when something was said, in ms, whether it was that they are listed, and of which ids."""
Entries = dict[str, tuple[float, bool]]


def list_words(listed: Sequence[Any], told: Told, kind: str) -> Words:
    """Return the base of a list of ids of records of this kind that a file brought."""
    entries: Entries = dict.fromkeys(told.in_file(kind), (told.taken_at, False))
    return _pack(entries | {uid: (told.taken_at, True) for uid in listed if isinstance(uid, str)})


def repeat_words(words: Words, followers: Mapping[str, Sequence[str]]) -> Words:
    """Return the base in which the same was said of these ids as of those that they follow."""
    known = {uid for *_, uids in words for uid in uids}

    def added(uids: list[str]) -> list[str]:
        return [one for uid in uids for one in followers.get(uid, ()) if one not in known]

    return [[*word, [*uids, *added(uids)]] for *word, uids in words]


def merge_listed(
    sides: Sides, stored: Sequence[Any], incoming: Sequence[Any], base: Words | None, kind: str
) -> tuple[list[Any], Words, list[Rule]]:
    """Return the merged list of ids of records of this kind, its base, and the rules that made it."""
    here, there, known = set(stored), set(incoming), sides.told.in_file(kind)
    entries = {uid: (at, is_listed) for at, is_listed, uids in base or () for uid in uids}
    rules: list[Rule] = []
    kept: dict[Any, bool] = {}
    for uid in dict.fromkeys((*stored, *incoming, *known)):
        kept[uid] = uid in here
        if uid not in there and uid not in known:
            continue
        at, was = entries.get(uid, (-1, None))
        is_changed_here = (uid in here) != bool(was)
        is_listed = uid in there
        is_later = (sides.told.taken_at, is_listed) > (at, bool(was))
        if is_later or was is None:
            entries[uid] = max(at, sides.told.taken_at), is_listed
        if kept[uid] == is_listed:
            continue
        if is_changed_here or not is_later:
            rules.append(Rule.CHANGED_HERE if is_changed_here else Rule.OLDER)
            continue
        kept[uid] = is_listed
        rules.append(Rule.LISTED)
    return _in_order(sides, stored, incoming, kept, entries), _pack(entries), rules


def _pack(entries: Entries) -> Words:
    words: dict[tuple[float, bool], list[str]] = {}
    for uid, word in entries.items():
        words.setdefault(word, []).append(uid)
    return [[*word, uids] for word, uids in words.items()]


def _in_order(
    sides: Sides, stored: Sequence[Any], incoming: Sequence[Any], kept: dict[Any, bool], entries: Entries
) -> list[Any]:
    """Return the ids that are kept: where the order was not changed here, those of the newest file first, in its
    order, then those that only older ones list."""

    def said_at(uid: Any) -> float:
        return entries[uid][0] if uid in entries else 0

    if not sides.is_as_imported:
        listed = dict.fromkeys((*stored, *incoming))
        return [uid for uid in listed if kept[uid]]
    latest = [uid for uid in incoming if said_at(uid) <= sides.told.taken_at]
    listed = dict.fromkeys((*latest, *stored, *incoming))
    return sorted((uid for uid in listed if kept[uid]), key=lambda uid: -said_at(uid))
