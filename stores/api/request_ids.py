"""One id per request: in the header `X-Request-ID`, in problems, and in the log."""

import re
import uuid

from django.http import HttpRequest

HEADER = "X-Request-ID"
_META = "HTTP_X_REQUEST_ID"
_SAFE = re.compile(r"[A-Za-z0-9._\-]{1,64}")


def assign_request_id(request: HttpRequest) -> str:
    """Assign the request's id: the client's own if it is safe to log, otherwise a new one.

    It is stored where the request log looks for an id from upstream (DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID).
    """
    request_id = request.META[_META] = choose_request_id(request.META.get(_META, ""))
    return request_id


def choose_request_id(given: str) -> str:
    """Return the client's id if it is safe to log, otherwise a new one."""
    return given if _SAFE.fullmatch(given) else str(uuid.uuid4())


def request_id_of(request: HttpRequest) -> str:
    """Return the request's id; empty where no middleware gave it one."""
    return str(request.META.get(_META, ""))
