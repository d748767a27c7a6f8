"""The content security policy by page, and a request log without query strings."""

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest, HttpResponseBase
from django_structlog.middlewares import RequestMiddleware

# Alpine in django-unfold compiles attributes to functions; its templates carry style attributes.
ADMIN_POLICY = {"script-src": [SELF, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]}


class PolicyMiddleware(CSPMiddleware):
    """Send the strict policy everywhere, and under /admin/ the one that the admin's own scripts need."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if request.path.startswith("/admin/") and parts.replace is None:
            parts.replace = ADMIN_POLICY
        return parts


class RequestLogMiddleware(RequestMiddleware):
    """Log each request by method and path; a query string may hold what was searched for, or a sign-in link."""

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        return f"{request.method} {request.path}"
