"""Django's ASGI handler over the synchronous middleware: one thread works out the answer, the event loop sends it.

Django's own changes threads for nearly each middleware, which costs a streamed answer more than all of its tokens.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import Any

from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.db import close_old_connections
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from stores.background.threads import LOOP

# Threads are started as they are needed. A request needs one until its answer begins.
_threads = ThreadPoolExecutor(max_workers=32, thread_name_prefix="answers")


class BodyNotHeld(Exception):
    """The body of a request cannot be held on the disk; nothing has been answered yet."""


class ThreadHandler(ASGIHandler):
    """Answers requests by the middleware and views that another handler has loaded."""

    def __init__(self, loaded: BaseHandler) -> None:
        # Not that of the class above, which would load all middleware once more.
        self._loaded = loaded

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one HTTP request. Its view is not broken off when the client leaves, its stream is.

        Raises `BodyNotHeld`."""
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        except OSError as error:
            raise BodyNotHeld from error
        # From the beginning, as Django's own does.
        leaving = asyncio.create_task(self.listen_for_disconnect(receive))
        try:
            loop = asyncio.get_running_loop()
            with closing(body):
                response = await loop.run_in_executor(_threads, self._answer, scope | {LOOP: loop}, body)
            try:
                await self._send(response, send, leaving)
            finally:
                response.close()
        finally:
            await _end(leaving)

    def _answer(self, scope: Any, body: Any) -> Any:
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=type(self), scope=scope)
        try:
            request, refusal = self.create_request(scope, body)
            response: Any = refusal if request is None else self._loaded.get_response(request)
            response._handler_class = type(self)
            return response
        finally:
            close_old_connections()

    async def _send(self, response: HttpResponseBase, send: Any, leaving: "asyncio.Task[None]") -> None:
        sending = asyncio.create_task(self.send_response(response, send))
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _end(sending)


async def _end(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, RequestAborted):
        await task
