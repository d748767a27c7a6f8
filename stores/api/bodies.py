"""Bodies of requests, before a view has them.

They are read whole before a thread is taken, even from unauthenticated clients, into the system's temporary folder: a
client that is slow, or never ends, holds no thread, and of a body that is cut off no view sees the half. Django's ASGI
handler does so itself; here a body is cut at the largest size any view accepts, and that of an upload is left to its
view.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Scope = dict[str, Any]

HELD_BODY = "bigagi.body"
"""The member of the scope that has the body of an upload."""


class Reader(Protocol):
    """A source of a body. `read` may return less than requested, and returns nothing at the end."""

    def read(self, size: int = -1, /) -> bytes: ...


class BrokenOff(OSError):
    """The client disconnected while sending the body."""


class HeldBody:
    """The body of a request under ASGI, for a view that runs in a thread."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        self._has_begun = False
        self._waiting = b""

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, some at least before the end. Raises `BrokenOff`."""
        parts = [self._waiting]
        while (size < 0 or not parts[-1]) and not self._ended.is_set():
            message = asyncio.run_coroutine_threadsafe(self._next(), self._loop).result()
            if message["type"] != "http.request":
                raise BrokenOff("the body was cut off")
            parts.append(message.get("body", b""))
        held = b"".join(parts)
        cut = len(held) if size < 0 else size
        self._waiting = held[cut:]
        return held[:cut]

    async def _next(self) -> Message:
        message: Message = await self._receive()
        if message["type"] != "http.request" or not message.get("more_body", False):
            self._ended.set()
        return message

    async def receive(self) -> Message:
        """Tell Django's handler that the body is empty, and later when the client disconnects."""
        if not self._has_begun:
            self._has_begun = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._ended.wait()
        message: Message = await self._receive()
        return message


def hold_body(scope: Scope, receive: Receive) -> tuple[Scope, Receive]:
    """Return scope and receive that let the view read the body after it has authenticated the client."""
    body = HeldBody(receive)
    return scope | {HELD_BODY: body}, body.receive


def read_at_most(receive: Receive, limit: int) -> Receive:
    """Return a receive that ends a body with the piece that goes beyond `limit` bytes; the view sees that it is too
    long, and need not wait for a client that never ends. The rest is read and dropped."""
    seen = 0

    async def limited() -> Message:
        nonlocal seen
        message: Message = await receive()
        while seen > limit and message["type"] == "http.request":
            message = await receive()
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            if seen > limit:
                return message | {"more_body": False}
        return message

    return limited


def body_of(request: HttpRequest) -> Reader:
    """Return what the body of an upload is read from."""
    held = getattr(request, "scope", {}).get(HELD_BODY)
    return request if held is None else held


def assign_length(request: HttpRequest) -> None:
    """Set the length of a chunked body: DRF treats a body without a length as empty."""
    if isinstance(request, ASGIRequest) and not request.META.get("CONTENT_LENGTH") and HELD_BODY not in request.scope:
        file = request._stream
        size = file.seek(0, 2)
        file.seek(0)
        if size:
            request.META["CONTENT_LENGTH"] = str(size)
