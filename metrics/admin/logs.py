"""The admin of the log's warnings and errors."""

import json
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.paginator import InfinitePaginator

from metrics.log_entries import ENTRIES
from metrics.models import LogEntry
from stores.admin.base import ReadOnlyAdmin
from stores.admin.display import column, instant, link_to_list, show_block
from stores.admin.filters import by_choice, by_date, by_value
from stores.records.formatting import NOTHING


def show_level(level: str) -> SafeString:
    """Return a level as a badge."""
    kind = "busy" if level == LogEntry.Level.WARNING else "bad"
    return format_html('<span class="bigagi-badge bigagi-{}">{}</span>', kind, level)


EVENT = column("event", str, label="what happened")


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin):
    list_before_template = "admin/metrics/logentry/before_list.html"
    empty_text = "Warnings and errors of the server are listed here. There are none."
    list_display = [EVENT, column("level", show_level), instant("at", label="when"), "logger", "request_id"]
    list_display_links = [EVENT]
    list_filter = [by_choice("level", "how bad"), by_value("logger", "part of bigagi"), by_date("at", "time")]
    search_fields = ["=request_id", "event"]
    search_help_text = "Words of the message, or a request id"
    sortable_by = ["id"]
    ordering = ["-id"]
    list_defer = ("details", "exception")
    paginator = InfinitePaginator
    fields = [
        *(instant("at", label="when"), column("level", show_level), "logger", EVENT, "request_id"),
        *("request_links", "facts", "traceback"),
    ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        bounds = {"max_rows": settings.LOG_ENTRY_ROWS, "max_days": settings.LOG_ENTRY_DAYS, "lost": ENTRIES.lost}
        return super().changelist_view(request, (extra_context or {}) | bounds)

    @admin.display(description="of the same request")
    def request_links(self, obj: LogEntry) -> SafeString | str:
        if not obj.request_id:
            return NOTHING
        links = [
            link_to_list("metrics", "apirequest", "The request", q=obj.request_id),
            link_to_list("stores", "change", "Changes", q=obj.request_id),
            link_to_list("metrics", "logentry", "All log entries of this request", q=obj.request_id),
        ]
        return format_html_join(" · ", "{}", ((link,) for link in links))

    @admin.display(description="details")
    def facts(self, obj: LogEntry) -> SafeString | str:
        if not obj.details:
            return NOTHING
        try:
            text = json.dumps(json.loads(obj.details), ensure_ascii=True, indent=2)
        except ValueError:
            # It was cut.
            text = obj.details
        return show_block(text, "details")

    @admin.display(description="exception")
    def traceback(self, obj: LogEntry) -> SafeString | str:
        return show_block(obj.exception, "exception") if obj.exception else NOTHING
