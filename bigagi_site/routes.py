"""Which requests Django's ASGI application answers."""

import re

# A view belongs here when it is a coroutine function, or streams by `stores.api.streaming`: Django's ASGI handler would
# collect a plain iterator in memory before the first byte. Under WSGI a reader who goes away in the middle of a stream
# leaves a worker waiting for ever.
ASGI_ROUTES: tuple[str, ...] = (
    r"/api/health",
    r"/api/stores/(?:app-chats|app-folders|app-models|app-metrics|agi-client-workspace|agi-live-file)",
    r"/api/chats/export",
    r"/api/chats/[^/]+/export",
    r"/api/assets/[^/]+/content",
    r"/api/metrics/events",
    r"/api/chats/[^/]+/generate",
    r"/api/test-ai",
    r"/api/generations/[^/]+",
    r"/api/generations/[^/]+/events",
    r"/api/generations/[^/]+/stop",
)

UPLOAD_ROUTE = "/api/migrations"
"""Where files of any length are sent: the view reads them as they come."""

_asgi_path = re.compile(rf"(?:{'|'.join(ASGI_ROUTES)})/?")


def is_asgi_path(path: str) -> bool:
    """Tell whether the request for `path` (decoded, without the query) goes to Django's ASGI application."""
    return _asgi_path.fullmatch(path) is not None


def is_store(path: str) -> bool:
    """Tell whether the request is for a whole store, the only bodies beyond 10 MiB among these routes."""
    return path.startswith("/api/stores/")


def is_upload(method: str, path: str) -> bool:
    """Tell whether the request's body is read by its view, not before it."""
    return method == "POST" and path.removesuffix("/") == UPLOAD_ROUTE
