"""The engine: runs are tasks of the server's event loop that call a model and stream its answer."""

import asyncio
import contextvars
from contextlib import aclosing
from typing import Any

import structlog
from structlog.contextvars import bind_contextvars

from chats.generations import recovery
from chats.generations.begin import Begin
from chats.generations.ending import ABORTED, SERVER_STOPPED, Ending, ending_of, ending_of_failure, ending_of_fault
from chats.generations.lock import ALIVE
from chats.generations.naming import name_chat
from chats.generations.prompt import tell_masked
from chats.generations.store import Finish
from chats.generations.stream import Stream
from chats.generations.writer import Writer
from chats.models import Generation
from llms.calls.events import CallFailed
from llms.calls.noting import note_failure
from stores.api.asynchronous import in_thread
from stores.api.problems import Problem, describe_problem
from stores.journal.recorder import Origin
from stores.leases import this_owner

KEPT_SECONDS = 60
"""How long an ended run stays in memory, for readers who come back."""
SWEEP_SECONDS = 5
EVENTS_SWEEP_SECONDS = 60

logger = structlog.get_logger("chats")


class Engine:
    """All runs of this process."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.streams: dict[str, Stream] = {}
        self.is_closing = False
        self._tasks: set[asyncio.Task[Any]] = set()
        self._writer = Writer(self.streams, this_owner(), self.stop)
        self._spawn(self._writer.run())
        self._spawn(self._sweep())

    def _spawn(self, coroutine: Any, **facts: str) -> asyncio.Task[Any]:
        # An empty context: the context of the first request must not leak into long-lived tasks.
        # Except these, so that log lines name the request that started the run.
        context = contextvars.Context()
        context.run(bind_contextvars, **facts)
        task = self.loop.create_task(coroutine, context=context)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # --- what views and the server call ---

    async def begin(self, asked: Begin) -> Stream:
        """Begin a run. Raises what `chats.generations.begin.begin` raises, and `Problem` while the server ends."""
        if self.is_closing:
            raise Problem(503, "The server is shutting down. Try again when it is running.")
        begun = await self._writer.begin(asked)
        stream = Stream(begun, self.loop)
        ALIVE.add(stream.uid)
        self.streams[stream.uid] = stream
        stream.send(
            "start",
            {
                "generation": stream.uid,
                "conversation": asked.chat,
                "userMessage": begun.user_message,
                "message": begun.base,
                "model": {"id": begun.model.id, "label": begun.model.label, "vendor": begun.model.vendor_id},
                "prompt": {
                    "tokens": begun.prompt.tokens,
                    "leftOut": begun.prompt.left_out,
                    "keysMasked": begun.prompt.keys_masked,
                },
            },
        )
        stream.task = self._spawn(self._run(stream), **stream.log_facts)
        self._writer.wake()
        return stream

    def stop(self, uid: str) -> None:
        """End the run's call, if it runs here."""
        if (stream := self.streams.get(uid)) is not None and not stream.is_over and not stream.is_stopping:
            stream.is_stopping = True
            # A task cancelled before its first step would never run, so it checks the flag itself.
            if stream.task is not None and stream.is_calling:
                stream.task.cancel()

    async def shut_down(self, seconds: float) -> None:
        """Stop all runs at shutdown and store them, within `seconds`."""
        self.is_closing = True
        for uid, stream in list(self.streams.items()):
            stream.is_leaving = True
            self.stop(uid)
        runs = [stream.task for stream in self.streams.values() if stream.task is not None]
        if runs:
            await asyncio.wait(runs, timeout=seconds)

    # --- a run ---

    async def _run(self, stream: Stream) -> None:
        ending = await self._call(stream)
        stream.is_over = True
        stream.send_all()
        begun = stream.begun
        if told := tell_masked(begun.prompt):
            stream.answer.add_error(told)
        problem = None
        if ending.is_error:
            stream.answer.add_error(ending.detail)
            request_id = begun.generation.request_id
            problem = describe_problem("", request_id, ending.http_status, ending.detail, kind=ending.kind)
        seconds = self.loop.time() - stream.started
        is_done = ending.status == Generation.Status.DONE
        title = begun.prompt.title if is_done else ""
        finish = Finish(
            begun,
            stream.answer,
            ending.status,
            ending.outcome,
            ending.stop_reason,
            ending.detail,
            seconds,
            title,
            problem,
        )
        try:
            finished = await self._writer.finish(stream, finish)
            if finished is not None and finished.is_named and begun.generation.source != "test":
                origin = Origin(begun.generation.source, begun.generation.actor, begun.generation.request_id)
                chat = begun.generation.conversation.uid
                self._spawn(name_chat(origin, chat, title, stream.answer.visible_text()), **stream.log_facts)
        finally:
            stream.end()
            self.loop.call_later(KEPT_SECONDS, self.streams.pop, stream.uid, None)

    async def _call(self, stream: Stream) -> Ending:
        begun = stream.begun
        stream.is_calling = True
        try:
            if not stream.is_stopping:
                async with aclosing(begun.model.call(begun.model.request(begun.prompt.messages))) as events:
                    async for event in events:
                        stream.take(event)
                return ending_of(stream.answer)
        except asyncio.CancelledError:
            if not stream.is_stopping:
                # The loop ends: the next server closes the run, and says so.
                raise
        except CallFailed as error:
            note_failure(error, model=begun.model.id, service=begun.model.service_id, vendor=begun.model.vendor_id)
            return ending_of_failure(error)
        except Exception as error:
            logger.exception("a generation failed")
            return ending_of_fault(error)
        return SERVER_STOPPED if stream.is_leaving else ABORTED

    # --- what nobody else clears ---

    async def _sweep(self) -> None:
        events_at = 0.0
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            for stream in self.streams.values():
                stream.comment()
            try:
                await in_thread(recovery.close_all_abandoned)
                if self.loop.time() >= events_at:
                    events_at = self.loop.time() + EVENTS_SWEEP_SECONDS
                    await in_thread(recovery.delete_old_events)
            except Exception:
                logger.exception("old generations could not be cleared")


_engine: Engine | None = None


def get_engine() -> Engine:
    """Return the engine of the running event loop."""
    global _engine
    if _engine is None or _engine.loop is not asyncio.get_running_loop():
        _engine = Engine()
    return _engine


async def begin_run(asked: Begin) -> Stream:
    """Begin a run. Raises what `Engine.begin` raises."""
    return await get_engine().begin(asked)


async def stop_run(uid: str) -> None:
    """End the run's call, if it runs here."""
    get_engine().stop(uid)


def find_stream(uid: str) -> Stream | None:
    """Return the run's stream, if it runs here or has ended not long ago; from any thread."""
    return _engine.streams.get(uid) if _engine is not None else None


async def shut_down(seconds: float) -> None:
    """End all runs of this process, if there are any."""
    if _engine is not None:
        await _engine.shut_down(seconds)
