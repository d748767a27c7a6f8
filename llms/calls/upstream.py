"""Calls over the network: OpenAI's SDK sends and retries; its raw stream is read here, since typed chunks cost much."""

import asyncio
import weakref
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import orjson
from django.conf import settings

from llms.calls.chunks import events_of
from llms.calls.events import CallFailed, Event, Finish, Reasoning, Request, Text
from llms.calls.failures import describe_error
from llms.calls.sse import EventReader
from llms.vendors.endpoint import Endpoint
from stores.jsontext import UndecodableJSON, decode

if TYPE_CHECKING:
    from openai import AsyncOpenAI

MAX_ERROR = 64 * 1024
SHORTEST_KEY = 8
RETRIES = 1
JOINED_SECONDS, JOINED_A_CALL = 0.05, 0.0006
"""Bytes that arrive within this time are read together: longer with more parallel calls."""
FEW, SMALL = 8, 4096
"""Below this number of calls there is no pause; above this number of bytes nothing is held back."""

# By the loop itself: another loop can get the number of one that is gone.
_clients: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Any]" = weakref.WeakKeyDictionary()
_reading: set[Any] = set()
"""The answers that are being read."""


def _shared_http() -> Any:
    """Return the HTTP client of this event loop: one session, without a limit of connections."""
    import httpx2
    from openai import DefaultAioHttpClient

    loop = asyncio.get_running_loop()
    if loop not in _clients:
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=100)
        _clients[loop] = DefaultAioHttpClient(limits=limits)
    return _clients[loop]


async def close_http() -> None:
    """Close the HTTP client of this event loop; for loops that live for one call alone."""
    client = _clients.pop(asyncio.get_running_loop(), None)
    if client is not None:
        await client.aclose()


def open_client(endpoint: Endpoint, *, retries: int = RETRIES) -> "AsyncOpenAI":
    """Return OpenAI's client for the endpoint, on the HTTP client that all calls share."""
    import httpx2
    from openai import AsyncOpenAI

    timeout = httpx2.Timeout(settings.STALL_SECONDS, connect=settings.CONNECT_SECONDS, read=settings.STALL_SECONDS)
    return AsyncOpenAI(
        base_url=endpoint.base_url,
        api_key=endpoint.key or "none",
        http_client=_shared_http(),
        timeout=timeout,
        max_retries=retries,
        default_headers=dict(endpoint.headers),
    )


async def stream_call(endpoint: Endpoint, request: Request) -> AsyncGenerator[Event, None]:
    """Yield what the model answers, as it comes. Raises `CallFailed`; closing the iterator ends the call."""
    import httpx2
    import openai

    # The provider may charge for a request even without an answer: it is never sent twice.
    client = open_client(endpoint, retries=0)
    # Timeouts are applied here: the library has the same one for the first byte and all later ones.
    options: Any = {
        "timeout": httpx2.Timeout(None, connect=settings.CONNECT_SECONDS),
        "headers": {"X-Stainless-Raw-Response": "stream"},
    }
    try:
        async with asyncio.timeout(settings.FIRST_BYTE_SECONDS):
            # Not by the typed method, which walks through all messages once more to rename what needs no new name.
            response: Any = await client.post(
                "/chat/completions",
                cast_to=object,
                body=build_body(endpoint, request),
                options=options,
                stream=True,
                stream_cls=openai.AsyncStream[object],
            )
    except (openai.APIError, TimeoutError) as error:
        raise await failure_of(endpoint, error) from None
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
    is_ended = False
    try:
        async with aclosing(_batches(response)) as batches:
            async for texts in batches:
                for event in _events(texts, cache_inside_input=endpoint.vendor.cache_inside_input):
                    is_ended = is_ended or isinstance(event, Finish)
                    yield event
    except _Done:
        return
    except CallFailed as error:
        if not is_ended:
            raise CallFailed(hide_key(str(error), endpoint.key), error.kind, error.status, error.retry_after) from None
    if not is_ended:
        raise CallFailed(
            "The provider closed the connection without ending the answer, so it may be incomplete. Try again.",
            "dropped",
        )


class _Done(Exception):
    """The provider's word for the end."""


def _events(texts: list[str], *, cache_inside_input: bool) -> Iterator[Event]:
    """Yield what the JSON texts tell, pieces that follow each other as one. Raises `CallFailed`, after what came
    before it."""
    held: Text | Reasoning | None = None
    try:
        for text in texts:
            for event in events_of(_decode(text), cache_inside_input=cache_inside_input):
                if isinstance(event, Text | Reasoning) and type(held) is type(event):
                    held.text += event.text
                    continue
                if held is not None:
                    yield held
                held = event if isinstance(event, Text | Reasoning) else None
                if held is None:
                    yield event
    except CallFailed:
        if held is not None:
            yield held
        raise
    if held is not None:
        yield held


async def _batches(response: Any) -> AsyncGenerator[list[str], None]:
    """Yield the JSON texts of an answer, together those that were read together. Raises `CallFailed` and `_Done`."""
    content_type = response.headers.get("content-type", "")
    if "html" in content_type:
        raise CallFailed(
            "The host returned a web page instead of an answer. Check the host of the service.", "malformed"
        )
    # Some answer as a whole where a stream was asked for.
    is_whole = "json" in content_type and "ndjson" not in content_type
    reader = EventReader()
    whole: list[bytes] = []
    async with aclosing(_pieces(response)) as pieces:
        async for content in pieces:
            if is_whole:
                whole.append(content)
                continue
            texts, is_done = _until_done(reader.feed(content))
            if texts:
                yield texts
            if is_done:
                raise _Done
    texts, is_done = _until_done([b"".join(whole).decode("utf-8", "replace")] if is_whole else reader.end())
    if texts:
        yield texts
    if is_done:
        raise _Done


def _until_done(texts: Iterable[str]) -> tuple[list[str], bool]:
    """Return the texts before the provider's word for the end, and whether it came."""
    found: list[str] = []
    for text in texts:
        if text.strip() == "[DONE]":
            return found, True
        found.append(text)
    return found, False


async def _pieces(response: Any) -> AsyncGenerator[bytes, None]:
    """Yield the bytes of an answer, within the limits. Raises `CallFailed`."""
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
                # A step through all layers of the libraries for each token costs more than the token.
                if len(_reading) >= FEW and len(content) < SMALL:
                    await asyncio.sleep(min(JOINED_SECONDS, len(_reading) * JOINED_A_CALL))
                if now - moved >= step:
                    moved = loop.time()
                    limit.reschedule(moved + settings.STALL_SECONDS + step)
    except TimeoutError:
        waited = settings.STALL_SECONDS if size else settings.FIRST_BYTE_SECONDS
        raise CallFailed(f"The provider sent nothing for {waited:g} s. Try again.", "stalled") from None
    except (CallFailed, asyncio.CancelledError, GeneratorExit):
        raise
    except Exception:
        # The SDK passes on what its HTTP library raises in the middle of a body, of whatever class.
        raise CallFailed("The connection to the provider was lost during the answer. Try again.", "dropped") from None


def _decode(data: str) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        # Lone surrogates and large numbers.
        try:
            return decode(data)
        except UndecodableJSON:
            raise CallFailed("The provider sent invalid JSON. Try again.", "malformed") from None


def build_body(endpoint: Endpoint, request: Request) -> dict[str, Any]:
    """Return the parameters of the call, as the vendor names them."""
    vendor = endpoint.vendor
    body: dict[str, Any] = {"model": request.model, "messages": request.messages, "stream": True}
    if vendor.has_usage_option:
        body["stream_options"] = {"include_usage": True}
    if request.max_tokens:
        body[vendor.token_limit] = request.max_tokens
    body |= request.parameters
    return body


async def failure_of(endpoint: Endpoint, error: Exception) -> CallFailed:
    """Convert an exception of OpenAI's client, raised before the answer began, to a `CallFailed`."""
    import openai

    if isinstance(error, openai.APIStatusError):
        body = hide_key(await _error_body(error), endpoint.key)
        return describe_error(error.status_code, body, _retry_after(error))
    if failure := _failure_of_connection(endpoint, error):
        return failure
    if _is_refused(error):
        return CallFailed(_unreachable(endpoint), "unreachable")
    if isinstance(error, openai.APITimeoutError | TimeoutError):
        return CallFailed("The provider did not respond in time. Try again.", "timeout")
    if isinstance(error, openai.APIConnectionError):
        return CallFailed(_unreachable(endpoint), "unreachable")
    return CallFailed("The provider sent an invalid response. Try again.", "malformed")


def hide_key(body: Any, key: str) -> Any:
    """Return the body of an error without the key, which some providers repeat."""
    if len(key) < SHORTEST_KEY:
        return body
    if isinstance(body, str):
        return body.replace(key, "(key)")
    if isinstance(body, dict):
        return {name: hide_key(value, key) for name, value in body.items()}
    return body


def _failure_of_connection(endpoint: Endpoint, error: BaseException | None) -> CallFailed | None:
    """Return what went wrong with the connection; None: it took too long. The SDK calls all of it a timeout."""
    import aiohttp

    while error is not None:
        if isinstance(error, aiohttp.ClientConnectorError):
            return CallFailed(_unreachable(endpoint), "unreachable")
        if isinstance(error, aiohttp.ServerTimeoutError):
            return None
        if isinstance(error, aiohttp.ClientConnectionError | aiohttp.ClientPayloadError):
            return CallFailed("The provider closed the connection before responding. Try again.", "dropped")
        error = error.__cause__ or error.__context__
    return None


def _is_refused(error: BaseException | None) -> bool:
    """Tell whether a connection was refused: the SDK's HTTP client takes that for a timeout too."""
    while error is not None:
        if isinstance(error, OSError) and not isinstance(error, TimeoutError):
            return True
        error = error.__cause__ or error.__context__
    return False


async def _error_body(error: Any) -> Any:
    if isinstance(error.body, dict | str) and error.body:
        return error.body
    try:
        content = (await error.response.aread())[:MAX_ERROR]
    except Exception:
        # What an error says is only shown; that it cannot be read changes nothing.
        return ""
    text = content.decode("utf-8", "replace")
    try:
        return decode(text)
    except UndecodableJSON:
        return text


def _retry_after(error: Any) -> float | None:
    try:
        seconds = float(error.response.headers.get("retry-after", ""))
    except ValueError:
        return None
    return seconds if 0 < seconds < 86_400 else None


def _unreachable(endpoint: Endpoint) -> str:
    return f"Cannot reach {endpoint.host}. Check that it is running and that this machine is online, then try again."
