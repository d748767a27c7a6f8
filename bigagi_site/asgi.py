"""The one process: streams by Django's ASGI application, all other requests by its WSGI application.

A JSON request through a2wsgi costs a third of one through the ASGI handler, which changes threads for it several times.
"""

import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, cast

from a2wsgi import WSGIMiddleware
from django.urls import Resolver404, resolve

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bigagi_site.settings")

from bigagi_site.wsgi import application as wsgi_application

# isort: split
from bigagi_site.asgi_handler import BodyNotHeld, ThreadHandler
from bigagi_site.refusals import build_refusal
from bigagi_site.routes import is_asgi_path, is_store, is_upload
from stores.api.bodies import hold_body, read_at_most, whole_body
from stores.api.middleware import is_api_path
from stores.api.parsers import MAX_BODY, MAX_CHAT, MIB, too_large
from stores.api.request_ids import HEADER
from stores.records.commits import Stored
from stores.records.problem_details import describe_broken

django_asgi = ThreadHandler(wsgi_application)
django_wsgi: Any = WSGIMiddleware(cast(Any, wsgi_application), workers=10)

NO_LENGTH = "Content-Length is required: this server cannot read a chunked body."

Scope = dict[str, Any]
# Each of the libraries has types of its own for messages.
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Dispatch one HTTP request by `routes.ASGI_ROUTES`."""
    if is_upload(scope["method"], scope["path"]):
        await django_asgi(*hold_body(scope, receive), send)
    elif is_asgi_path(scope["path"]):
        limit = MAX_CHAT if is_store(scope["path"]) else MAX_BODY
        try:
            await django_asgi(scope, read_at_most(receive, limit), send)
        except BodyNotHeld as error:
            await _refuse(scope, send, *describe_broken(error, Stored.NOTHING))
    else:
        await _answer_by_wsgi(scope, receive, send)


async def _answer_by_wsgi(scope: Scope, receive: Receive, send: Send) -> None:
    headers = dict(scope["headers"])
    length = int(headers.get(b"content-length", b"0"))
    if not length:
        # WSGI knows no body in chunks, and the view would see an empty one.
        if b"transfer-encoding" in headers:
            await _refuse(scope, send, 411, NO_LENGTH, None)
        else:
            await django_wsgi(scope, receive, send)
    elif length > MAX_BODY and length > (limit := _limit_of(scope["path"])):
        is_of_api = is_api_path(scope["path"])
        detail = str(too_large(limit).detail) if is_of_api else f"A form must have at most {limit // MIB} MiB."
        await _refuse(scope, send, 413, detail, None)
    else:
        async with AsyncExitStack() as stack:
            try:
                held = await stack.enter_async_context(whole_body(receive))
            except OSError as error:
                await _refuse(scope, send, *describe_broken(error, Stored.NOTHING))
                return
            if held is not None:
                await django_wsgi(scope, held, send)


def _limit_of(path: str) -> int:
    """Return how many bytes a body may have that is sent to `path`."""
    try:
        view = resolve(path).func
    except Resolver404:
        return MAX_BODY
    return int(getattr(getattr(view, "cls", None), "max_body", MAX_BODY))


async def _refuse(scope: Scope, send: Send, status: int, detail: str, kind: str | None) -> None:
    # The connection stays open, and uvicorn passes over the rest of the body: closed under a client that is still
    # sending, it would lose this answer.
    given = dict(scope["headers"]).get(HEADER.lower().encode(), b"")
    headers, body = build_refusal(scope["path"], given.decode("latin-1"), status, detail, kind=kind)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
