"""Home."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from bigagi_site.dashboard.spending import read_month
from bigagi_site.latest import read_latest
from bigagi_site.overview import describe_data
from metrics.budgets import read_budgets


@require_safe
@ensure_csrf_cookie
def home(request: HttpRequest) -> HttpResponse:
    """Show how to begin, or where to go on; and what is stored, and where."""
    overview = describe_data()
    context = {"section": "home", "overview": overview, "csrf_cookie": settings.CSRF_COOKIE_NAME}
    if not overview.is_empty:
        context |= {"latest": read_latest(), "month": read_month(), "budgets": read_budgets()}
    # Of this kind, so that references to secrets are masked in titles (SecretsMiddleware).
    return TemplateResponse(request, "home.html", context)
