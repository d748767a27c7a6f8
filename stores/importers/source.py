"""A file's bytes as text, in pieces; and the text inside a JSON string, un-escaped, in pieces."""

import codecs
import re
from collections.abc import Callable, Iterator
from typing import BinaryIO

from stores.records.jsontext import scan_string

CHUNK = 256 * 1024
"""Bytes read at a time."""

_PLAIN = re.compile(
    r"""(?: [^"\\]++
          | \\[^u]
          | \\u(?![dD][89abAB])[0-9a-fA-F]{4}
          | \\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}
          | \\u[dD][89abAB][0-9a-fA-F]{2}(?=[^\\]|\\[^u]|\\u(?![dD][c-fC-F])[0-9a-fA-F]{4})
        )*+""",
    re.VERBOSE | re.DOTALL,
)
"""As much of a string's inside as can be un-escaped apart from what follows: no escape and no surrogate pair is cut."""

_LONGEST_ESCAPE = 12
_ESCAPE = re.compile(r'(\\["\\/bfnrtu])|\\')
ANY_QUOTE = re.compile('"')
END_OF_ENTRY = re.compile(
    r""""\s*+(?: \}\s*+(?: ,\s*+\{\s*+" | \]\s*+(?: \}\s*+(?: \} | ,\s*+" | \Z ) | ,\s*+" | \Z ) | \Z )
            | ,\s*+"key"
            | \Z )""",
    re.VERBOSE,
)
"""A quote that ends the value of a database's entry. One after which the JSON inside the string goes on is not meant:
it lost its backslash."""


def read_text(file: BinaryIO, on_bytes: Callable[[int], None] = lambda count: None) -> Callable[[], str]:
    """Return a reader of the file's text, "" at its end; `on_bytes` is told how many bytes each piece was.

    Bytes that are not UTF-8 come as lone surrogates U+DC80 to U+DCFF, so that nothing of a damaged record is lost.
    """
    # Not "utf-8-sig", which drops the first bytes of a mark that is not whole.
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    is_open = is_at_start = True

    def read() -> str:
        nonlocal is_open, is_at_start
        while is_open:
            piece = file.read(CHUNK)
            on_bytes(len(piece))
            is_open = bool(piece)
            if text := decoder.decode(piece, final=not piece):
                text = text.removeprefix("\ufeff") if is_at_start else text
                is_at_start = False
                if text:
                    return text
        return ""

    return read


class StringReader:
    """The inside of a JSON string that begins at a cursor, un-escaped, in pieces.

    `is_closed` tells whether the closing quote was met; without it the text was cut.
    """

    def __init__(self, buffer: str, more: Callable[[], str], ends: re.Pattern[str] = END_OF_ENTRY) -> None:
        self._buffer = buffer
        self._more = more
        self._ends = ends
        self._is_cut = False
        self.is_closed = False

    @property
    def rest(self) -> str:
        """What was read beyond the closing quote."""
        return self._buffer

    def read(self) -> str:
        """Return the next piece, "" after the last."""
        while not self.is_closed:
            end = _PLAIN.match(self._buffer).end()  # type: ignore[union-attr]  # it matches nothing at least
            piece, self._buffer = self._buffer[:end], self._buffer[end:]
            text = _unescape(piece) if piece else ""
            text += self._pass_stop()
            if text:
                return text
            if not self._buffer and self._is_cut:
                return ""
        return ""

    def _pass_stop(self) -> str:
        """Deal with what stopped the reading: the end of the buffer, the closing quote, or damage."""
        if len(self._buffer) < _LONGEST_ESCAPE * 8 and not self._is_cut:
            if more := self._more():
                self._buffer += more
                return ""
            self._is_cut = True
        if self._buffer.startswith('"'):
            if self._ends.match(self._buffer):
                self.is_closed = True
                self._buffer = self._buffer[1:]
                return ""
            # A backslash was lost before it: it belongs to the text.
            self._buffer = self._buffer[1:]
            return '"'
        stop, self._buffer = self._buffer[:1], self._buffer[1:]
        return stop

    def pieces(self) -> Iterator[str]:
        """Yield all pieces."""
        while piece := self.read():
            yield piece


def _unescape(piece: str) -> str:
    try:
        return scan_string(piece + '"', 0, False)[0]
    except ValueError:
        # An escape that JSON does not know keeps its backslash: what is inside will say that it is damaged.
        return scan_string(_ESCAPE.sub(lambda match: match[1] or r"\\", piece) + '"', 0, False)[0]
