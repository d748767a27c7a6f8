"""The single writer for all generations: starts, flushes and ends that coincide share one transaction."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog

from chats.generations.abandoned import RUNNING_HERE
from chats.generations.end import AlreadyEnded, GenerationEnd, StoredEnd, store_ends
from chats.generations.flushing import flush_all
from chats.generations.phases import Phase
from chats.generations.replay import describe_reset
from chats.generations.requests import GenerationRequest, StartedGeneration
from chats.generations.start import start_all
from chats.generations.stream import GenerationStream
from stores.background.threads import in_thread
from stores.records.clock import now_ms
from stores.records.faults import Fault, fault_of
from stores.records.jsontext import OWN_DEPTH, decode, encode
from stores.records.problem_details import SERVER_ERROR, describe_problem
from stores.records.secrets import mask_found

FLUSH_SECONDS = 0.2
GATHER_SECONDS = 0.003
"""How long a start or an end waits for others to share its transaction, if there are other generations."""
RETRY_SECONDS = 2
"""How long until storing an end is tried again."""
NOT_STORED = (
    "The answer could not be stored yet. It is kept in memory and will be stored as soon as possible: copy it before "
    "you stop the server. {why}"
)

logger = structlog.get_logger("chats")


@dataclass
class _PendingEnd:
    stream: GenerationStream
    end: GenerationEnd
    result: "asyncio.Future[StoredEnd | None]" = field(repr=False)


class GenerationWriter:
    """Stores the generations of `streams`; `stop` is called with the ids of those that are to be stopped."""

    def __init__(self, streams: dict[str, GenerationStream], owner: str, stop: Callable[[str], None]) -> None:
        self.loop = asyncio.get_running_loop()
        self._streams = streams
        self._owner = owner
        self._stop = stop
        self._starts: list[tuple[GenerationRequest, asyncio.Future[StartedGeneration]]] = []
        self._ends: list[_PendingEnd] = []
        self._work = asyncio.Event()

    async def start(self, request: GenerationRequest) -> StartedGeneration:
        """Store the start of a generation. Raises what `start_all` returns or raises."""
        future: asyncio.Future[StartedGeneration] = self.loop.create_future()
        self._starts.append((request, future))
        self._work.set()
        return await future

    def wake(self) -> None:
        """Check the streams again: there is a new one."""
        self._work.set()

    async def end(self, stream: GenerationStream, end: GenerationEnd) -> StoredEnd | None:
        """Store the end of a generation and send it to readers. None: it could not be stored yet and is tried again."""
        pending = _PendingEnd(stream, end, self.loop.create_future())
        self._ends.append(pending)
        self._work.set()
        return await asyncio.shield(pending.result)

    async def run(self) -> None:
        """Write, as long as the loop runs."""
        flushed_at = self.loop.time()
        while True:
            wait = max(0.0, flushed_at + FLUSH_SECONDS - self.loop.time()) if self._running() else None
            try:
                await asyncio.wait_for(self._work.wait(), wait)
                if len(self._running()) + len(self._starts) > 1:
                    await asyncio.sleep(GATHER_SECONDS)
            except TimeoutError:
                pass
            self._work.clear()
            try:
                await self._write_starts()
                if self.loop.time() - flushed_at >= FLUSH_SECONDS or self._ends:
                    flushed_at = self.loop.time()
                    await self._flush()
                await self._write_ends()
            except Exception:
                logger.exception("the generation writer failed")
                await asyncio.sleep(FLUSH_SECONDS)

    def _running(self) -> list[GenerationStream]:
        return [stream for stream in self._streams.values() if not stream.phase.is_released]

    # --- starts ---

    async def _write_starts(self) -> None:
        if not self._starts:
            return
        starts, self._starts = self._starts, []
        try:
            results = await in_thread(start_all, [request for request, _ in starts], self._owner)
        except Exception as error:
            results = [error] * len(starts)
        for (_, future), result in zip(starts, results, strict=True):
            if future.done():
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)

    # --- flushes ---

    async def _flush(self) -> None:
        running = self._running()
        for stream in running:
            if stream.wants_html:
                await self._send_blocks(stream)
        flushes = [(stream, flush) for stream in running if (flush := stream.take_flush()) is not None]
        try:
            generations = [stream.generation for stream in running]
            stopped = await in_thread(flush_all, [flush for _, flush in flushes], generations)
        except Exception:
            # For example on a full disk: the text stays in memory until the next flush or the end.
            for stream, flush in flushes:
                if not stream.has_failed_flush:
                    logger.exception("an answer could not be flushed", **stream.log_facts)
                stream.has_failed_flush = True
                stream.give_back(flush)
            return
        for stream, flush in flushes:
            stream.has_failed_flush = False
            stream.confirm(flush)
        for uid in stopped:
            self._stop(uid)

    async def _send_blocks(self, stream: GenerationStream) -> None:
        try:
            for block, html, end in await in_thread(stream.blocks.render_new, stream.sent_text()):
                stream.send("html", {"block": block, "html": html, "end": end}, html=True)
        except Exception:
            logger.exception("blocks of an answer could not be rendered", **stream.log_facts)
            stream.wants_html = False

    # --- ends ---

    async def _write_ends(self) -> None:
        if not self._ends:
            return
        ends, self._ends = self._ends, []
        for pending in ends:
            pending.end.flush = pending.stream.take_flush(is_last=True)
            pending.end.phase = pending.stream.phase
        try:
            results = await in_thread(store_ends, [pending.end for pending in ends])
        except Exception as error:
            for pending in ends:
                if pending.stream.phase is Phase.ENDING:
                    logger.exception("an answer could not be stored yet", **pending.stream.log_facts)
                self._try_later(pending, fault_of(error))
            return
        for pending, result in zip(ends, results, strict=True):
            await self._complete(pending, result)

    async def _complete(self, pending: _PendingEnd, result: StoredEnd | Exception) -> None:
        stream = pending.stream
        RUNNING_HERE.discard(stream.uid)
        if isinstance(result, StoredEnd):
            for content in result.frames:
                stream.append(content)
            stream.flushed = len(stream.frames)
        elif isinstance(result, AlreadyEnded):
            await self._report_closed(pending, result)
        elif stream.phase is Phase.ENDING:
            logger.error("an answer could not be stored", exc_info=result, **stream.log_facts)
            self._report(pending, f"The answer could not be stored: {result}", None)
        stream.move_to(Phase.ENDED)
        if not pending.result.done():
            pending.result.set_result(result if isinstance(result, StoredEnd) else None)

    async def _report_closed(self, pending: _PendingEnd, error: AlreadyEnded) -> None:
        """Send readers what another server made of the answer: that is what is stored."""
        stream = pending.stream
        logger.warning("an answer had been closed by another server", **stream.log_facts)
        if stream.phase is not Phase.ENDING:
            return
        try:
            stream.send("reset", await in_thread(describe_reset, stream.uid))
        except Exception:
            logger.exception("an answer that another server closed could not be read", **stream.log_facts)
            self._report(pending, f"The answer could not be stored: {error}", None)

    def _try_later(self, pending: _PendingEnd, fault: Fault | None) -> None:
        if pending.end.flush is not None:
            pending.stream.give_back(pending.end.flush)
        if pending.stream.phase is Phase.ENDING:
            self._report(pending, NOT_STORED.format(why=fault or SERVER_ERROR), fault)
            pending.stream.move_to(Phase.UNSTORED)
            pending.result.set_result(None)
        self.loop.call_later(RETRY_SECONDS, self._try_again, pending)

    def _try_again(self, pending: _PendingEnd) -> None:
        self._ends.append(pending)
        self._work.set()

    def _report(self, pending: _PendingEnd, detail: str, fault: Fault | None) -> None:
        """Send readers an end that is not stored."""
        stream, end = pending.stream, pending.end
        status, kind = (fault.status, fault.kind) if fault else (500, None)
        request_id = stream.generation.row.request_id
        problem: dict[str, Any] = describe_problem("", request_id, status, detail, kind=kind)
        stream.send("error", {"problem": end.problem or problem})
        if end.problem is not None:
            stream.send("error", {"problem": problem})
        message = end.answer.message(ended=now_ms(), stop_reason=end.ending.stop_reason, metrics=None, tokens=None)
        shown = decode(mask_found(encode(message)), OWN_DEPTH)
        stream.send("done", {"message": shown, "revision": None})
