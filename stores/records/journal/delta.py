"""A small difference between two JSON values, which can be applied in both directions. Pure.

A delta is a list of operations, each `[path, ...]` with the path as a list of keys and indices:

- `[path, "set", [old], [new]]`: the value at the path; an empty list means that the member is absent.
- `[path, "splice", at, [old, …], [new, …]]`: a stretch of the list at the path.
- `[path, "text", at, old, new]`: a stretch of the text at the path.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from typing import Any

from stores.records import jsontext
from stores.records.secrets import MARKER

Delta = list[list[Any]]

SHORT_TEXT = 40
"""Texts up to this many characters are stored whole."""
MATCHED_MEMBERS = 2_000
"""Lists up to this length are matched by the ids of their items; the time for matching grows faster than the length."""
MATCHED_PAIRS = 20_000
"""Pairs of equal members up to which that is done: of a list of few different members everything matches everything."""


def diff(before: Any, after: Any) -> Delta:
    """Return the operations that lead from one JSON value to the other, and back."""
    delta: Delta = []
    _diff(before, after, [], delta)
    return delta


def patch(value: Any, delta: Delta) -> Any:
    """Apply the delta. Raises ValueError if it does not fit the value."""
    patched = _Patched(value)
    for path, kind, *operands in delta:
        patched.change(path, _FORWARD[kind], operands)
    return patched.value


def unpatch(value: Any, delta: Delta) -> Any:
    """Apply the delta in reverse. Raises ValueError if it does not fit the value."""
    patched = _Patched(value)
    for path, kind, *operands in reversed(delta):
        *place, old, new = operands
        patched.change(path, _FORWARD[kind], [*place, new, old])
    return patched.value


# --- finding ---------------------------------------------------------------------------------------------------------


def _diff(before: Any, after: Any, path: list[Any], delta: Delta) -> None:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in before.keys() | after.keys():
            if key not in after:
                delta.append([[*path, key], "set", [before[key]], []])
            elif key not in before:
                delta.append([[*path, key], "set", [], [after[key]]])
            else:
                _diff(before[key], after[key], [*path, key], delta)
    elif isinstance(before, list) and isinstance(after, list):
        _diff_lists(before, after, path, delta)
    elif isinstance(before, str) and isinstance(after, str):
        _diff_texts(before, after, path, delta)
    elif not jsontext.same(before, after):
        delta.append([path, "set", [before], [after]])


def _diff_texts(before: str, after: str, path: list[Any], delta: Delta) -> None:
    if before == after:
        return
    is_short = len(before) <= SHORT_TEXT and len(after) <= SHORT_TEXT
    # A reference to a secret must never be split: half of one is not recognised, and not masked.
    if is_short or MARKER in before or MARKER in after:
        delta.append([path, "set", [before], [after]])
        return
    shorter = min(len(before), len(after))
    start = _longest(shorter, lambda length: before[:length] == after[:length])
    end = _longest(shorter - start, lambda length: not length or before[-length:] == after[-length:])
    delta.append([path, "text", start, before[start : len(before) - end], after[start : len(after) - end]])


def _longest(most: int, is_same: Callable[[int], bool]) -> int:
    """Return the greatest length for which it is the same; whatever is shorter is the same as well."""
    least = 0
    while least < most:
        middle = (least + most + 1) // 2
        least, most = (middle, most) if is_same(middle) else (least, middle - 1)
    return least


def _diff_lists(before: list[Any], after: list[Any], path: list[Any], delta: Delta) -> None:
    start = 0
    while start < min(len(before), len(after)) and jsontext.same_quickly(before[start], after[start]):
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and jsontext.same_quickly(before[-1 - end], after[-1 - end]):
        end += 1
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    if not old and not new:
        return
    if max(len(old), len(new)) > MATCHED_MEMBERS:
        delta.append([path, "splice", start, old, new])
        return
    was, became = [_identity(item) for item in old], [_identity(item) for item in new]
    counts = Counter(became)
    if sum(counts[identity] for identity in was) > max(MATCHED_PAIRS, len(was)):
        delta.append([path, "splice", start, old, new])
        return
    matcher = SequenceMatcher(None, was, became, False)
    # From the end, so that the indices of what comes before stay as they are.
    for tag, old_at, old_end, new_at, new_end in reversed(matcher.get_opcodes()):
        if tag != "equal":
            delta.append([path, "splice", start + old_at, old[old_at:old_end], new[new_at:new_end]])
            continue
        for offset in reversed(range(old_end - old_at)):
            _diff(old[old_at + offset], new[new_at + offset], [*path, start + old_at + offset], delta)


def _identity(item: Any) -> str:
    """Return what tells the members of a list apart: an id, or else the content."""
    if isinstance(item, dict):
        for name in ("id", "fId"):
            if isinstance(item.get(name), str):
                return f"{name} {item[name]}"
    return jsontext.content_hash(item)


# --- applying --------------------------------------------------------------------------------------------------------


class _Patched:
    """A value being changed. Containers on a changed path are copied once; the original is never modified."""

    def __init__(self, value: Any) -> None:
        self._root = [value]
        self._copies: dict[int, Any] = {}

    @property
    def value(self) -> Any:
        return self._root[0]

    def change(self, path: Sequence[Any], change: Callable[..., list[Any]], operands: Sequence[Any]) -> None:
        """Change what is at the path. Raises ValueError where there is no such place, or the change does not fit."""
        holder, key = self._root, 0
        for step in path:
            if not _has(holder, key):
                raise ValueError(f"there is no {key}")
            holder, key = self._own(holder, key), step
        if not isinstance(holder, dict) and not _has(holder, key):
            raise ValueError(f"there is no {key}")
        if change is _splice and _has(holder, key):
            self._own(holder, key)
        held = change([holder[key]] if _has(holder, key) else [], *operands)
        if held:
            holder[key] = held[0]
        elif isinstance(holder, dict):
            holder.pop(key, None)
        else:
            raise ValueError("a list item cannot be absent")

    def _own(self, holder: Any, key: Any) -> Any:
        """Return what is there as a copy that can be changed. Raises ValueError where it has no members."""
        inner = holder[key]
        if id(inner) not in self._copies:
            if not isinstance(inner, dict | list):
                return inner
            inner = holder[key] = inner.copy()
            self._copies[id(inner)] = inner
        return inner


def _has(holder: Any, key: Any) -> bool:
    if isinstance(holder, dict):
        return key in holder
    return isinstance(holder, list) and isinstance(key, int) and 0 <= key < len(holder)


def _set(held: list[Any], old: list[Any], new: list[Any]) -> list[Any]:
    if not jsontext.same(held, old):
        raise ValueError("the value differs")
    return new


def _splice(held: list[Any], at: int, old: list[Any], new: list[Any]) -> list[Any]:
    members = held[0] if held else None
    if not isinstance(members, list) or not jsontext.same(members[at : at + len(old)], old):
        raise ValueError("the list differs")
    members[at : at + len(old)] = new
    return held


def _text(held: list[Any], at: int, old: str, new: str) -> list[Any]:
    text = held[0] if held else None
    if not isinstance(text, str) or text[at : at + len(old)] != old:
        raise ValueError("the text differs")
    return [text[:at] + new + text[at + len(old) :]]


_FORWARD: dict[str, Callable[..., list[Any]]] = {"set": _set, "splice": _splice, "text": _text}
