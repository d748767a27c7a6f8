"""The admin of the log of the API's requests."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.paginator import InfinitePaginator

from metrics.admin.filters import ChoiceFilter
from metrics.models import ApiRequest
from metrics.request_log import LOG
from stores.admin.base import ReadOnlyAdmin
from stores.admin.display import duration, instant, link_to_list, number, size_of
from stores.admin.filters import by_value


class StatusClassFilter(ChoiceFilter):
    """Answers by the hundreds of their status."""

    title = "status"
    parameter_name = "class"
    conditions = {
        first: (f"{first}xx: {words}", Q(status__gte=int(first) * 100, status__lt=int(first) * 100 + 100))
        for first, words in {
            "2": "success",
            "3": "not modified or redirect",
            "4": "client error",
            "5": "server error",
        }.items()
    }


class SlowFilter(ChoiceFilter):
    """Requests that took long."""

    title = "duration"
    parameter_name = "slower"
    conditions = {
        "50": ("over 50 ms", Q(duration_ms__gt=50)),
        "250": ("over 250 ms", Q(duration_ms__gt=250)),
        "1000": ("over 1 s", Q(duration_ms__gt=1000)),
    }


@admin.register(ApiRequest)
class ApiRequestAdmin(ReadOnlyAdmin):
    list_before_template = "admin/metrics/apirequest/before_list.html"
    empty_text = "Requests to the API are listed here, those of our pages included, without their contents."
    list_display = [
        *(instant("at", label="when"), "method", "route", "status"),
        *(duration("duration_ms", label="duration"), duration("query_ms", label="database time")),
        *(number("query_count", label="queries"), size_of("bytes_sent", label="sent"), "actor", "error"),
    ]
    list_filter = [
        *(StatusClassFilter, SlowFilter, by_value("method", "method"), by_value("error", "kind of error")),
        by_value("route", "route"),
    ]
    search_fields = ["=request_id", "=actor", "=route"]
    search_help_text = "A whole route, user or request id"
    sortable_by = ["id"]
    ordering = ["-id"]
    paginator = InfinitePaginator
    fields = [*list_display, "request_id", "change_link", "log_link"]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        bounds = {"max_rows": settings.REQUEST_LOG_ROWS, "max_days": settings.REQUEST_LOG_DAYS, "lost": LOG.lost}
        return super().changelist_view(request, (extra_context or {}) | bounds)

    @admin.display(description="log")
    def log_link(self, obj: ApiRequest) -> SafeString | str:
        if not obj.request_id:
            return "–"
        return link_to_list("metrics", "logentry", "Warnings and errors", q=obj.request_id)

    @admin.display(description="changes")
    def change_link(self, obj: ApiRequest) -> SafeString | str:
        if not obj.request_id or obj.method in ("GET", "HEAD", "OPTIONS"):
            return "–"
        return link_to_list("stores", "change", "Journal entries", q=obj.request_id)
