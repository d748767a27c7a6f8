"""The pages that tell that a request cannot be answered; under /api/ `ApiMiddleware` makes problems of them."""

from http import HTTPStatus
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

MESSAGES = {
    400: "The server could not make sense of this request.",
    403: "This page is not open to you, or its form is too old to be sent. Go back, reload the page and try again.",
    404: "There is nothing at this address.",
    500: "Something went wrong in the server. What happened is in its log; your data is as it was before.",
}


def _answer(status: int) -> HttpResponse:
    # Without the request: an error page must not need the session, and so the database, that may be what failed.
    context = {"title": HTTPStatus(status).phrase, "status": status, "message": MESSAGES[status]}
    return HttpResponse(render_to_string("error.html", context), status=status)


@login_not_required
def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(400)


@login_not_required
def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(403)


@login_not_required
def csrf_failure(request: HttpRequest, reason: str = "", **kwargs: Any) -> HttpResponse:
    return _answer(403)


@login_not_required
def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(404)


@login_not_required
def server_error(request: HttpRequest) -> HttpResponse:
    return _answer(500)
