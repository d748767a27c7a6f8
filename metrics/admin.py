"""The admin of usage: big-AGI's totals, the ledger of single calls, and the log of the API's requests."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.paginator import InfinitePaginator

from llms.models import Model, Service
from metrics.models import ApiRequest, UsageBaseline, UsageEvent
from metrics.request_log import LOG
from stores.admin_base import ReadOnlyAdmin
from stores.admin_display import ROW_FACTS, column, instant, link_to_list, link_to_page, moment, pretty, size_of

NANO = 10**9


def format_nano_usd(value: int) -> str:
    """Return nano-dollars as dollars, exactly."""
    dollars, rest = divmod(abs(value), NANO)
    decimals = f"{rest:09d}".rstrip("0").ljust(2, "0")
    return f"{'-' if value < 0 else ''}$ {dollars}.{decimals}"


def format_usd(value: float) -> str:
    """Return dollars with as many digits as small sums need."""
    return f"$ {value:.6f}".rstrip("0").rstrip(".")


@admin.register(UsageBaseline)
class UsageBaselineAdmin(ReadOnlyAdmin):
    list_display = [
        *("uid", "service_link", "usage_count", "total_input_tokens", "total_output_tokens"),
        *(column("total_costs", format_usd, label="cost", ordering=True), moment("last_usage", label="last call")),
    ]
    search_fields = ["uid"]
    list_defer = ("extra",)
    fields = [
        *("uid", "service_link", "usage_count", "total_input_tokens", "total_output_tokens"),
        *(column("total_costs", format_usd), column("total_savings", format_usd)),
        *(
            moment("first_usage"),
            moment("last_usage"),
            pretty("extra"),
            *ROW_FACTS,
        ),
    ]

    def get_queryset(self, request: Any) -> QuerySet:
        service = Service.objects.filter(uid=OuterRef("uid")).values("pk")[:1]
        return super().get_queryset(request).annotate(service_pk=Subquery(service))

    @admin.display(description="service")
    def service_link(self, obj: Any) -> SafeString | str:
        return link_to_page("llms", "service", obj.service_pk, obj.uid)


@admin.register(UsageEvent)
class UsageEventAdmin(ReadOnlyAdmin):
    list_display = [
        *(moment("at", label="when"), "model", "service", "source", "input_tokens", "output_tokens"),
        *("cost", "outcome"),
    ]
    list_filter = ["source", "service", "estimated", "cost_code"]
    search_fields = ["=model", "=service", "=conversation", "=message"]
    sortable_by = list_display[:1]
    ordering = ["-at"]
    list_defer = ("raw_usage",)
    paginator = InfinitePaginator
    fieldsets = [
        (None, {"fields": [moment("at", label="when"), "source", "outcome", "conversation_link", "message_link"]}),
        ("Model", {"fields": ["service_link", "vendor", "model_link"]}),
        (
            "Tokens",
            {
                "fields": [
                    *("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens"),
                    *("reasoning_tokens", "estimated"),
                ]
            },
        ),
        ("Cost", {"fields": ["cost", "reported_cost", "cost_code", "price_source", "corrects"]}),
        ("Time", {"fields": ["ms_to_first_token", "ms_total"]}),
        ("Details", {"fields": [pretty("raw_usage")]}),
    ]

    @admin.display(description="cost", ordering="cost_nano_usd")
    def cost(self, obj: UsageEvent) -> str:
        return "unpriced" if obj.cost_nano_usd is None else format_nano_usd(obj.cost_nano_usd)

    @admin.display(description="cost by the provider's word")
    def reported_cost(self, obj: UsageEvent) -> str:
        return "–" if obj.cost_reported_nano_usd is None else format_nano_usd(obj.cost_reported_nano_usd)

    @admin.display(description="service")
    def service_link(self, obj: UsageEvent) -> SafeString | str:
        key = Service.objects.filter(uid=obj.service).values_list("pk", flat=True).first()
        return link_to_page("llms", "service", key, obj.service)

    @admin.display(description="model")
    def model_link(self, obj: UsageEvent) -> SafeString | str:
        key = Model.objects.filter(uid=obj.model).values_list("pk", flat=True).first()
        return link_to_page("llms", "model", key, obj.model)

    @admin.display(description="chat")
    def conversation_link(self, obj: UsageEvent) -> SafeString | str:
        return (
            link_to_list("chats", "conversation", obj.conversation, uid=obj.conversation) if obj.conversation else "–"
        )

    @admin.display(description="message")
    def message_link(self, obj: UsageEvent) -> SafeString | str:
        return link_to_list("chats", "message", obj.message, uid=obj.message) if obj.message else "–"


class StatusClassFilter(admin.SimpleListFilter):
    """Answers by the hundreds of their status."""

    title = "status"
    parameter_name = "class"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("2", "2xx: done"), ("3", "3xx: unchanged or elsewhere"), ("4", "4xx: refused"), ("5", "5xx: failed")]

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
        *("query_count", column("query_ms", format_ms, label="in queries"), size_of("bytes_sent", label="sent")),
        *("actor", "error"),
    ]
    list_filter = [StatusClassFilter, SlowFilter, "method", "error", "route"]
    search_fields = ["=request_id", "=actor", "=route"]
    sortable_by = ["id"]
    ordering = ["-id"]
    paginator = InfinitePaginator
    fields = [*list_display, "request_id", "change_link"]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        bounds = {"max_rows": settings.REQUEST_LOG_ROWS, "max_days": settings.REQUEST_LOG_DAYS, "lost": LOG.lost}
        return super().changelist_view(request, (extra_context or {}) | bounds)

    @admin.display(description="what it changed")
    def change_link(self, obj: ApiRequest) -> SafeString | str:
        if not obj.request_id or obj.method in ("GET", "HEAD", "OPTIONS"):
            return "–"
        return link_to_list("stores", "change", "Its entries in the journal", q=obj.request_id)
