"""One run in memory: its events and readers."""

import asyncio
from collections.abc import AsyncGenerator
from functools import partial
from typing import Any

from chats.generations.answer import Answer
from chats.generations.begin import Begun
from chats.generations.blocks import BlockRenderer
from chats.generations.frames import frame
from chats.generations.masking import PieceMask
from chats.generations.store import Flush
from llms.calls.events import Event, Reasoning, Text
from stores.jsontext import OWN_DEPTH, decode, encode
from stores.secrets import mask_found

JOINED_SECONDS = 0.015
"""Pieces that arrive within this time are sent as one; slightly less than the read interval of calls."""
COMMENT_SECONDS = 15
"""After this time without an event, readers get a comment with the next sweep."""
COMMENT = b": still here\n\n"


def copy_part(part: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of a part that no longer grows."""
    return {key: dict(value) if isinstance(value, dict) else value for key, value in part.items()}


class Stream:
    """The events of a run, numbered from 1, and its answer as it grows. It belongs to the event loop's thread."""

    def __init__(self, begun: Begun, loop: asyncio.AbstractEventLoop) -> None:
        self.begun = begun
        self.uid = begun.generation.uid
        self.answer = Answer(begun.base)
        self.loop = loop
        self.frames: list[bytes] = []
        self.is_html: list[bool] = []
        self.flushed = 0
        """Events that are in the database."""
        self.is_dirty = False
        self.is_ended = False
        self.wants_html = False
        self.is_calling = False
        self.is_over = False
        """Whether the call has ended and only its end has to be stored."""
        self.is_stopping = False
        self.is_leaving = False
        """Whether the server ends."""
        self.is_waiting = False
        """Whether the last flush failed."""
        self.blocks = BlockRenderer()
        self.started = loop.time()
        self.task: asyncio.Task[None] | None = None
        self._waiters: set[asyncio.Future[None]] = set()
        self._mask = PieceMask()
        self._sent: list[str] = []
        self._held: list[str] = []
        self._held_name = ""
        self._sent_at = 0.0
        self._woken_at = loop.time()
        self._timer: asyncio.Handle | None = None

    @property
    def log_facts(self) -> dict[str, str]:
        """The facts for log lines: the ids of the run and of the request that started it."""
        return {"generation": self.uid, "request_id": self.begun.generation.request_id}

    # --- writing ---

    def take(self, event: Event) -> None:
        """Add what the model sent."""
        self.answer.take(event, self.loop.time() - self.started)
        self.is_dirty = True
        if not isinstance(event, Text | Reasoning):
            return
        name = "text" if isinstance(event, Text) else "reasoning"
        if name != self._held_name:
            self.send_all()
        self._held_name = name
        self._held.append(event.text)
        if self._timer is None:
            wait = self._sent_at + JOINED_SECONDS - self.loop.time()
            # Soon, not now: pieces that were read together are sent together.
            later = self.loop.call_soon if wait <= 0 else partial(self.loop.call_later, wait)
            self._timer = later(self._send_held)

    def _send_held(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._held:
            text = self._mask.take("".join(self._held))
            self._held.clear()
            self._send_text(text)

    def _send_text(self, text: str) -> None:
        if text:
            self._sent_at = self.loop.time()
            if self._held_name == "text":
                self._sent.append(text)
            self.send("delta", {self._held_name: text})

    def send_all(self) -> None:
        """Send all text that came."""
        self._send_held()
        self._send_text(self._mask.rest())

    def sent_text(self) -> str:
        """Return the text that was sent: the answer's, keys masked."""
        self._sent = ["".join(self._sent)]
        return self._sent[0]

    def send(self, name: str, data: Any, *, html: bool = False) -> None:
        """Send an event to all readers. Its data must be masked."""
        self.append(frame(len(self.frames) + 1, name, data), html=html)
        self.is_dirty = True

    def append(self, content: bytes, *, html: bool = False) -> None:
        """Send an event that has its number already."""
        self.frames.append(content)
        self.is_html.append(html)
        self._wake()

    def end(self) -> None:
        """Release all readers after the last event."""
        self.is_ended = True
        self._wake()

    def comment(self) -> None:
        """Send a keep-alive comment to readers that have waited long."""
        if self.loop.time() - self._woken_at >= COMMENT_SECONDS:
            self._wake()

    def _wake(self) -> None:
        self._woken_at = self.loop.time()
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()

    def take_flush(self, *, is_last: bool = False) -> Flush | None:
        """Return what is not in the database yet, or None. At the end, fragments are written elsewhere."""
        if not (self.is_dirty or is_last):
            return None
        self.is_dirty = False
        first, last = self.flushed + 1, len(self.frames)
        frames = b"".join(self.frames[self.flushed :]).decode("ascii")
        self.flushed = last
        fragments = [] if is_last else self.answer.now()
        start = max(0, self.begun.fragments_kept - 1)
        # A copy, because the text keeps growing while the database writes.
        new = [fragment | {"part": copy_part(fragment["part"])} for fragment in fragments[start:]]
        return Flush(self.begun, start, new, first, last, frames)

    def settle(self, flush: Flush) -> None:
        """Note that the flush is in the database."""
        self.begun.fragments_kept = max(self.begun.fragments_kept, flush.start + len(flush.fragments))

    def give_back(self, flush: Flush) -> None:
        """Note that the flush failed: the next one includes it."""
        self.flushed = flush.first - 1
        self.is_dirty = True

    def describe_now(self) -> tuple[int, bytes]:
        """Return the event that gives the message as far as it was sent, and the number of the last event in it."""
        self._send_held()
        fragments = list(self.answer.now())
        texts = [at for at, fragment in enumerate(fragments) if fragment["part"]["pt"] in ("text", "ma")]
        if self._mask.held and texts:
            fragment = fragments[texts[-1]]
            key = "text" if fragment["part"]["pt"] == "text" else "aText"
            shown = fragment["part"][key][: -len(self._mask.held)]
            fragments[texts[-1]] = fragment | {"part": fragment["part"] | {key: shown}}
        text = mask_found(encode(self.begun.base | {"fragments": fragments}))
        number = len(self.frames)
        data = {"message": decode(text, OWN_DEPTH), "status": "running", "detail": ""}
        return number, frame(number, "reset", data)

    # --- reading ---

    async def read(self, after: int = 0, *, html: bool = False) -> AsyncGenerator[bytes, None]:
        """Yield the events after number `after` as they arrive, until the end of the run."""
        self.wants_html = self.wants_html or html
        at = min(max(after, 0), len(self.frames))
        while True:
            if at < len(self.frames):
                end = len(self.frames)
                wanted = range(at, end) if html else [each for each in range(at, end) if not self.is_html[each]]
                at = end
                if content := b"".join(self.frames[each] for each in wanted):
                    yield content
                continue
            if self.is_ended:
                return
            waiter: asyncio.Future[None] = self.loop.create_future()
            self._waiters.add(waiter)
            try:
                await waiter
            finally:
                self._waiters.discard(waiter)
            if at == len(self.frames) and not self.is_ended:
                yield COMMENT
