"""Django under ASGI, over synchronous middleware and views: one thread works out the answer, the event loop sends it.

Django's own handler changes threads for nearly each middleware, and a WSGI adapter for each piece of an answer: either
costs several times as much as the handling of a small request.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from contextvars import copy_context
from functools import partial
from typing import Any

from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.db import close_old_connections
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from stores.background.threads import LOOP


class BodyNotHeld(Exception):
    """The body of a request cannot be held on the disk; nothing has been answered yet."""


class ThreadHandler(ASGIHandler):
    """Answers requests by the middleware and views that another handler has loaded, each in one of so many threads."""

    def __init__(self, loaded: BaseHandler, name: str, *, threads: int) -> None:
        # Not that of the class above, which would load all middleware once more.
        self._loaded = loaded
        # They are started as they are needed. A request needs one until its answer begins.
        self._threads = ThreadPoolExecutor(threads, name)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one HTTP request. Its view is not broken off when the client leaves, its stream is.

        Raises `BodyNotHeld`."""
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        except OSError as error:
            raise BodyNotHeld from error
        loop = asyncio.get_running_loop()
        with closing(body):
            # What a request leaves in its context is not met by the next one of the thread.
            answer = partial(copy_context().run, self._answer, scope | {LOOP: loop}, body)
            response = await loop.run_in_executor(self._threads, answer)
        if not response.streaming:
            await self.send_response(response, send)
            return
        if not response.is_async:
            response.block_size = self.chunk_size
            response.streaming_content = _pull(response.streaming_content)
        try:
            await self._send_stream(response, receive, send)
        finally:
            response.close()

    def _answer(self, scope: Any, body: Any) -> Any:
        """Return the response; one that does not stream is closed already."""
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=type(self), scope=scope)
        try:
            request, refusal = self.create_request(scope, body)
            response: Any = refusal if request is None else self._loaded.get_response(request)
            response._handler_class = type(self)
            if not response.streaming:
                response.close()
                _part(response)
            return response
        finally:
            close_old_connections()

    async def _send_stream(self, response: HttpResponseBase, receive: Any, send: Any) -> None:
        leaving = asyncio.create_task(self.listen_for_disconnect(receive))
        sending = asyncio.create_task(self.send_response(response, send))
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _end(leaving)
            await _end(sending)


def _part(response: Any) -> None:
    """Part an answer from its view and request, which hold each other in a circle: the texts of a long chat would stay
    in memory until the garbage collector comes, and that is seldom."""
    context = vars(response).pop("renderer_context", {})
    for name in ("view", "request"):
        if name in context:
            vars(context[name]).clear()
    vars(response).pop("data", None)


async def _pull(pieces: Any) -> Any:
    """Yield what an iterator has that only static files have: it waits for nobody."""
    for piece in pieces:
        yield piece


async def _end(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, RequestAborted):
        await task
