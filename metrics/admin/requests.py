"""The admin of the log of the API's requests."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.paginator import InfinitePaginator

from metrics.models import ApiRequest
from metrics.request_log import LOG
from stores.admin_base import ReadOnlyAdmin
from stores.admin_display import column, instant, link_to_list, size_of


class StatusClassFilter(admin.SimpleListFilter):
    """Answers by the hundreds of their status."""

    title = "status"
    parameter_name = "class"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("2", "2xx: success"),
            ("3", "3xx: not modified or redirect"),
            ("4", "4xx: client error"),
            ("5", "5xx: server error"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        first = self.value()
        if first not in ("2", "3", "4", "5"):
            return queryset
        return queryset.filter(status__gte=int(first) * 100, status__lt=int(first) * 100 + 100)


class SlowFilter(admin.SimpleListFilter):
    """Requests that took long."""

    title = "duration"
    parameter_name = "slower"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("50", "over 50 ms"), ("250", "over 250 ms"), ("1000", "over 1 s")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        slower = self.value()
        return queryset.filter(duration_ms__gt=int(slower)) if slower in ("50", "250", "1000") else queryset


def format_ms(value: float) -> str:
    """Return milliseconds with one decimal."""
    return f"{value:,.1f} ms"


@admin.register(ApiRequest)
class ApiRequestAdmin(ReadOnlyAdmin):
    list_before_template = "admin/metrics/apirequest/before_list.html"
    list_display = [
        *(instant("at", label="when"), "method", "route", "status", column("duration_ms", format_ms, label="duration")),
        *("query_count", column("query_ms", format_ms, label="database time"), size_of("bytes_sent", label="sent")),
        *("actor", "error"),
    ]
    list_filter = [StatusClassFilter, SlowFilter, "method", "error", "route"]
    search_fields = ["=request_id", "=actor", "=route"]
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
