"""The admin of usage: big-AGI's totals and the ledger of single calls."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.safestring import SafeString
from unfold.paginator import InfinitePaginator

from llms.models import Model, Service
from metrics.models import UsageBaseline, UsageEvent
from stores.admin_base import ReadOnlyAdmin
from stores.admin_display import ROW_FACTS, column, link_to_list, link_to_page, moment, pretty

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
