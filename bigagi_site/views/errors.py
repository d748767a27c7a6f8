"""What is answered when a request cannot be: pages for people, problems (RFC 9457) under /api/."""

from http import HTTPStatus
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

MESSAGES = {
    400: "The server could not make sense of this request.",
    403: "This page is not open to you, or its form is too old to be sent. Go back, reload the page and try again.",
    404: "There is nothing at this address.",
    500: "Something went wrong in the server. What happened is in its log; your data is as it was before.",
}


def _answer(request: HttpRequest, status: int) -> HttpResponse:
    title = HTTPStatus(status).phrase
    if request.path == "/api" or request.path.startswith("/api/"):
        problem = {"type": "about:blank", "title": title, "status": status, "detail": MESSAGES[status]}
        problem |= {"instance": request.path, "errors": []}
        return JsonResponse(problem, status=status, content_type="application/problem+json")
    # Without the request: an error page must not need the session, and so the database, that may be what failed.
    page = render_to_string("error.html", {"title": title, "status": status, "message": MESSAGES[status]})
    return HttpResponse(page, status=status)


@login_not_required
def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, 400)


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
    return _answer(request, 500)
