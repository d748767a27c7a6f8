"""Error pages; under /api/ `ApiMiddleware` turns them into problems."""

import sys
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse

from bigagi_site.display import add_display
from stores.api.middleware import is_api_path
from stores.api.problems import READS, describe_refused, problem_response, unexpected_response
from stores.api.request_ids import request_id_of
from stores.records.faults import fault_of
from stores.records.problem_details import describe_unexpected

SOURCE_HEADER = "X-Bigagi-Source"
"""Sent by the scripts of pages."""

TITLES = {403: "No access", 404: "Page not found", 500: "Something went wrong"}
MESSAGES = {
    403: "You do not have access to this page, or its form has expired. Go back, reload the page and try again.",
    404: "Nothing was found at this address.",
}


def _answer(request: HttpRequest, status: int, message: str = "", request_id: str = "") -> HttpResponse:
    # Of the request only its cookies: an error page must not need the session, and so the database, that may be what
    # failed. Who has one is shown the navigation; each of its pages asks again who it is.
    place = {
        "user": {"is_authenticated": settings.SESSION_COOKIE_NAME in request.COOKIES},
        "is_admin": request.path.startswith(reverse("admin:index")),
    }
    words = {"title": TITLES.get(status, HTTPStatus(status).phrase), "message": message or MESSAGES[status]}
    context = {"status": status, "request_id": request_id} | words | place | add_display(request)
    return HttpResponse(render_to_string("error.html", context), status=status)


@login_not_required
def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if fault_of(exception) is not None:
        # Django takes a session that could not be stored for one that was deleted meanwhile.
        return _answer_unexpected(request, exception)
    status, message = describe_refused(exception)
    return problem_response(request, status, message) if _wants_problem(request) else _answer(request, status, message)


@login_not_required
def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, 403)


@login_not_required
def csrf_failure(request: HttpRequest, reason: str = "", **kwargs: Any) -> HttpResponse:
    return _answer(request, 403)


@login_not_required
def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, 404)


@login_not_required
def server_error(request: HttpRequest) -> HttpResponse:
    # Django calls this while it handles the exception.
    return _answer_unexpected(request, sys.exception())


def _wants_problem(request: HttpRequest) -> bool:
    """Tell whether the answer is to be a problem: to programs, and to a page's script, which shows its words."""
    return is_api_path(request.path) or SOURCE_HEADER in request.headers


def _answer_unexpected(request: HttpRequest, error: BaseException | None) -> HttpResponse:
    if (session := getattr(request, "session", None)) is not None:
        # What the request put into its session is rolled back, or could not be stored either.
        session.modified = False
    if _wants_problem(request):
        return unexpected_response(request, error)
    status, message, _ = describe_unexpected(error, only_reads=request.method in READS)
    return _answer(request, status, message, request_id_of(request))
