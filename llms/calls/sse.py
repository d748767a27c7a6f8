"""Parses server-sent events from chunks of bytes (WHATWG HTML, section 9.2). Pure."""

import codecs
from collections.abc import Iterator


class EventReader:
    """Takes bytes as they arrive and returns the data of each complete event.

    Lines end with LF, CR or CRLF; comments and other fields are ignored; invalid UTF-8 becomes U+FFFD.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest: list[str] = []
        """The pieces of the last line, which has no end yet."""
        self._data: list[str] = []
        self._is_first = True

    def feed(self, content: bytes) -> Iterator[str]:
        """Yield the data of the events that these bytes complete."""
        text = self._decoder.decode(content)
        if self._is_first and text:
            text, self._is_first = text.removeprefix("\ufeff"), False
        if "\n" not in text and "\r" not in text and not (self._rest and self._rest[-1].endswith("\r")):
            # Joined at the end of the line: otherwise a long line would be copied with each piece.
            self._rest.append(text)
            return
        text = "".join([*self._rest, text])
        if "\r" in text:
            # A CR at the end may be the first half of CRLF.
            held = "\r" if text.endswith("\r") else ""
            text = text[: len(text) - len(held)].replace("\r\n", "\n").replace("\r", "\n") + held
        *lines, rest = text.split("\n")
        self._rest = [rest]
        for line in lines:
            if line.startswith("data:"):
                self._data.append(line[6:] if line.startswith("data: ") else line[5:])
            elif not line and self._data:
                yield self._take()

    def end(self) -> Iterator[str]:
        """Yield the data of a last event without an empty line after it: some providers omit it."""
        yield from self.feed(b"\n")
        if self._data:
            yield self._take()

    def _take(self) -> str:
        data = "\n".join(self._data)
        self._data.clear()
        return data
