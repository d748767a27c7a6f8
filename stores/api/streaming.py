"""Answers that are longer than memory should hold.

What fails before the first bytes is an error like any other. What breaks later ends without the end that HTTP asks for,
so that no client takes half of it for the whole, and its last line says why.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from itertools import chain
from typing import Any

import structlog
from django.core.handlers.asgi import ASGIRequest
from django.db import close_old_connections
from django.http import StreamingHttpResponse
from rest_framework.request import Request

from stores.api.problems import READS
from stores.api.request_ids import request_id_of
from stores.records.commits import Stored
from stores.records.jsontext import encode
from stores.records.problem_details import describe_broken, describe_problem

CHUNK = 64 * 1024
"""Bytes sent at a time, at least."""

TEXTS = ("application/json", "application/x-ndjson", "text/csv")
"""Types of content that can end with a line that says why it breaks off."""

logger = structlog.get_logger("api")

# Few threads, and so few database connections, however many readers there are.
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="streams")


def stream(request: Request, pieces: Iterator[bytes], **kwargs: Any) -> StreamingHttpResponse:
    """Return a response that sends the pieces as the reader takes them. Raises what the first of them raise."""
    chunks = join_pieces(iter(()) if request.method == "HEAD" else pieces)
    # The status is sent before the first bytes: what fails until then has its own.
    first = [chunk for chunk in (next(chunks, None),) if chunk is not None]
    content_type = kwargs.get("content_type") or kwargs.get("headers", {}).get("Content-Type", "")
    chunks = _break_off_in_words(request, chain(first, chunks), content_type)
    if isinstance(request._request, ASGIRequest):
        # Django's ASGI handler collects all that a plain iterator gives before it sends the first byte.
        return StreamingHttpResponse(_pull(chunks), **kwargs)
    return StreamingHttpResponse(chunks, **kwargs)


def join_pieces(pieces: Iterator[bytes]) -> Generator[bytes, None, None]:
    """Yield the pieces joined to chunks of `CHUNK` bytes or more; what breaks off later than in the first of them, with
    all that came before."""
    held: list[bytes] = []
    size = 0
    is_first = True
    try:
        for piece in pieces:
            held.append(piece)
            size += len(piece)
            if size >= CHUNK:
                yield b"".join(held)
                held, size, is_first = [], 0, False
    except Exception:
        if held and not is_first:
            yield b"".join(held)
        raise
    if held:
        yield b"".join(held)


def _break_off_in_words(request: Request, chunks: Iterator[bytes], content_type: str) -> Generator[bytes, None, None]:
    """Yield the chunks; where they break off, a line that says why, and then raise."""
    try:
        yield from chunks
    except Exception as error:
        logger.exception("a stream broke off", request_id=request_id_of(request))
        if any(kind in content_type for kind in TEXTS):
            # What a write answers with has been stored before.
            stored = Stored.NOT_ASKED if request.method in READS else Stored.SOME
            status, detail, kind = describe_broken(error, stored)
            problem = describe_problem(request.path, request_id_of(request), status, detail, kind=kind)
            # Lines end with a line feed, JSON in the middle of something.
            before = "\n" if content_type.startswith("application/json") else ""
            yield f"{before}{encode({'_server': {'problem': problem}})}\n".encode("ascii")
        raise


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
