"""Which requests Django's ASGI application answers."""

import re

# A view belongs here when it is a coroutine function. A synchronous view that streams stays with WSGI:
# Django's ASGI handler would collect all that it yields in memory before it sent the first byte.
ASGI_ROUTES: tuple[str, ...] = (r"/api/health",)

_asgi_path = re.compile(rf"(?:{'|'.join(ASGI_ROUTES)})/?")


def is_asgi_path(path: str) -> bool:
    """Tell whether the request for `path` (decoded, without the query) goes to Django's ASGI application."""
    return _asgi_path.fullmatch(path) is not None
