"""Objects merged member by member."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from stores.records import jsontext
from stores.records.merging.rules import Merged, Rule, Sides

DIGITS = 12
"""Of a digest in a base: enough to tell states of one member apart."""


class Absent:
    """Stands for a member that is not there."""


ABSENT = Absent()


def fingerprint(value: Any) -> Any:
    """Return digests in the shape of the value's objects. All else, lists included, is one digest."""
    if isinstance(value, dict):
        return {key: fingerprint(item) for key, item in value.items()}
    return "" if value is ABSENT else jsontext.content_hash(value)[:DIGITS]


def richness(value: Any) -> tuple[int, str]:
    """Return what orders two values of which nothing tells the newer: the longer first, and else always the same."""
    text = "" if value is ABSENT else jsontext.canonical(value)
    return len(text), text


class Members:
    """Merges objects. `takes` decides where the base does not: it gets ours, theirs and whether both were changed, and
    tells whether theirs is taken. `moves`: whether the base follows the incoming state where ours stays."""

    def __init__(self, takes: Callable[[Any, Any, bool], bool], rule: Rule, *, moves: bool) -> None:
        self._takes = takes
        self._rule = rule
        self._moves = moves
        self.rules: Counter[Rule] = Counter()
        self.is_whole = True

    def merge(self, stored: Any, incoming: Any, base: Any) -> tuple[Any, Any]:
        """Return the merged value and its base. The sides differ, at least in something inside."""
        if isinstance(stored, dict) and isinstance(incoming, dict):
            return self._merge_objects(stored, incoming, base)
        theirs = fingerprint(incoming)
        if jsontext.same(stored, incoming):
            return stored, theirs
        is_known = base is not None
        is_changed_here = not is_known or fingerprint(stored) != base
        if not (is_known and theirs == base) and self._takes(stored, incoming, is_changed_here):
            self.rules[Rule.NEWER_FIELD if is_known and is_changed_here else self._rule] += 1
            return incoming, theirs
        if incoming is not ABSENT:
            is_new = not is_known or theirs != base and self._moves
            ours = Rule.OUR_FIELD if is_new else Rule.CHANGED_HERE
            self.rules[ours if is_changed_here else Rule.OLDER] += 1
            self.is_whole = False
        return stored, theirs if self._moves or not is_known else base

    def _merge_objects(self, stored: Any, incoming: Any, base: Any) -> tuple[Any, Any]:
        known = base if isinstance(base, dict) else {}
        merged, bases = {}, dict(known)
        for key in (*stored, *(key for key in incoming if key not in stored)):
            of_key = known.get(key, "") if base is not None else None
            value, bases[key] = self.merge(stored.get(key, ABSENT), incoming.get(key, ABSENT), of_key)
            if value is not ABSENT:
                merged[key] = value
        return merged, bases


def merge_members(sides: Sides) -> Merged:
    """Merge settings, services and the like, which have no times of their own: what was changed here stays, and all
    else is as the newer file has it. A member that only one side has stays."""

    def takes(stored: Any, incoming: Any, is_changed_here: bool) -> bool:
        return incoming is not ABSENT and not is_changed_here and (sides.is_newer or stored is ABSENT)

    members = Members(takes, Rule.MEMBER, moves=sides.is_newer)
    record, base = members.merge(sides.stored, sides.incoming, sides.base)
    return Merged(record, base, members.rules, is_whole=members.is_whole)


def has_members(stored: Any, incoming: Any) -> bool:
    """Tell whether all members of the incoming value are in the stored one."""
    if isinstance(stored, dict) and isinstance(incoming, dict):
        return all(key in stored and has_members(stored[key], value) for key, value in incoming.items())
    return jsontext.same(stored, incoming)
