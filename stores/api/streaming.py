"""Answers that are longer than memory should hold, under WSGI and ASGI."""

import asyncio
import threading
from collections.abc import AsyncIterator, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from django.core.handlers.asgi import ASGIRequest
from django.db import close_old_connections
from django.http import StreamingHttpResponse
from rest_framework.request import Request

CHUNK = 64 * 1024
"""Bytes sent at a time, at least."""

# Few threads, and so few database connections, however many readers there are.
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="streams")


def stream(request: Request, pieces: Iterator[bytes], **kwargs: Any) -> StreamingHttpResponse:
    """Return a response that sends the pieces as the reader takes them."""
    chunks = join_pieces(iter(()) if request.method == "HEAD" else pieces)
    if isinstance(request._request, ASGIRequest):
        # Django's ASGI handler collects all that a plain iterator gives before it sends the first byte.
        return StreamingHttpResponse(_pull(chunks), **kwargs)
    return StreamingHttpResponse(chunks, **kwargs)


def join_pieces(pieces: Iterator[bytes]) -> Generator[bytes, None, None]:
    """Yield the pieces joined to chunks of `CHUNK` bytes or more."""
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= CHUNK:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


async def _pull(chunks: Generator[bytes, None, None]) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    # A reader who leaves cancels the await, not the thread: closing has to wait for it.
    lock = threading.Lock()

    def take() -> bytes | None:
        with lock:
            try:
                return next(chunks, None)
            finally:
                close_old_connections()

    def close() -> None:
        with lock:
            chunks.close()

    try:
        while (chunk := await loop.run_in_executor(_threads, copy_context().run, take)) is not None:
            yield chunk
    finally:
        _threads.submit(close)
