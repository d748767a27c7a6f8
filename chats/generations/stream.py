"""One generation in memory: its phase, its events and its readers."""

import asyncio
from collections.abc import AsyncGenerator
from copy import deepcopy
from functools import partial
from typing import Any

from chats.generations.answer import Answer
from chats.generations.flushing import GenerationFlush
from chats.generations.markdown import BlockRenderer
from chats.generations.masking import PieceMask
from chats.generations.phases import TRANSITIONS, Phase
from chats.generations.requests import StartedGeneration
from llms.calls.events import Event, Reasoning, Rethought, Text
from stores.records.event_frames import COMMENT, COMMENT_SECONDS, frame
from stores.records.jsontext import OWN_DEPTH, decode, encode
from stores.records.secrets import mask_found

JOINED_SECONDS = 0.015
"""Pieces that arrive within this time are sent as one; slightly less than the read interval of calls."""


class GenerationStream:
    """The events of a generation, numbered from 1, and its answer as it grows. Only the event loop's thread writes."""

    def __init__(self, generation: StartedGeneration, loop: asyncio.AbstractEventLoop) -> None:
        self.generation = generation
        self.uid = generation.row.uid
        self.answer = Answer(generation.start_message)
        self.loop = loop
        self.phase = Phase.STARTING
        self.frames: list[bytes] = []
        self.is_html: list[bool] = []
        self.flushed = 0
        """Events that are in the database."""
        self.is_dirty = False
        """Whether there is something to flush."""
        self.has_failed_flush = False
        self.wants_html = False
        """Whether a reader asked for rendered blocks."""
        self.blocks = BlockRenderer()
        self.started_at = loop.time()
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
        """The facts for log lines: the ids of the generation and of the request that started it."""
        return {"generation": self.uid, "request_id": self.generation.row.request_id}

    def move_to(self, phase: Phase) -> bool:
        """Enter a phase; False, and nothing else, where it does not follow the present one."""
        if phase not in TRANSITIONS[self.phase]:
            return False
        self.phase = phase
        if phase.is_released:
            self._wake()
        return True

    # --- writing ---

    def take(self, event: Event) -> None:
        """Add what the model sent."""
        self.answer.take(event, self.loop.time() - self.started_at)
        self.is_dirty = True
        if isinstance(event, Rethought):
            self._rethink()
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

    def _rethink(self) -> None:
        """Tell readers that all text so far was reasoning."""
        self.send_all()
        self._sent.clear()
        self.blocks = BlockRenderer()
        self.send("rethought", {})

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
        """Send all text that is held back."""
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

    def take_flush(self, *, is_last: bool = False) -> GenerationFlush | None:
        """Return what is not in the database yet, or None. At the end, fragments are written elsewhere."""
        if not (self.is_dirty or is_last):
            return None
        self.is_dirty = False
        first, last = self.flushed + 1, len(self.frames)
        frames = b"".join(self.frames[self.flushed :]).decode("ascii")
        self.flushed = last
        fragments = [] if is_last else self.answer.now()
        start = min(self.answer.changed_from, self.generation.stored_fragments)
        self.answer.changed_from = len(self.answer.fragments)
        # A copy, because the text keeps growing while the database writes.
        new = [fragment | {"part": deepcopy(fragment["part"])} for fragment in fragments[start:]]
        return GenerationFlush(self.generation, start, new, first, last, frames)

    def confirm(self, flush: GenerationFlush) -> None:
        """Note that the flush is in the database."""
        stored = flush.start + len(flush.fragments)
        self.generation.stored_fragments = max(self.generation.stored_fragments, stored)

    def give_back(self, flush: GenerationFlush) -> None:
        """Note that the flush failed: the next one includes it."""
        self.flushed = flush.first - 1
        self.answer.changed_from = min(self.answer.changed_from, flush.start)
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
        text = mask_found(encode(self.generation.start_message | {"fragments": fragments}))
        number = len(self.frames)
        data = {"message": decode(text, OWN_DEPTH), "status": "running", "detail": ""}
        return number, frame(number, "reset", data)

    # --- reading ---

    async def read(self, after: int = 0, *, html: bool = False) -> AsyncGenerator[bytes, None]:
        """Yield the events after number `after` as they arrive, until the end."""
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
            if self.phase.is_released:
                return
            waiter: asyncio.Future[None] = self.loop.create_future()
            self._waiters.add(waiter)
            try:
                await waiter
            finally:
                self._waiters.discard(waiter)
            if at == len(self.frames) and not self.phase.is_released:
                yield COMMENT
