"""A second way to read a big-AGI file, for verification: it shares nothing with the scanner that imports.

`json` itself finds where values end, on a buffer that grows until it can; the text inside the chats' string is
un-escaped by replacements. Only files with just what big-AGI writes: anything else raises `CannotReread`.
"""

import codecs
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from stores.importers.copies import CHATS, OLDER_CHATS, chat_list
from stores.importers.kinds import is_chat
from stores.importers.unescaping import CannotReread, OddPart, unescape
from stores.records import jsontext, registry

BLOCK = 2**18
_SPACES = " \t\r\n"
_AROUND_STORAGE = {"schema", "schemaVersion", "tenantSlug", "metadata"}
_BESIDE_CHATS = {"models": "app-models", "folders": "app-folders"}


@dataclass
class SourceValue:
    """A value and where it was: ("store", name), ("left over", name), ("partial", name), ("copy", name), or the kind of
    a long list's record and its key."""

    kind: str
    name: str
    value: Any
    text: str = ""


class TextCursor:
    """TextCursor that is read as it is needed."""

    def __init__(self, read: Callable[[], str]) -> None:
        self._read = read
        self.held = ""
        self.at = 0
        self._decoder = jsontext.make_decoder()

    def _grow(self, size: int = BLOCK) -> bool:
        pieces = [self.held[self.at :]]
        while size > 0 and (piece := self._read()):
            pieces.append(piece)
            size -= len(piece)
        grown = len(pieces) > 1
        self.held, self.at = "".join(pieces), 0
        return grown

    def next(self) -> str:
        """Return the next character that is no space; stay before it."""
        while True:
            while self.at < len(self.held) and self.held[self.at] in _SPACES:
                self.at += 1
            if self.at < len(self.held):
                return self.held[self.at]
            if not self._grow():
                raise CannotReread("the file ends too early")

    def goes_on(self) -> bool:
        """Tell whether anything but spaces is left."""
        try:
            return bool(self.next())
        except CannotReread:
            return False

    def skip(self, character: str) -> None:
        if self.next() != character:
            raise CannotReread(f'expected "{character}", found "{self.held[self.at]}"')
        self.at += 1

    def value(self) -> tuple[Any, str]:
        """Return the next value and its text."""
        self.next()
        while True:
            # A number at the end of what is held could go on behind it.
            try:
                value, end = self._decoder.raw_decode(self.held, self.at)
                if end < len(self.held) or not self._grow():
                    text = self.held[self.at : end]
                    if text.count("[") + text.count("{") > jsontext.MAX_DEPTH < jsontext.depth_of(text):
                        raise CannotReread("nested too deeply")
                    self.at = end
                    return value, text
            except CannotReread:
                raise
            except (ValueError, RecursionError) as error:
                if not self._grow(max(BLOCK, len(self.held) - self.at)):
                    raise CannotReread(str(error)) from error

    def members(self) -> Iterator[str]:
        """Yield the keys of the object here; whoever takes one reads its value."""
        self.skip("{")
        is_open = self._is_open("}")
        while is_open:
            key, _ = self.value()
            if not isinstance(key, str):
                raise CannotReread("a key that is not a string")
            self.skip(":")
            yield key
            is_open = self._goes_on("}")

    def elements(self) -> Iterator[int]:
        """Yield the numbers of the elements of the list here; whoever takes one reads it."""
        self.skip("[")
        count = 0
        is_open = self._is_open("]")
        while is_open:
            yield count
            count += 1
            is_open = self._goes_on("]")

    def _is_open(self, end: str) -> bool:
        if self.next() != end:
            return True
        self.at += 1
        return False

    def _goes_on(self, end: str) -> bool:
        if self.next() == end:
            self.at += 1
            return False
        self.skip(",")
        if self.next() == end:
            raise CannotReread(f"a comma before {end}")
        return True

    def inside_string(self) -> Iterator[str]:
        """Yield the string here un-escaped, in pieces."""
        self.skip('"')
        # One byte a character: bytes are searched and replaced several times as fast as text with wide characters.
        held = self.held[self.at :].encode("utf-8", "surrogatepass")
        decoder = codecs.getincrementaldecoder("utf-8")("surrogatepass")
        while True:
            text, used, is_closed = unescape(held)
            yield decoder.decode(text)
            held = held[used:]
            if is_closed:
                self.held, self.at = held.decode("utf-8", "surrogatepass"), 0
                return
            if not (more := self._read()):
                raise CannotReread("the file ends inside a string")
            held += more.encode("utf-8", "surrogatepass")


def read_independently(path: Path) -> Iterator[SourceValue]:
    """Yield what is in the file. Raises `CannotReread`."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            text = TextCursor(lambda: file.read(BLOCK))
            is_one_chat = yield from _whole(text)
            while is_one_chat and text.goes_on():
                chat, raw = text.value()
                if not is_chat(chat):
                    raise OddPart("there is text after the end")
                yield SourceValue(chat_list().kind, "", chat, raw)
            if text.held[text.at :].strip() or file.read(1):
                raise OddPart("there is text after the end")
        except UnicodeDecodeError as error:
            raise CannotReread(str(error)) from error


def _whole(text: TextCursor) -> Generator[SourceValue, None, bool]:
    """Yield what is in the object here; return whether it is one chat."""
    chat: dict[str, Any] = {}
    kinds = set()
    for key in text.members():
        if key in ("storage", "conversations", "messages"):
            kinds.add(key)
        if key == "storage":
            yield from _storage(text)
        elif key == "conversations" and text.next() == "[":
            for _ in text.elements():
                yield SourceValue(chat_list().kind, "", *text.value())
        else:
            chat[key], _ = text.value()
    if len(kinds) > 1:
        raise OddPart("there are both " + " and ".join(sorted(kinds)))
    if "messages" in kinds:
        yield SourceValue(chat_list().kind, "", chat)
        return True
    known = _AROUND_STORAGE if "storage" in kinds else _BESIDE_CHATS.keys()
    if unknown := chat.keys() - known:
        raise OddPart(f"there is {min(unknown)}, which is unknown")
    for key, name in _BESIDE_CHATS.items() if "storage" not in kinds else ():
        if not isinstance(chat.get(key), dict | None):
            raise OddPart(f"{key} is not an object")
        if chat.get(key) is not None:
            yield SourceValue("partial", name, {"state": chat[key]})
    return False


def _storage(text: TextCursor) -> Iterator[SourceValue]:
    for key in text.members():
        if key == "localStorage" and text.next() == "{":
            for name in text.members():
                yield SourceValue("store", name, *text.value())
        elif key == "indexedDB" and text.next() == "{":
            for database in text.members():
                for table in text.members():
                    for _ in text.elements():
                        yield from _entry(text, database, table)
        else:
            raise OddPart(f"there is storage.{key}, which is unknown")


def _entry(text: TextCursor, database: str, table: str) -> Iterator[SourceValue]:
    members: dict[str, Any] = {}
    for member in text.members():
        key = members.get("key")
        is_chats = (database, table, key, member) == ("keyval-store", "keyval", CHATS, "value")
        if is_chats and text.next() == "{":
            members[member] = None
            yield from _chats(text)
            continue
        if is_chats and text.next() == '"':
            members[member] = None
            pieces = filter(None, text.inside_string())
            inside = TextCursor(partial(next, pieces, ""))
            yield from _chats(inside)
            if inside.goes_on():
                raise CannotReread("there is text after the chats")
            continue
        members[member], raw = text.value()
        if member != "value":
            continue
        if key is None:
            raise OddPart(f"an entry of {database} does not begin with its key")
        if not isinstance(key, str) or not key:
            break
        value = members[member]
        if collection := registry.find_table(database, table):
            if not isinstance(value, dict) or value.get("id") != key:
                break
            yield SourceValue(collection.kind, key, value)
        elif (database, key) == ("keyval-store", OLDER_CHATS):
            yield SourceValue("copy", key, value, raw)
        else:
            yield SourceValue("store", f"{database}/{table}/{key}", value, raw)
    if members.keys() != {"key", "value"} or not isinstance(members["key"], str):
        raise OddPart(f"an entry of {database} is not a key with its value")


def _chats(text: TextCursor) -> Iterator[SourceValue]:
    envelope: dict[str, Any] = {}
    for key in text.members():
        if key != "state" or text.next() != "{":
            envelope[key], _ = text.value()
            continue
        state: dict[str, Any] = {}
        for member in text.members():
            if member == "conversations" and text.next() == "[":
                state[member] = []
                for _ in text.elements():
                    yield SourceValue(chat_list().kind, "", *text.value())
            else:
                state[member], _ = text.value()
        envelope[key] = state
    yield SourceValue("left over", CHATS, envelope)
