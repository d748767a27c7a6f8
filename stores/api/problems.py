"""Errors as `application/problem+json` (RFC 9457), for everything under /api/."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import (
    DisallowedHost,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.core.signals import got_request_exception
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions

from stores.api.renderers import write_json
from stores.api.request_ids import request_id_of
from stores.records.errors import Conflict, Invalid, KeyReused, Missing, ServiceError, ShuttingDown, Taken, pointer_of
from stores.records.faults import BUSY
from stores.records.ids import UnknownId
from stores.records.problem_details import describe_problem, describe_unexpected

CONTENT_TYPE = "application/problem+json"
MALFORMED = "The request is malformed."
NOTHING_HERE = "Nothing was found at this address."
RETRY_SECONDS = 5
"""After which a request may be tried again that waited for the database in vain."""
READS = ("GET", "HEAD", "OPTIONS")


class Problem(exceptions.APIException):
    """An error raised by a view: status, detail, and the errors of single fields or parameters."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        kind: str | None = None,
        errors: list[dict[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status_code = status
        self.kind = kind
        self.errors = errors or []
        self.headers = dict(headers or {})
        self.extra: dict[str, Any] = {}
        """Additional members of the problem."""


def bad_parameter(name: str, detail: str, code: str = "invalid") -> Problem:
    """Return the problem of one query parameter."""
    return Problem(400, detail, errors=[{"pointer": f"?{name}", "detail": detail, "code": code}])


def wrong_members(errors: list[dict[str, str]]) -> Problem:
    """Return the problem of a record that has such errors."""
    return Problem(400, f"{errors[0]['pointer']}: {errors[0]['detail']}", errors=errors)


def problem_response(
    request: HttpRequest,
    status: int,
    detail: str,
    *,
    kind: str | None = None,
    errors: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """Return the error response."""
    problem = describe_problem(request.path, request_id_of(request), status, detail, kind=kind, errors=errors)
    problem |= extra or {}
    return HttpResponse(write_json(problem), status=status, content_type=CONTENT_TYPE, headers=headers)


def unexpected_response(request: HttpRequest, error: BaseException | None) -> HttpResponse:
    """Return the error response for an exception that no view expects: a fault of the disk or the database by its name,
    any other without details; and what of the request is stored."""
    status, detail, kind = describe_unexpected(error, only_reads=request.method in READS)
    headers = {"Retry-After": str(RETRY_SECONDS)} if kind == BUSY.kind else {}
    return problem_response(request, status, detail, kind=kind, headers=headers)


def describe_refused(error: BaseException | None) -> tuple[int, str]:
    """Return the status and the words for a request that Django refuses to read."""
    if isinstance(error, RequestDataTooBig):
        return 413, f"A form must have at most {settings.DATA_UPLOAD_MAX_MEMORY_SIZE >> 20} MiB."
    if isinstance(error, TooManyFieldsSent | TooManyFilesSent):
        return 400, f"A request must have at most {settings.DATA_UPLOAD_MAX_NUMBER_FIELDS} parameters or fields."
    if isinstance(error, DisallowedHost):
        return 400, "This server does not answer to this host name. Add the name to BIGAGI_ALLOWED_HOSTS."
    return 400, MALFORMED


def handle_exception(exc: Exception, context: dict[str, Any]) -> HttpResponse:
    """Return the problem for an exception of a DRF view. An unexpected one is logged, and returned without details."""
    request = context["request"]
    if isinstance(exc, Http404 | UnknownId):
        exc = exceptions.NotFound(NOTHING_HERE)
    elif isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied()
    elif isinstance(exc, SuspiciousOperation):
        exc = Problem(*describe_refused(exc))
    elif isinstance(exc, ServiceError):
        exc = _problem_of(exc)
    if not isinstance(exc, exceptions.APIException):
        # The request log writes the traceback on this signal.
        got_request_exception.send(sender=None, request=request._request)
        return unexpected_response(request, exc)
    headers = exc.headers if isinstance(exc, Problem) else {}
    if challenge := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(exc, "wait", None):
        headers["Retry-After"] = str(int(wait))
    errors = exc.errors if isinstance(exc, Problem) else list(errors_in(exc.detail))
    kind = exc.kind if isinstance(exc, Problem) else None
    # If fields have errors, the first one is the summary.
    detail = errors[0]["detail"] if errors and not isinstance(exc, Problem) else str(exc.detail)
    extra = exc.extra if isinstance(exc, Problem) else None
    return problem_response(request, exc.status_code, detail, kind=kind, errors=errors, headers=headers, extra=extra)


def _problem_of(error: ServiceError) -> Problem:
    if isinstance(error, Missing):
        return Problem(404, str(error))
    if isinstance(error, Taken):
        return Problem(409, str(error), kind="id-taken")
    if isinstance(error, Conflict):
        problem = Problem(409, str(error), kind=error.kind)
        problem.extra = error.facts
        return problem
    if isinstance(error, ShuttingDown):
        return Problem(503, str(error))
    if isinstance(error, KeyReused):
        return Problem(422, str(error))
    return Problem(400, str(error), errors=error.errors if isinstance(error, Invalid) else [])


def errors_in(detail: Any, pointer: str = "") -> Iterator[dict[str, str]]:
    """Yield the errors of DRF's nested lists and dicts of them; pointers are JSON Pointers into the body."""
    if isinstance(detail, dict):
        for key, inner in detail.items():
            yield from errors_in(inner, pointer + pointer_of(str(key)))
    elif isinstance(detail, list):
        for at, inner in enumerate(detail):
            # The messages about one member are a list, its own members' are dicts.
            yield from errors_in(inner, f"{pointer}/{at}" if isinstance(inner, dict | list) else pointer)
    elif pointer:
        yield {"pointer": pointer, "detail": str(detail), "code": getattr(detail, "code", "invalid")}
