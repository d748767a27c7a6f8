"""Calls over the network: OpenAI's SDK sends and retries; its raw stream is read here, since typed chunks cost much."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from django.conf import settings

from llms.calls.events import CallFailed, Event, Request
from llms.calls.reading import AnswerReader
from llms.calls.sending import Refusals, send
from llms.vendors.endpoint import Endpoint
from llms.vendors.usage import adapter_of

JOINED_SECONDS, JOINED_A_CALL = 0.05, 0.0006
"""Bytes that arrive within this time are read together: longer with more parallel calls."""
FEW, SMALL = 8, 4096
"""Below this number of calls there is no pause; above this number of bytes nothing is held back."""
AFTER_END_SECONDS = 0.3
"""How long the usage is waited for after the provider's word for the end."""

_reading: set[Any] = set()
"""The answers that are being read."""


async def stream_call(
    endpoint: Endpoint, request: Request, refusals: Refusals | None = None
) -> AsyncGenerator[Event, None]:
    """Yield what the model answers, as it comes. Raises `CallFailed`; closing the iterator ends the call."""
    response = await send(endpoint, request, refusals)
    _reading.add(response)
    try:
        async with aclosing(_read(endpoint, response)) as events:
            async for event in events:
                yield event
    finally:
        _reading.discard(response)
        await response.close()


async def _read(endpoint: Endpoint, response: Any) -> AsyncGenerator[Event, None]:
    """Yield the events of an answer. After the provider has signalled the end, a lost connection is not an error."""
    content_type = response.headers.get("content-type", "")
    reader = AnswerReader(content_type, adapter_of(endpoint.vendor.id), endpoint.key)
    try:
        async with aclosing(_pieces(response, reader)) as pieces:
            async for content in pieces:
                for event in reader.feed(content):
                    yield event
    except _Lost as lost:
        for event in reader.lose():
            yield event
        if not reader.is_complete:
            raise lost.failure from None
        return
    for event in reader.end():
        yield event


class _Lost(Exception):
    """No more bytes come. `failure` says why, where the answer is not complete."""

    def __init__(self, failure: CallFailed) -> None:
        super().__init__(str(failure))
        self.failure = failure


async def _pieces(response: Any, reader: AnswerReader) -> AsyncGenerator[bytes, None]:
    """Yield the bytes of an answer, within the limits. Raises `_Lost`, and `CallFailed` for one that does not end."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    size = 0
    try:
        # A model that reasons first may send nothing for a long time after the headers.
        async with asyncio.timeout(settings.FIRST_BYTE_SECONDS) as limit:
            # To set a timer anew for each token is not free.
            moved, step = 0.0, settings.STALL_SECONDS / 20
            async for content in response.iter_bytes():
                now = loop.time()
                size += len(content)
                if size > settings.MAX_ANSWER_BYTES or now - started > settings.CALL_SECONDS:
                    raise CallFailed("The answer exceeded the limits and was stopped.", "endless")
                yield content
                if reader.is_done:
                    if reader.has_usage:
                        return
                    # Some tell the usage after the end.
                    limit.reschedule(loop.time() + AFTER_END_SECONDS)
                    continue
                # A step through all layers of the libraries for each token costs more than the token.
                if len(_reading) >= FEW and len(content) < SMALL:
                    await asyncio.sleep(min(JOINED_SECONDS, len(_reading) * JOINED_A_CALL))
                if now - moved >= step:
                    moved = loop.time()
                    limit.reschedule(moved + settings.STALL_SECONDS + step)
    except TimeoutError:
        if reader.is_done:
            return
        waited = settings.STALL_SECONDS if size else settings.FIRST_BYTE_SECONDS
        raise _Lost(CallFailed(f"The provider sent nothing for {waited:g} s. Try again.", "stalled")) from None
    except (CallFailed, asyncio.CancelledError, GeneratorExit):
        raise
    except Exception:
        # The SDK passes on what its HTTP library raises in the middle of a body, of whatever class.
        lost = CallFailed("The connection to the provider was lost during the answer. Try again.", "dropped")
        raise _Lost(lost) from None
