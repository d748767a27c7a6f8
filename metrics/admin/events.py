"""The admin of the ledger."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.paginator import InfinitePaginator

from llms.models import Model, Service
from llms.pricing.formula import FREE
from metrics.admin.display import CREATED_BY
from metrics.admin.filters import (
    ConversationFilter,
    ModelFilter,
    MomentFilter,
    OutcomeFilter,
    PriceFilter,
    ServiceFilter,
    SourceFilter,
    TakenBackFilter,
    VendorFilter,
)
from metrics.admin.told_usage import show_told_usage
from metrics.models import UsageEvent
from stores.admin.base import ReadOnlyAdmin
from stores.admin.display import (
    column,
    duration,
    folded,
    link_to_list,
    link_to_page,
    moment,
    number,
    pretty,
    yes_no,
)
from stores.admin.filters import by_yes_no
from stores.records.formatting import NOTHING
from stores.records.units import format_usd


def _link_to_record(table: str, uid: str) -> SafeString | str:
    return link_to_list("chats", table, uid, uid=uid)


def _link_to_row(table: type[Service] | type[Model], uid: str) -> SafeString | str:
    key = table.objects.filter(uid=uid).values_list("pk", flat=True).first()
    return link_to_page("llms", str(table._meta.model_name), key, uid)


CHAT = column("conversation", partial(_link_to_record, "conversation"), label="chat")
MESSAGE = column("message", partial(_link_to_record, "message"))
SERVICE = column("service", partial(_link_to_row, Service))
MODEL = column("model", partial(_link_to_row, Model))
TOKENS = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")


@admin.register(UsageEvent)
class UsageEventAdmin(ReadOnlyAdmin):
    empty_text = (
        "Each call of a model is listed here with its tokens and cost, as soon as the answer is complete. An import "
        "adds the calls that its messages record."
    )
    list_display = [
        *(moment("at", label="when"), "model", "service", "source", number("input_tokens", ordering=False)),
        *(number("output_tokens", ordering=False), "cost_number", "outcome", "standing"),
    ]
    list_filter = [
        *(
            MomentFilter,
            ServiceFilter,
            ModelFilter,
            VendorFilter,
            SourceFilter,
            OutcomeFilter,
            PriceFilter,
            TakenBackFilter,
            ConversationFilter,
        ),
        by_yes_no("estimated", "estimated tokens"),
    ]
    search_fields = ["=model", "=service", "=conversation", "=message"]
    search_help_text = "Whole id of model, service, chat or message"
    sortable_by = list_display[:1]
    ordering = ["-at", "-pk"]
    list_defer = ("raw_usage",)
    paginator = InfinitePaginator
    fieldsets = [
        (None, {"fields": [moment("at", label="when"), MODEL, SERVICE, "vendor", "source", "outcome", CHAT, MESSAGE]}),
        (
            "Cost",
            {
                "fields": [
                    *("cost_number", "reported_cost", column("price_source", str, label="source of the price")),
                    "standing",
                ]
            },
        ),
        ("Tokens", {"fields": [*(number(name) for name in TOKENS), yes_no("estimated", label="estimated")]}),
        (
            "Time",
            {
                "fields": [
                    duration("ms_to_first_token", label="to the first token"),
                    duration("ms_total", label="total"),
                ]
            },
        ),
        ("Usage as the provider reported it", {"fields": ["told_usage"]}),
        folded("Internals", "cost_code", "calls", CREATED_BY, "call", pretty("raw_usage")),
    ]

    def get_queryset(self, request: Any) -> QuerySet:
        corrections = UsageEvent.objects.filter(corrects=OuterRef("pk")).values("pk")[:1]
        return super().get_queryset(request).annotate(corrected_by=Subquery(corrections))

    @admin.display(description="cost reported by the provider")
    def reported_cost(self, obj: UsageEvent) -> str:
        if obj.cost_reported_nano_usd is None:
            return "none"
        return format_usd(obj.cost_reported_nano_usd)

    @admin.display(description="reversed")
    def standing(self, obj: Any) -> SafeString | str:
        links = [
            format_html("{} {}", words, link_to_page("metrics", "usageevent", key, f"call {key}"))
            for words, key in (("reverses", obj.corrects_id), ("by", obj.corrected_by))
            if key is not None
        ]
        return format_html_join(", ", "{}", ((link,) for link in links)) or NOTHING

    @admin.display(description="reported and recorded")
    def told_usage(self, obj: UsageEvent) -> SafeString | str:
        return show_told_usage(obj)

    @admin.display(description="cost", ordering="cost_nano_usd")
    def cost_number(self, obj: UsageEvent) -> str:
        if obj.cost_nano_usd is None:
            return FREE if obj.cost_code == FREE else "unpriced"
        return format_usd(obj.cost_nano_usd)
