"""An answer out of its bytes: server-sent events, or one body, and how it ended. Pure."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import orjson

from llms.calls.chunks import ChunkReader
from llms.calls.events import CallFailed, Event, Finish, Reasoning, Text, ToolCall, Usage
from llms.calls.sse import EventReader
from llms.calls.think_tags import ThinkTags
from llms.vendors.usage import UsageAdapter
from stores.records.jsontext import MAX_DEPTH, UndecodableJSON, decode

NO_END = "The provider closed the connection without ending the answer, so it may be incomplete. Try again."
BROKEN_OFF = (
    "The provider broke the answer off ({reason}). The part that had arrived is kept. Try again for the whole answer."
)
NOT_AN_ANSWER = "The host returned a web page instead of an answer. Check the host of the service."

LONGEST_DONE = 12


class AnswerReader:
    """Takes the bytes of an answer as they arrive, and gives its events.

    `content_type` is that of the response: it says only whether an object is the whole answer. `key` is never repeated
    in an error."""

    def __init__(self, content_type: str = "", adapter: UsageAdapter | None = None, key: str = "") -> None:
        self._may_be_whole = "json" in content_type and "ndjson" not in content_type
        self._is_whole: bool | None = None
        self._body: list[bytes] = []
        self._events = EventReader()
        self._chunks = ChunkReader(adapter, key)
        self._tags = ThinkTags()
        self._finish: Finish | None = None
        self._names_each_end = False
        """Whether text came after a finish reason: some send one with each piece, so that it ends nothing."""
        self.is_done = False
        """Whether the provider's word for the end has come."""
        self.has_usage = False

    def feed(self, content: bytes) -> Iterator[Event]:
        """Yield the events that these bytes complete. Raises `CallFailed`, after what came before it."""
        # What the body is counts, not its type: the same stream is sent as HTML, and as JSON, too.
        if self._is_whole is None and (first := content.lstrip()[:1]):
            if first == b"<":
                raise CallFailed(NOT_AN_ANSWER, "malformed")
            # Some answer as a whole where a stream was asked for.
            self._is_whole = first in b"{[" and self._may_be_whole
        if self._is_whole:
            self._body.append(content)
        else:
            yield from self._read(self._events.feed(content))

    def end(self) -> Iterator[Event]:
        """Yield the last events. Raises `CallFailed` for an answer that is not complete."""
        texts = [b"".join(self._body).decode("utf-8", "replace")] if self._is_whole else self._events.end()
        yield from self._read(texts)
        yield from self.lose()
        if self._finish is not None and not self._finish.is_known:
            raise CallFailed(BROKEN_OFF.format(reason=self._finish.reason[:50]), "provider")
        if not self.is_complete:
            raise CallFailed(NO_END, "dropped")

    def lose(self) -> Iterator[Event]:
        """Yield what is held back: the connection was lost."""
        yield from self._tags.end()

    @property
    def is_complete(self) -> bool:
        """Whether the provider has said that the answer is, by a known finish reason or its word for the end."""
        if self._finish is not None and not self._names_each_end:
            return self._finish.is_known
        return self.is_done

    def _read(self, texts: Iterable[str]) -> Iterator[Event]:
        """Yield the events of JSON texts, pieces that follow each other as one."""
        held: Text | Reasoning | None = None
        try:
            for event in self._events_of(texts):
                if isinstance(event, Text | Reasoning):
                    if type(held) is type(event):
                        held.text += event.text
                        continue
                    if held is not None:
                        yield from self._without_tags(held)
                    held = event
                else:
                    if held is not None:
                        yield from self._without_tags(held)
                        held = None
                    yield from self._note(event)
        except CallFailed:
            if held is not None:
                yield from self._without_tags(held)
            # After the end, nothing is missing.
            if not self.is_complete:
                yield from self.lose()
                raise
            return
        if held is not None:
            yield from self._without_tags(held)

    def _events_of(self, texts: Iterable[str]) -> Iterator[Event]:
        for text in texts:
            if len(text) < LONGEST_DONE and text.strip() == "[DONE]":
                self.is_done = True
                continue
            chunk = _decode(text)
            if plain := self._chunks.read_plain(chunk):
                yield Text(plain)
            else:
                yield from self._chunks.read(chunk)

    def _without_tags(self, event: Text | Reasoning) -> Iterator[Event]:
        self._go_on()
        if isinstance(event, Text):
            if self._tags.passes(event.text):
                yield event
            else:
                yield from self._tags.take(event.text)
        else:
            yield from self._tags.pass_over()
            yield event

    def _go_on(self) -> None:
        """Note that the answer goes on: what was said to be its end was none."""
        self._names_each_end = self._names_each_end or self._finish is not None
        self._finish = None

    def _note(self, event: Event) -> Iterator[Event]:
        match event:
            case Finish():
                self._finish = event
            case Usage():
                self.has_usage = True
            case ToolCall():
                self._go_on()
                yield from self._tags.pass_over()
        yield event


def _decode(data: str) -> Any:
    # orjson takes JSON that is nested more deeply than what we walk through and store.
    if data.count("[") + data.count("{") <= MAX_DEPTH:
        # Otherwise: lone surrogates and large numbers.
        with suppress(orjson.JSONDecodeError):
            return orjson.loads(data)
    try:
        return decode(data)
    except UndecodableJSON:
        raise CallFailed("The provider sent invalid JSON. Try again.", "malformed") from None
