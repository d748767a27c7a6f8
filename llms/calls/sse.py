"""Parses server-sent events from chunks of bytes (WHATWG HTML, section 9.2). Pure."""

import codecs
import json
from collections.abc import Iterator


class EventReader:
    """Takes bytes as they arrive and returns the data of each complete event.

    Lines end with LF, CR or CRLF; comments, other fields and events without data are ignored; invalid UTF-8 becomes
    U+FFFD. What providers send beside the standard is taken too: an `event: error`, or llama.cpp's field `error`, comes
    as `{"error": …}`, an object that is no field's value as it is, and events that no empty line parts one by one.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest: list[str] = []
        """The pieces of the last line, which has no end yet."""
        self._data: list[str] = []
        self._is_error = False
        self._bare: list[str] = []
        """The lines of an object that is no field's value."""
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
                data = line[6:] if line.startswith("data: ") else line[5:]
                if self._data and self._data[-1].rstrip().endswith("}") and data.lstrip().startswith(("{", "[DONE]")):
                    # No JSON goes on so: the empty line between two events is missing.
                    yield self._take()
                self._data.append(data)
            elif not line:
                if self._bare:
                    yield self._take_bare()
                if self._data and (data := self._take()) and not data.isspace():
                    yield data
                self._is_error = False
            else:
                yield from self._take_other(line)

    def end(self) -> Iterator[str]:
        """Yield the data of a last event without an empty line after it: some providers omit it."""
        yield from self.feed(b"\n")
        if self._data and (data := self._take()) and not data.isspace():
            yield data
        if self._bare:
            yield self._take_bare()

    def _take(self) -> str:
        data = "\n".join(self._data)
        self._data.clear()
        return _as_error(data) if self._is_error else data

    def _take_other(self, line: str) -> Iterator[str]:
        if line.startswith("event:"):
            self._is_error = line[6:].strip() == "error"
        elif line.startswith("error:"):
            yield _as_error(line[6:].strip())
        elif line[0] in "{[":
            if self._bare:
                yield self._take_bare()
            self._bare.append(line)
        elif self._bare:
            self._bare.append(line)

    def _take_bare(self) -> str:
        bare = "\n".join(self._bare)
        self._bare.clear()
        return bare


def _as_error(data: str) -> str:
    try:
        error = json.loads(data)
    except (ValueError, RecursionError):
        error = data
    return data if isinstance(error, dict) and error.get("error") else json.dumps({"error": error or "error"})
