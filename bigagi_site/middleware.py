"""The content security policy by page, secrets on pages, and a request log without query strings."""

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest, HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.utils.deprecation import MiddlewareMixin
from django_structlog.middlewares import RequestMiddleware

from stores.secrets import MARKER, mask

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


class SecretsMiddleware(MiddlewareMixin):
    """Put the wire's marker in the place of each reference to a secret, wherever on the admin's pages one stands:
    columns, titles, filters. One look-up serves the whole page, and only a page that has a reference."""

    def process_template_response(self, request: HttpRequest, response: SimpleTemplateResponse) -> HttpResponseBase:
        if response.headers.get("Content-Type", "").startswith("text/html"):
            response.add_post_render_callback(_mask_page)
        return response


def _mask_page(response: SimpleTemplateResponse) -> None:
    if MARKER.encode() in response.content:
        response.content = mask(response.content.decode())
