"""The inspection panel. Its scripts use the API; this view delivers the page and facts about the server."""

import platform
from typing import Any

import django
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from bigagi_site.apps import TEST_PREFIX
from stores.records.conversions import APP_UI, APP_UX_LABS

CHART = "unfold/js/chart/chart.js"
"""Chart.js, as unfold ships it."""

TABS = (("tests", "Tests"), ("live", "Live"), ("tables", "Tables"), ("sql", "SQL"), ("benchmark", "Benchmark"))

BENCH_SIZES = ((1, True), (10, True), (100, False))
"""MB of chats that the benchmark measures, and whether the size is selected by default."""


@require_safe
@ensure_csrf_cookie
def sqlite_test_page(request: HttpRequest) -> HttpResponse:
    """Show the panel. The SQL box works with SQLite only."""
    has_sql = connection.vendor == "sqlite"
    data = {
        "csrfCookie": settings.CSRF_COOKIE_NAME,
        "prefix": TEST_PREFIX,
        "sql": "/sqlite-test/sql" if has_sql else None,
        "chatPage": reverse("chat-page"),
        "newest": {APP_UI.name: APP_UI.newest_version, APP_UX_LABS.name: APP_UX_LABS.newest_version},
        "admin": {
            "change": reverse("admin:stores_change_change", args=[0]),
            "request": reverse("admin:metrics_apirequest_change", args=[0]),
        },
        "environment": _describe_environment(),
    }
    context = {
        "section": "sqlite-test",
        "data": data,
        "tabs": [tab for tab in TABS if has_sql or tab[0] != "sql"],
        "has_sql": has_sql,
        "chart": CHART,
        "bench_sizes": BENCH_SIZES,
    }
    response = render(request, "sqlite-test/page.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response


def _describe_environment() -> dict[str, Any]:
    """Return the facts needed to interpret a measured time; the size is in bytes."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                "SELECT sqlite_version(), page_count * page_size FROM pragma_page_count(), pragma_page_size()"
            )
        else:
            cursor.execute("SELECT current_setting('server_version'), pg_database_size(current_database())")
        version, size = cursor.fetchone()
    return {
        "bigagi": settings.SPECTACULAR_SETTINGS["VERSION"],
        "database": connection.vendor,
        "database_version": version,
        "database_bytes": size,
        "python": platform.python_version(),
        "django": django.get_version(),
        "machine": platform.machine(),
        "system": platform.system(),
    }
