"""A cursor over JSON text that arrives in pieces: it finds where values end, without decoding them."""

import hashlib
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from stores.importers.source import ANY_QUOTE, END_OF_ENTRY, StringReader
from stores.records.jsontext import encode, scan_string

LONGEST_VALUE = 128 * 2**20
"""Characters of one value; a longer one is taken for damaged, or is refused."""

_SPACE = re.compile(r"[ \t\r\n]*+")
_SCALAR = re.compile(r"[^\s,\]}]*+")
_WITHIN = re.compile(r'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+', re.DOTALL)
_LEAST = 512 * 1024


class Malformed(ValueError):
    """The text at the cursor is not what JSON has there."""


class Cut(Malformed):
    """The text ends inside a value."""


class Scanner:
    """A cursor over the text that `read` returns piece by piece ("" at the end)."""

    def __init__(self, read: Callable[[], str], buffer: str = "", longest: int = LONGEST_VALUE) -> None:
        self._read = read
        self._longest = longest
        self.buffer = buffer
        self.at = 0
        self.is_at_end = False

    def more(self) -> bool:
        """Drop what lies behind the cursor and read on, at least as much again as is held."""
        pieces = [self.buffer[self.at :]]
        wanted = max(_LEAST, 2 * len(pieces[0]))
        size = start = len(pieces[0])
        while size < wanted and (piece := self._read()):
            pieces.append(piece)
            size += len(piece)
        self.buffer, self.at = "".join(pieces), 0
        self.is_at_end = size < wanted
        return size > start

    def push_back(self, text: str) -> None:
        """Put text before the cursor."""
        self.buffer, self.at = text + self.buffer[self.at :], 0

    def fork(self, ahead: int, longest: int) -> "Scanner":
        """Return a cursor that looks ahead from there; what it reads is kept for this one."""

        def read() -> str:
            piece = self._read()
            self.buffer += piece
            return piece

        return Scanner(read, self.buffer[self.at + ahead :], longest)

    def peek(self) -> str:
        """Return the next character that is no white space, "" at the end; the cursor goes before it."""
        while True:
            self.at = _SPACE.match(self.buffer, self.at).end()  # type: ignore[union-attr]
            if self.at < len(self.buffer):
                return self.buffer[self.at]
            if not self.more():
                return ""

    def take(self, character: str) -> None:
        """Go past this character. Raises `Malformed` where it is another."""
        found = self.peek()
        if found != character:
            raise (Malformed if found else Cut)(f'expected "{character}", found {_named(found)}')
        self.at += 1

    def raw_value(self) -> str:
        """Go past the next value and return its text. Raises `Cut`, `Malformed`; the cursor is at its start then."""
        first = self.peek()
        if first in ("{", "["):
            return self._take(self._end_of_container())
        if first == '"':
            return self._take(self._end_of_string(0))
        if not first or first in ",]}:":
            raise (Malformed if first else Cut)(f"expected a value, found {_named(first)}")
        while (end := _SCALAR.match(self.buffer, self.at).end()) == len(self.buffer) and self.more():  # type: ignore[union-attr]
            pass
        return self._take(end - self.at)

    def _take(self, length: int) -> str:
        text = self.buffer[self.at : self.at + length]
        self.at += length
        return text

    def _read_on(self, length: int) -> None:
        if length > self._longest:
            raise Malformed(f"a value is longer than {self._longest} characters")
        if not self.more():
            raise Cut("the text ends inside a value")

    def _end_of_container(self) -> int:
        """Return the length of the object or list at the cursor."""
        depth, length = 0, 0
        match = _WITHIN.match
        while True:
            end = match(self.buffer, self.at + length).end()  # type: ignore[union-attr]
            length = end - self.at
            if end == len(self.buffer):
                self._read_on(length)
                continue
            character = self.buffer[end]
            if character == '"':
                # The string goes on beyond what is held: it is scanned again from its start.
                self._read_on(len(self.buffer) - self.at)
                continue
            length += 1
            if character in "[{":
                depth += 1
            else:
                depth -= 1
                if depth == 0:
                    return length

    def _end_of_string(self, start: int) -> int:
        while True:
            end = _STRING.match(self.buffer, self.at + start).end()  # type: ignore[union-attr]
            if end < len(self.buffer) and self.buffer[end] == '"':
                return end + 1 - self.at
            self._read_on(len(self.buffer) - self.at)

    def raw_key(self) -> str:
        """Go past a member's key and its colon, and return the key."""
        if self.peek() != '"':
            self.take('"')
        text = self.raw_value()
        self.take(":")
        try:
            return scan_string(text, 1, False)[0]
        except ValueError as error:
            raise Malformed(f"the key {text[:80]} cannot be read") from error

    def members(self) -> Iterator[str]:
        """Yield the keys of the object at the cursor; whoever takes a key goes past its value."""
        self.take("{")
        if self.peek() == "}":
            self.at += 1
            return
        while True:
            yield self.raw_key()
            if self.peek() == "}":
                self.at += 1
                return
            self.take(",")

    def elements(self) -> Iterator[int]:
        """Yield the numbers of the elements of the list at the cursor; whoever takes one goes past it."""
        self.take("[")
        index = 0
        while self.peek() != "]":
            if index:
                self.take(",")
                self.peek()
            yield index
            index += 1
        self.at += 1

    def string_reader(self, *, is_entry: bool) -> StringReader:
        """Return a reader of the string at the cursor. When it has been read, `resume` goes on behind it."""
        self.take('"')
        text, self.buffer, self.at = self.buffer[self.at :], "", 0
        return StringReader(text, self._read, END_OF_ENTRY if is_entry else ANY_QUOTE)

    def resume(self, reader: StringReader) -> None:
        """Go on behind a string that was read to its end."""
        for _ in reader.pieces():
            pass
        self.buffer, self.at = reader.rest, 0
        if not reader.is_closed:
            raise Cut("the text ends inside a string")

    def raw_value_without(self, path: tuple[str, ...], spool: "Spool") -> str:
        """Like `raw_value`, but the string at `path` inside the value goes to the spool, and is "" in the text.

        Where it raises, the cursor is at the start of the value again.
        """
        if path:
            return self._raw_object_without(path, spool) if self.peek() == "{" else self.raw_value()
        if self.peek() != '"':
            return self.raw_value()
        reader = self.string_reader(is_entry=False)
        spool.keep(reader)
        try:
            self.resume(reader)
        except Cut:
            self.push_back('"' + spool.take_text())
            raise
        return '""'

    def _raw_object_without(self, path: tuple[str, ...], spool: "Spool") -> str:
        texts: list[str] = []
        key = ""
        try:
            for key in self.members():
                text = self.raw_value_without(path[1:], spool) if key == path[0] else self.raw_value()
                texts.append(f"{encode(key)}:{text}")
                key = ""
        except Malformed:
            pending = f"{encode(key)}:" if key else ""
            self.push_back("{" + "".join(f"{text}," for text in texts) + pending)
            raise
        return "{" + ",".join(texts) + "}"


class Spool:
    """The text of one long string, in a file of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.path: Path | None = None
        self.digest = ""

    def keep(self, reader: StringReader) -> None:
        """Write the string to the file."""
        self._folder.mkdir(parents=True, exist_ok=True)
        hashed = hashlib.blake2b(digest_size=16)
        with tempfile.NamedTemporaryFile("wb", dir=self._folder, prefix="base64-", delete=False) as file:
            self.path = Path(file.name)
            for piece in reader.pieces():
                data = piece.encode("utf-8", "surrogatepass")
                hashed.update(data)
                file.write(data)
        self.digest = hashed.hexdigest()

    def take_text(self) -> str:
        """Return the string, and delete the file."""
        if self.path is None:
            return ""
        text = self.path.read_bytes().decode("utf-8", "surrogatepass")
        self.drop()
        return text

    def drop(self) -> None:
        """Delete the file."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)
            self.path = None


def _named(character: str) -> str:
    return f'"{character}"' if character else "the end"
