"""Middleware for every response under /api/, whichever part of the server produces it."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from structlog.contextvars import bound_contextvars

from stores.api.bodies import assign_length
from stores.api.problems import CONTENT_TYPE, MALFORMED, NOTHING_HERE, problem_response
from stores.api.request_ids import HEADER, assign_request_id
from stores.records.commits import watching_commits
from stores.records.problem_details import SERVER_ERROR

DETAILS = {
    400: MALFORMED,
    403: "This request is not allowed.",
    404: NOTHING_HERE,
    500: SERVER_ERROR,
}


class ApiMiddleware:
    """Give each request an id, and turn every error under /api/ into a problem, including those of other middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # For log lines written outside the request-logging middleware, which is further in.
        with bound_contextvars(request_id=assign_request_id(request)), watching_commits():
            assign_length(request)
            return finish(request, self.get_response(request))


def finish(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Return the response as it leaves the server."""
    if is_api_path(request.path):
        if response.status_code >= 400 and not response.headers.get("Content-Type", "").startswith(CONTENT_TYPE):
            response = _as_problem(request, response)
        # Browsers and proxies must revalidate, with the ETag if there is one.
        response.headers.setdefault("Cache-Control", "private, no-cache")
    response.headers[HEADER] = assign_request_id(request)
    return response


def is_api_path(path: str) -> bool:
    """Tell whether the path belongs to the API."""
    return path == "/api" or path.startswith("/api/")


def _as_problem(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    status = response.status_code
    headers = {name: response.headers[name] for name in ("Allow", "WWW-Authenticate") if name in response.headers}
    detail = DETAILS.get(status, response.reason_phrase)
    problem = problem_response(request, status, detail, headers=headers)
    problem.cookies = response.cookies
    return problem
