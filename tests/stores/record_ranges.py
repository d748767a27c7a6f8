"""Where the records of a big-AGI file lie in its bytes, found by `json` alone: what a mutation touched.

Texts are bytes decoded as latin-1, so that a place in the text is a place in the file.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_decoder = json.JSONDecoder(strict=False)
_SPACE = re.compile(r"[ \t\r\n]*")
_CHARACTER = re.compile(r"\\u[0-9a-fA-F]{4}|\\.|.", re.DOTALL)


@dataclass
class Range:
    """A stretch of the file: a record, or what holds records in their order."""

    name: tuple[str, str]
    start: int
    end: int
    inside: list["Range"] = field(default_factory=list)
    is_list: bool = False

    def records(self) -> set[tuple[str, str]]:
        """Return the names of all records inside."""
        if not self.inside:
            return {self.name} if self.name[0] else set()
        return set().union(*(one.records() for one in self.inside))


def find_records(text: str) -> Range:
    """Return the whole file as a range with all of its records."""
    whole = Range(("", "file"), 0, len(text))
    for key, start, at, end in _members(text, 0):
        if key == "storage":
            whole.inside.append(_storage(text, start, at, end))
        elif key == "conversations":
            whole.inside.append(_chats(text, start, at, end))
        elif key in ("models", "folders"):
            whole.inside.append(Range(("store", f"app-{key}"), start, end))
    if not whole.inside:
        return Range(("conversation", json.loads(text)["id"]), 0, len(text))
    return whole


def touched_by(whole: Range, start: int, end: int) -> set[tuple[str, str]]:
    """Return the names of the records that a change of text[start:end] touches.

    Damage between two members of a list touches both; to anything else that holds records, all of them.
    """
    meeting = [one for one in whole.inside if one.start < end and start < one.end]
    if not whole.inside or (not meeting and not whole.is_list):
        return whole.records()
    touched: set[tuple[str, str]] = set().union(*(touched_by(one, start, end) for one in meeting))
    first = min((one.start for one in meeting), default=end)
    last = max((one.end for one in meeting), default=start)
    if start < first or end > last:
        if not whole.is_list:
            return whole.records()
        before = [one for one in whole.inside if one.end <= start][-1:]
        after = [one for one in whole.inside if one.start >= end][:1]
        touched |= set().union(*(one.records() for one in (*before, *after)))
    return touched


def _skip(text: str, at: int) -> int:
    return _SPACE.match(text, at).end()  # type: ignore[union-attr]


def _members(text: str, at: int) -> Iterator[tuple[str, int, int, int]]:
    """Yield of each member of an object its key, where the key begins, where its value begins and ends."""
    at = _skip(text, _skip(text, at) + 1)
    while text[at] != "}":
        start = at
        key, at = _decoder.raw_decode(text, at)
        value = _skip(text, _skip(text, at) + 1)
        _, at = _decoder.raw_decode(text, value)
        yield key, start, value, at
        at = _skip(text, at)
        if text[at] == ",":
            at = _skip(text, at + 1)


def _elements(text: str, at: int) -> Iterator[tuple[int, int]]:
    """Yield where each element of a list begins and ends."""
    at = _skip(text, _skip(text, at) + 1)
    while text[at] != "]":
        _, end = _decoder.raw_decode(text, at)
        yield at, end
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)


def _storage(text: str, start: int, at: int, end: int) -> Range:
    storage = Range(("", "storage"), start, end)
    for key, begin, value, stop in _members(text, at):
        half = Range(("", key), begin, stop)
        storage.inside.append(half)
        if key == "localStorage":
            half.is_list = True
            half.inside = [Range(("store", name), first, last) for name, first, _, last in _members(text, value)]
        else:
            half.inside = [_database(text, *member) for member in _members(text, value)]
    return storage


def _database(text: str, name: str, start: int, at: int, end: int) -> Range:
    database = Range(("", name), start, end)
    for table, begin, value, stop in _members(text, at):
        entries = Range(("", table), begin, stop, is_list=True)
        entries.inside = [_entry(text, first, last) for first, last in _elements(text, value)]
        database.inside.append(entries)
    return database


def _entry(text: str, start: int, end: int) -> Range:
    members = {key: (at, stop) for key, _, at, stop in _members(text, start)}
    key = _decoder.raw_decode(text, members["key"][0])[0]
    if key != "app-chats":
        return Range(("asset", key), start, end)
    entry = Range(("", "app-chats"), start, end)
    at, stop = members["value"]
    places: list[int] = []
    inner: list[str] = []
    for match in _CHARACTER.finditer(text, at + 1, stop - 1):
        for character in _unescaped(match[0]):
            places.append(match.start())
            inner.append(character)
    places.append(stop - 1)
    entry.inside = [_moved(one, places) for one in _state("".join(inner))]
    return entry


def _unescaped(token: str) -> str:
    # What is no ASCII is only ever inside texts: one character stands for it.
    character = str(json.loads(f'"{token}"', strict=False))
    return character if character.isascii() else "?"


def _moved(range: Range, places: list[int]) -> Range:
    inside = [_moved(one, places) for one in range.inside]
    return Range(range.name, places[range.start], places[range.end], inside, range.is_list)


def _state(text: str) -> Iterator[Range]:
    for key, start, at, end in _members(text, 0):
        if key == "state":
            state = Range(("", "state"), start, end)
            state.inside = [_chats(text, begin, at, stop) for _, begin, at, stop in _members(text, at)]
            yield state
        else:
            yield Range(("store", "app-chats"), start, end)


def _chats(text: str, start: int, at: int, end: int) -> Range:
    chats = Range(("", "conversations"), start, end, is_list=True)
    for begin, stop in _elements(text, at):
        uid = next(text[at + 1 : end - 1] for key, _, at, end in _members(text, begin) if key == "id")
        chats.inside.append(Range(("conversation", uid), begin, stop))
    return chats
