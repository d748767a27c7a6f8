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
from bigagi_site.asgi_handler import ThreadHandler
from bigagi_site.refusals import build_refusal
from bigagi_site.routes import is_asgi_path, is_store, is_upload
from stores.api.bodies import hold_body, read_at_most
from stores.api.parsers import MAX_BODY, MAX_CHAT
from stores.api.request_ids import HEADER

django_asgi = ThreadHandler(wsgi_application)
django_wsgi: Any = WSGIMiddleware(cast(Any, wsgi_application), workers=10)

Scope = dict[str, Any]
# Each of the libraries has types of its own for messages.
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Dispatch one HTTP request by `routes.ASGI_ROUTES`."""
    if is_upload(scope["method"], scope["path"]):
        await django_asgi(*hold_body(scope, receive), send)
    elif is_asgi_path(scope["path"]):
        await django_asgi(scope, read_at_most(receive, MAX_CHAT if is_store(scope["path"]) else MAX_BODY), send)
    elif _has_no_length(scope):
        await _refuse_without_length(scope, send)
    else:
        await django_wsgi(scope, receive, send)


def _has_no_length(scope: Scope) -> bool:
    """Tell whether the body comes in chunks: WSGI knows no such body, and the view would see an empty one."""
    names = {name.lower() for name, _ in scope["headers"]}
    return b"transfer-encoding" in names and b"content-length" not in names


async def _refuse_without_length(scope: Scope, send: Send) -> None:
    # uvicorn passes over the rest of the body: closed under a client that is still sending, the connection would lose
    # this answer.
    given = dict(scope["headers"]).get(HEADER.lower().encode(), b"")
    detail = "Content-Length is required: this server cannot read a chunked body."
    headers, body = build_refusal(scope["path"], given.decode("latin-1"), 411, detail)
    await send({"type": "http.response.start", "status": 411, "headers": headers})
    await send({"type": "http.response.body", "body": body})
