"""Which routes may wait, stream, or take long bodies."""

import re

# A view belongs here when its class says `waits`, when it streams, or when it reads as much as a whole store: none of
# these keeps a small request waiting for a thread. They take bodies in chunks, too.
WAITING_ROUTES: tuple[str, ...] = (
    r"/api/health",
    r"/api/stores/(?:app-chats|app-folders|app-models|app-metrics|agi-client-workspace|agi-live-file)",
    r"/api/chats/export",
    r"/api/chats/[^/]+/export",
    r"/api/assets/[^/]+/content",
    r"/api/metrics/events",
    r"/api/migrations/[^/]+/(?:events|resume)",
    r"/api/chats/[^/]+/generate",
    r"/api/services/[^/]+/(?:refresh|test)",
    r"/api/test-ai",
    r"/api/generations/[^/]+",
    r"/api/generations/[^/]+/events",
    r"/api/generations/[^/]+/stop",
)

UPLOAD_ROUTE = "/api/migrations"
"""Where files of any length are sent: the view reads them as they come."""

_waiting_path = re.compile(rf"(?:{'|'.join(WAITING_ROUTES)})/?")


def is_waiting_path(path: str) -> bool:
    """Tell whether `path` (decoded, without the query) is one of `WAITING_ROUTES`."""
    return _waiting_path.fullmatch(path) is not None


def is_store(path: str) -> bool:
    """Tell whether the request is for a whole store, the only bodies beyond 10 MiB among these routes."""
    return path.startswith("/api/stores/")


def is_upload(method: str, path: str) -> bool:
    """Tell whether the request's body is read by its view, not before it."""
    return method == "POST" and path.removesuffix("/") == UPLOAD_ROUTE
