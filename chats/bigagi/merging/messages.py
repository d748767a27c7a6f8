"""Two states of one message made one."""

from collections import Counter
from typing import Any

from chats.bigagi.states import PENDING, VOLATILE, seen_content
from stores.records import jsontext
from stores.records.codecs import JSONObject
from stores.records.json_values import is_number
from stores.records.merging.members import ABSENT, richness
from stores.records.merging.rules import Rule, believable

Rank = tuple[bool, bool, float]


def merge_messages(
    stored: Any, incoming: Any, *, is_changed_here: bool = False
) -> tuple[Any, Any, bool, Counter[Rule]]:
    """Return what the two states become, the one that is not shown any more (None where all of it is), whether all of
    the incoming one is in the result, and the rules. Where nothing tells the newer, ours is shown if it was changed
    here, and else always the same one."""
    rules: Counter[Rule] = Counter()
    if not isinstance(stored, dict) or not isinstance(incoming, dict) or jsontext.same(stored, incoming):
        return stored, None, jsontext.same(stored, incoming), rules
    if seen_content(stored) != seen_content(incoming):

        def order(state: JSONObject) -> tuple[Any, ...]:
            return rank_of(state), is_changed_here and state is stored, richness(state)

        other, shown = sorted((stored, incoming), key=order)
        rules[Rule.EDITED_TWICE if is_changed_here else Rule.EDITED] += 1
        return shown, other, True, rules
    here, there = rank_of(stored), rank_of(incoming)
    newer = stored if here > there or is_changed_here and here == there else incoming
    merged = _richer_members(stored, incoming) if here == there and not is_changed_here else dict(newer)
    merged["fragments"] = keep_reasoning(merged["fragments"], stored["fragments"], incoming["fragments"])
    if _count_void(merged) > min(_count_void(stored), _count_void(incoming)):
        rules[Rule.REASONING] += 1
    elif not jsontext.same(merged, stored):
        rules[Rule.FIELD] += 1
    return merged, None, _has_all(merged, incoming), rules


def rank_of(message: JSONObject) -> Rank:
    """Return what orders the states of a message: one that has ended is after one that is still written, an edited
    one after the one that was not edited, then times count, as far as they can be believed."""
    created = message.get("created")
    at = believable(message.get("updated"), since=created if is_number(created) else 0)
    return not message.get(PENDING), is_number(message.get("updated")), at or 0


def began(message: Any) -> float:
    """Return when a message was made, in ms; 0 where it does not say, or by a wrong clock."""
    return believable(message.get("created")) or 0 if isinstance(message, dict) else 0


def _richer_members(stored: JSONObject, incoming: JSONObject) -> JSONObject:
    keys = (*stored, *(key for key in incoming if key not in stored))
    pairs = {key: (stored.get(key, ABSENT), incoming.get(key, ABSENT)) for key in keys}
    return {
        key: one if jsontext.same(one, other) else max(one, other, key=richness) for key, (one, other) in pairs.items()
    }


def keep_reasoning(fragments: list[Any], *others: list[Any]) -> list[Any]:
    """Return the fragments with those of other states that big-AGI drops by itself, each before the visible one that
    it stood before. The visible fragments of all states are the same."""
    gaps: list[list[Any]] = [[] for _ in range(sum(map(_is_visible, fragments)) + 1)]
    have = {_part_of(one) for one in fragments if _is_void(one)}
    for other in others:
        at = 0
        for one in other:
            at += _is_visible(one)
            if _is_void(one) and _is_kept(one) and _part_of(one) not in have:
                have.add(_part_of(one))
                gaps[at].append(one)
    if not any(gaps):
        return fragments
    merged, at = [], 0
    for one in fragments:
        if _is_visible(one):
            merged += gaps[at]
            at += 1
        merged.append(one)
    return [*merged, *gaps[at]]


def _is_visible(fragment: Any) -> bool:
    return isinstance(fragment, dict) and fragment.get("ft") != "void"


def _is_void(fragment: Any) -> bool:
    return isinstance(fragment, dict) and fragment.get("ft") == "void"


def _count_void(message: JSONObject) -> int:
    return sum(map(_is_void, message["fragments"]))


def _is_kept(fragment: JSONObject) -> bool:
    # A placeholder only says that somebody was writing.
    part = fragment.get("part")
    return not (isinstance(part, dict) and part.get("pt") == "ph")


def _part_of(fragment: JSONObject) -> str:
    return jsontext.canonical(fragment.get("part"))


def _has_all(merged: JSONObject, incoming: JSONObject) -> bool:
    """Tell whether a message has all that another state of it says; what big-AGI changes by itself does not count."""
    return all(
        key in VOLATILE or key == "fragments" or key in merged and jsontext.same(merged[key], value)
        for key, value in incoming.items()
    )
