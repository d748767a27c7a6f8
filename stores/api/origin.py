"""Who makes a request, as named in the journal."""

from typing import Any

from django.http import HttpRequest
from rest_framework.request import Request

from stores.api.request_ids import request_id_of
from stores.models import Change
from stores.records.journal.recorder import Origin

SHORT_BODY = 2_000
"""Largest body, in bytes, that the journal keeps so that the request can be repeated."""


_PAGES = {"chat": Change.Source.CHAT, "test": Change.Source.TEST}
"""The header in which our pages name themselves; model calls with the source `test` are not counted."""


def origin_of(request: Request) -> Origin:
    """Return who makes this request, and the request itself as it can be shown."""
    call: dict[str, Any] = {"method": request.method, "path": request.get_full_path()}
    size = int(request.META.get("CONTENT_LENGTH") or 0)
    if size > SHORT_BODY:
        call["body_size"] = size
    elif size and isinstance(request.data, dict | list):
        call["body"] = request.data
    return Origin(_source_of(request), actor_of(request), request_id_of(request), call)


def _source_of(request: Request) -> str:
    # A client with a token is no page, whatever it says.
    page = request.headers.get("X-Bigagi-Source", "") if request.auth is None else ""
    return _PAGES.get(page, Change.Source.API)


def actor_of(request: Request | HttpRequest) -> str:
    """Return the name of the user, with that of the token they showed."""
    name = request.user.get_username()
    # A page's request has no `auth`.
    token = getattr(getattr(request, "auth", None), "name", "")
    return f"{name} · {token}" if token else name
