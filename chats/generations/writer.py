"""The single writer for all runs: starts, flushes and ends that coincide share one transaction."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog

from chats.generations import store
from chats.generations.begin import Begin, Begun, begin_all
from chats.generations.lock import ALIVE
from chats.generations.store import Finish, Finished
from chats.generations.stream import Stream
from chats.services.header import now_ms
from stores.api.asynchronous import in_thread
from stores.api.problems import SERVER_ERROR, describe_problem
from stores.faults import Fault, fault_of
from stores.jsontext import OWN_DEPTH, decode, encode
from stores.secrets import mask_found

FLUSH_SECONDS = 0.2
GATHER_SECONDS = 0.003
"""How long a start or an end waits for others to share its transaction, if there are other runs."""
RETRY_SECONDS = 2
"""How long until storing an end is tried again."""
NOT_STORED = (
    "The answer could not be stored yet. {why} It is kept in memory and stored as soon as that is possible: keep the "
    "server running until then."
)

logger = structlog.get_logger("chats")


@dataclass
class _Ending:
    stream: Stream
    finish: Finish
    told: "asyncio.Future[Finished | None]" = field(repr=False)


class Writer:
    """Keeps the runs of `streams` in the database; `stop` is called with those that somebody asked to stop."""

    def __init__(self, streams: dict[str, Stream], owner: str, stop: Callable[[str], None]) -> None:
        self.loop = asyncio.get_running_loop()
        self._streams = streams
        self._owner = owner
        self._stop = stop
        self._begins: list[tuple[Begin, asyncio.Future[Begun]]] = []
        self._endings: list[_Ending] = []
        self._work = asyncio.Event()

    async def begin(self, asked: Begin) -> Begun:
        """Store the start of a run. Raises what `begin_all` returns or raises."""
        future: asyncio.Future[Begun] = self.loop.create_future()
        self._begins.append((asked, future))
        self._work.set()
        return await future

    def wake(self) -> None:
        """Check the streams again: there is a new one."""
        self._work.set()

    async def finish(self, stream: Stream, finish: Finish) -> Finished | None:
        """Store the end of a run and tell its readers. None: it could not be stored yet and is tried again."""
        ending = _Ending(stream, finish, self.loop.create_future())
        self._endings.append(ending)
        self._work.set()
        return await asyncio.shield(ending.told)

    async def run(self) -> None:
        """Write, as long as the loop runs."""
        flushed_at = self.loop.time()
        while True:
            wait = max(0.0, flushed_at + FLUSH_SECONDS - self.loop.time()) if self._has_running() else None
            try:
                await asyncio.wait_for(self._work.wait(), wait)
                if sum(not stream.is_ended for stream in self._streams.values()) + len(self._begins) > 1:
                    await asyncio.sleep(GATHER_SECONDS)
            except TimeoutError:
                pass
            self._work.clear()
            try:
                await self._write_begins()
                if self.loop.time() - flushed_at >= FLUSH_SECONDS or self._endings:
                    flushed_at = self.loop.time()
                    await self._flush()
                await self._write_endings()
            except Exception:
                logger.exception("the generation writer failed")
                await asyncio.sleep(FLUSH_SECONDS)

    def _has_running(self) -> bool:
        return any(not stream.is_ended for stream in self._streams.values())

    # --- beginnings ---

    async def _write_begins(self) -> None:
        if not self._begins:
            return
        begins, self._begins = self._begins, []
        try:
            results = await in_thread(begin_all, [asked for asked, _ in begins], self._owner)
        except Exception as error:
            results = [error] * len(begins)
        for (_, future), result in zip(begins, results, strict=True):
            if future.done():
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)

    # --- flushes ---

    async def _flush(self) -> None:
        running = [stream for stream in self._streams.values() if not stream.is_ended]
        for stream in running:
            if stream.wants_html:
                await self._send_blocks(stream)
        flushes = [(stream, flush) for stream in running if (flush := stream.take_flush()) is not None]
        try:
            begun = [stream.begun for stream in running]
            stopped = await in_thread(store.flush_all, [flush for _, flush in flushes], begun)
        except Exception:
            # For example on a full disk: the text stays in memory until the next flush or the end.
            for stream, flush in flushes:
                if not stream.is_waiting:
                    logger.exception("an answer could not be flushed", **stream.log_facts)
                stream.is_waiting = True
                stream.give_back(flush)
            return
        for stream, flush in flushes:
            stream.is_waiting = False
            stream.settle(flush)
        for uid in stopped:
            self._stop(uid)

    async def _send_blocks(self, stream: Stream) -> None:
        try:
            for block, html, end in await in_thread(stream.blocks.render_new, stream.sent_text()):
                stream.send("html", {"block": block, "html": html, "end": end}, html=True)
        except Exception:
            logger.exception("blocks of an answer could not be rendered", **stream.log_facts)
            stream.wants_html = False

    # --- ends ---

    async def _write_endings(self) -> None:
        if not self._endings:
            return
        endings, self._endings = self._endings, []
        for ending in endings:
            ending.finish.flush = ending.stream.take_flush(is_last=True)
        try:
            results = await in_thread(store.finish_all, [ending.finish for ending in endings])
        except Exception as error:
            for ending in endings:
                if not ending.finish.is_told:
                    logger.exception("an answer could not be stored yet", **ending.stream.log_facts)
                self._keep_for_later(ending, fault_of(error))
            return
        for ending, result in zip(endings, results, strict=True):
            ALIVE.discard(ending.stream.uid)
            if isinstance(result, Finished):
                for content in result.frames:
                    ending.stream.append(content)
                ending.stream.flushed = len(ending.stream.frames)
            elif not ending.finish.is_told:
                logger.error("an answer could not be stored", exc_info=result, **ending.stream.log_facts)
                self._tell(ending, f"The answer could not be stored: {result}", None)
            if not ending.told.done():
                ending.told.set_result(result if isinstance(result, Finished) else None)

    def _keep_for_later(self, ending: _Ending, fault: Fault | None) -> None:
        if ending.finish.flush is not None:
            ending.stream.give_back(ending.finish.flush)
        if not ending.finish.is_told:
            ending.finish.is_told = True
            self._tell(ending, NOT_STORED.format(why=fault or SERVER_ERROR), fault)
            ending.told.set_result(None)
        self.loop.call_later(RETRY_SECONDS, self._try_again, ending)

    def _try_again(self, ending: _Ending) -> None:
        self._endings.append(ending)
        self._work.set()

    def _tell(self, ending: _Ending, detail: str, fault: Fault | None) -> None:
        stream, finish = ending.stream, ending.finish
        status, kind = (fault.status, fault.kind) if fault else (500, None)
        request_id = stream.begun.generation.request_id
        problem: dict[str, Any] = describe_problem("", request_id, status, detail, kind=kind)
        stream.send("error", {"problem": finish.problem or problem})
        if finish.problem is not None:
            stream.send("error", {"problem": problem})
        message = finish.answer.message(ended=now_ms(), stop_reason=finish.stop_reason, metrics=None, tokens=None)
        shown = decode(mask_found(encode(message)), OWN_DEPTH)
        stream.send("done", {"message": shown, "revision": None})
