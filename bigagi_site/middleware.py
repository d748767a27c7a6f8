"""The content security policy by page, secrets on pages, and a request log without query strings."""

import logging
from collections.abc import Callable
from functools import cache
from typing import Any

from csp.constants import HEADER, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from csp.utils import build_policy
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.utils import timezone
from django.utils.deprecation import MiddlewareMixin
from django_structlog.middlewares import RequestMiddleware

from bigagi_site.display import read_zone
from stores.api.middleware import is_api_path
from stores.records.secrets import MARKER, mask

_LOGGER = logging.getLogger("django_structlog.middlewares.request")

# Alpine in django-unfold compiles attributes to functions; its templates carry style attributes.
ADMIN_POLICY = {"script-src": [SELF, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]}


class PolicyMiddleware(CSPMiddleware):
    """Send the strict policy everywhere, and under /admin/ the one that the admin's own scripts need."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if not response.headers.get("Content-Type", "").startswith("application/"):
            return super().process_response(request, response)
        # No page: it has no policy of its own, and making the strict one takes longer than most else of an answer.
        response.headers.setdefault(HEADER, _build_strict_policy())
        return response

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if request.path.startswith("/admin/") and parts.replace is None:
            parts.replace = ADMIN_POLICY
        return parts


class RequestLogMiddleware(RequestMiddleware):
    """Log each request by method and path; a query string may hold what was searched for, or a sign-in link.

    `ApiMiddleware` has bound the request's id. Where only warnings are logged, a request that goes well is not slowed
    down by two lines that nobody writes."""

    def __call__(self, request: HttpRequest) -> Any:
        if _LOGGER.isEnabledFor(logging.INFO):
            return super().__call__(request)
        response: Any = self.get_response(request)
        # What goes wrong in a stream has still to be logged; of those that are read piece by piece `ApiLogMiddleware`
        # does that, which watches them anyway: one more layer costs each piece.
        if response.status_code >= 500 or (response.streaming and not response.is_async):
            self.handle_response(request, response)
        return response

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        return f"{request.method} {request.path}"

    def _log_level_for_status_code(self, status_code: int) -> int:
        # Whoever asks whether the server is ready asks again and again, and gets the reasons with the answer.
        return logging.INFO if status_code == 503 else super()._log_level_for_status_code(status_code)


class SignInMiddleware(LoginRequiredMiddleware):
    """Require signing in. For public views, and views that authenticate themselves, no user is loaded: the health
    check needs no database."""

    def process_view(
        self, request: HttpRequest, view_func: Any, view_args: Any, view_kwargs: Any
    ) -> HttpResponseBase | None:
        if not getattr(view_func, "login_required", True):
            return None
        return super().process_view(request, view_func, view_args, view_kwargs)


class TimeZoneMiddleware:
    """Show times in the browser's time zone on pages. The API's are always UTC."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if is_api_path(request.path):
            return self.get_response(request)
        with timezone.override(read_zone(request)):
            return self.get_response(request)


class SecretsMiddleware(MiddlewareMixin):
    """Replace each reference to a secret on the admin's pages by the public marker:
    columns, titles, filters. One look-up serves the whole page, and only a page that has a reference."""

    def process_template_response(self, request: HttpRequest, response: SimpleTemplateResponse) -> HttpResponseBase:
        if response.headers.get("Content-Type", "").startswith("text/html"):
            response.add_post_render_callback(_mask_page)
        return response


@cache
def _build_strict_policy() -> str:
    return build_policy()


def _mask_page(response: SimpleTemplateResponse) -> None:
    if MARKER.encode() in response.content:
        response.content = mask(response.content.decode())
