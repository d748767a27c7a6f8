"""The one process: Django's views in threads, behind checks of the body that need none."""

import os
from collections.abc import Awaitable, Callable
from typing import Any

from django.urls import Resolver404, resolve

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bigagi_site.settings")

from bigagi_site.wsgi import application as loaded

# isort: split
from bigagi_site.asgi_handler import BodyNotHeld, ThreadHandler
from bigagi_site.refusals import build_refusal
from bigagi_site.routes import is_store, is_upload, is_waiting_path
from stores.api.bodies import hold_body, read_at_most
from stores.api.middleware import is_api_path
from stores.api.parsers import MAX_BODY, MAX_CHAT, MIB, too_large
from stores.api.request_ids import HEADER
from stores.records.commits import Stored
from stores.records.problem_details import describe_broken

# Those that may wait, as for a model, keep no others waiting.
may_wait = ThreadHandler(loaded, "waiting", threads=32)
waits_for_nobody = ThreadHandler(loaded, "requests", threads=10)

NO_LENGTH = "Content-Length is required: this route cannot read a chunked body."

Scope = dict[str, Any]
# Each of the libraries has types of its own for messages.
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one HTTP request."""
    try:
        if is_upload(scope["method"], scope["path"]):
            await may_wait(*hold_body(scope, receive), send)
        elif is_waiting_path(scope["path"]):
            limit = MAX_CHAT if is_store(scope["path"]) else MAX_BODY
            await may_wait(scope, read_at_most(receive, limit), send)
        elif refusal := _find_refusal(scope):
            await _refuse(scope, send, *refusal)
        else:
            await waits_for_nobody(scope, receive, send)
    except BodyNotHeld as error:
        await _refuse(scope, send, *describe_broken(error, Stored.NOTHING))


def _find_refusal(scope: Scope) -> tuple[int, str, str | None] | None:
    """Return why the body cannot be read, before any of it is: status, detail and kind."""
    headers = dict(scope["headers"])
    length = int(headers.get(b"content-length", b"0"))
    if not length and b"transfer-encoding" in headers:
        return 411, NO_LENGTH, None
    if length > MAX_BODY and length > (limit := _limit_of(scope["path"])):
        is_of_api = is_api_path(scope["path"])
        detail = str(too_large(limit).detail) if is_of_api else f"A form must have at most {limit // MIB} MiB."
        return 413, detail, None
    return None


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
