"""The one process: streams by Django's ASGI application, all other requests by its WSGI application.

A JSON request through a2wsgi costs a third of one through the ASGI handler, which changes threads for it several times.
"""

import os
from collections.abc import Awaitable, Callable
from typing import Any, cast

from a2wsgi import WSGIMiddleware

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bigagi_site.settings")

from bigagi_site.wsgi import application as wsgi_application

# isort: split
from bigagi_site.asgi_handler import BodyNotHeld, ThreadHandler
from bigagi_site.refusals import build_refusal
from bigagi_site.routes import is_asgi_path, is_store, is_upload
from stores.api.bodies import hold_body, read_at_most
from stores.api.parsers import MAX_BODY, MAX_CHAT
from stores.api.problems import describe_broken
from stores.api.request_ids import HEADER
from stores.outcomes import Stored

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
    elif _has_no_length(scope):
        await _refuse(scope, send, 411, NO_LENGTH, None)
    else:
        await django_wsgi(scope, receive, send)


def _has_no_length(scope: Scope) -> bool:
    """Tell whether the body comes in chunks: WSGI knows no such body, and the view would see an empty one."""
    names = {name.lower() for name, _ in scope["headers"]}
    return b"transfer-encoding" in names and b"content-length" not in names


async def _refuse(scope: Scope, send: Send, status: int, detail: str, kind: str | None) -> None:
    # The connection stays open, and uvicorn passes over the rest of the body: closed under a client that is still
    # sending, it would lose this answer.
    given = dict(scope["headers"]).get(HEADER.lower().encode(), b"")
    headers, body = build_refusal(scope["path"], given.decode("latin-1"), status, detail, kind=kind)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
