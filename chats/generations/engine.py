"""The engine: generations are tasks of the server's event loop that call a model and stream its answer."""

import asyncio
import contextvars
from contextlib import aclosing
from typing import Any

import structlog
from structlog.contextvars import bind_contextvars

from chats.generations import abandoned
from chats.generations.call_endings import (
    ABORTED,
    SERVER_STOPPED,
    CallEnding,
    ending_of,
    ending_of_failure,
    ending_of_fault,
)
from chats.generations.end import GenerationEnd
from chats.generations.naming import name_chat
from chats.generations.phases import Phase
from chats.generations.prompt import describe_masked_keys
from chats.generations.requests import GenerationRequest
from chats.generations.stream import GenerationStream
from chats.generations.writer import GenerationWriter
from chats.models import Generation
from llms.calls.events import CallFailed
from llms.calls.noting import note_failure
from stores.background.leases import this_owner
from stores.background.threads import in_thread
from stores.records.errors import ShuttingDown
from stores.records.journal.recorder import Origin
from stores.records.problem_details import describe_problem

KEPT_SECONDS = 60
"""How long an ended generation stays in memory, for readers who come back."""
SWEEP_SECONDS = 5
EVENTS_SWEEP_SECONDS = 60

logger = structlog.get_logger("chats")


class Engine:
    """All generations of this process."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.streams: dict[str, GenerationStream] = {}
        self.is_closing = False
        self._tasks: set[asyncio.Task[Any]] = set()
        self._writer = GenerationWriter(self.streams, this_owner(), self.stop)
        self._spawn(self._writer.run())
        self._spawn(self._sweep())

    def _spawn(self, coroutine: Any, **facts: str) -> asyncio.Task[Any]:
        # An empty context: the context of the first request must not leak into long-lived tasks.
        # Except these, so that log lines name the request that started the generation.
        context = contextvars.Context()
        context.run(bind_contextvars, **facts)
        task = self.loop.create_task(coroutine, context=context)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # --- what views and the server call ---

    async def start(self, request: GenerationRequest) -> GenerationStream:
        """Start a generation. Raises what `start_generation` raises, and `ShuttingDown`."""
        if self.is_closing:
            raise ShuttingDown("The server is shutting down. Try again when it is running.")
        generation = await self._writer.start(request)
        stream = GenerationStream(generation, self.loop)
        abandoned.RUNNING_HERE.add(stream.uid)
        self.streams[stream.uid] = stream
        model, prompt = generation.model, generation.prompt
        stream.send(
            "start",
            {
                "generation": stream.uid,
                "conversation": request.chat,
                "userMessage": generation.user_message,
                "message": generation.start_message,
                "model": {"id": model.id, "label": model.label, "vendor": model.vendor_id},
                "prompt": {
                    "tokens": prompt.tokens,
                    "leftOut": prompt.left_out,
                    "keysMasked": prompt.keys_masked,
                },
            },
        )
        stream.task = self._spawn(self._run(stream), **stream.log_facts)
        self._writer.wake()
        return stream

    def stop(self, uid: str, phase: Phase = Phase.STOPPING) -> None:
        """End the generation's call, if it runs here."""
        if (stream := self.streams.get(uid)) is None:
            return
        # A task cancelled before its first step would never run, so it checks the phase itself.
        is_calling = stream.phase is Phase.CALLING
        if stream.move_to(phase) and is_calling and stream.task is not None:
            stream.task.cancel()

    async def shut_down(self, seconds: float) -> None:
        """Stop all generations at shutdown and store them, within `seconds`."""
        self.is_closing = True
        for uid in list(self.streams):
            self.stop(uid, Phase.SHUTTING_DOWN)
        tasks = [stream.task for stream in self.streams.values() if stream.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)

    # --- a generation ---

    async def _run(self, stream: GenerationStream) -> None:
        ending = await self._call(stream)
        stream.move_to(Phase.ENDING)
        stream.send_all()
        row, prompt = stream.generation.row, stream.generation.prompt
        if note := describe_masked_keys(prompt):
            stream.answer.add_error(note)
        problem = None
        if ending.is_error:
            stream.answer.add_error(ending.detail)
            problem = describe_problem("", row.request_id, ending.http_status, ending.detail, kind=ending.kind)
        seconds = self.loop.time() - stream.started_at
        end = GenerationEnd(stream.generation, stream.answer, ending, seconds, problem)
        try:
            stored = await self._writer.end(stream, end)
            title = stream.generation.title
            is_done = ending.status == Generation.Status.DONE
            if title and is_done and stored is not None and row.source != "test":
                origin = Origin(row.source, row.actor, row.request_id)
                text = stream.answer.visible_text()
                self._spawn(name_chat(origin, row.conversation.uid, title, text), **stream.log_facts)
        finally:
            if stream.phase is Phase.ENDING:
                stream.move_to(Phase.ENDED)
            self.loop.call_later(KEPT_SECONDS, self.streams.pop, stream.uid, None)

    async def _call(self, stream: GenerationStream) -> CallEnding:
        model, prompt = stream.generation.model, stream.generation.prompt
        try:
            if stream.move_to(Phase.CALLING):
                async with aclosing(model.call(model.request(prompt.messages))) as events:
                    async for event in events:
                        stream.take(event)
                return ending_of(stream.answer)
        except asyncio.CancelledError:
            if stream.phase is Phase.CALLING:
                # The loop ends: the next server closes the generation, and says so.
                raise
        except CallFailed as error:
            note_failure(error, model=model.id, service=model.service_id, vendor=model.vendor_id)
            return ending_of_failure(error)
        except Exception as error:
            logger.exception("a generation failed")
            return ending_of_fault(error)
        return SERVER_STOPPED if stream.phase is Phase.SHUTTING_DOWN else ABORTED

    # --- what nobody else clears ---

    async def _sweep(self) -> None:
        events_at = 0.0
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            for stream in self.streams.values():
                stream.comment()
            try:
                await in_thread(abandoned.close_all_abandoned)
                if self.loop.time() >= events_at:
                    events_at = self.loop.time() + EVENTS_SWEEP_SECONDS
                    await in_thread(abandoned.delete_old_events)
            except Exception:
                logger.exception("old generations could not be cleared")


_engine: Engine | None = None


def get_engine() -> Engine:
    """Return the engine of the running event loop."""
    global _engine
    if _engine is None or _engine.loop is not asyncio.get_running_loop():
        _engine = Engine()
    return _engine


async def start(request: GenerationRequest) -> GenerationStream:
    """Start a generation. Raises what `Engine.start` raises."""
    return await get_engine().start(request)


async def stop(uid: str) -> None:
    """End the generation's call, if it runs here."""
    get_engine().stop(uid)


def find_stream(uid: str) -> GenerationStream | None:
    """Return the generation's stream, if it runs here or has ended not long ago; from any thread."""
    return _engine.streams.get(uid) if _engine is not None else None


async def shut_down(seconds: float) -> None:
    """End all generations of this process, if there are any."""
    if _engine is not None:
        await _engine.shut_down(seconds)
