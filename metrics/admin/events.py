"""The admin of the ledger."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.paginator import InfinitePaginator

from llms.models import Model, Service
from metrics.admin.display import link_to_change
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
from metrics.models import UsageEvent
from metrics.money import format_nano_usd
from stores.admin_base import ReadOnlyAdmin
from stores.admin_display import NOTHING, link_to_list, link_to_page, moment, pretty


@admin.register(UsageEvent)
class UsageEventAdmin(ReadOnlyAdmin):
    list_display = [
        *(moment("at", label="when"), "model", "service", "source", "input_tokens", "output_tokens"),
        *("cost", "outcome", "standing"),
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
        "estimated",
    ]
    search_fields = ["=model", "=service", "=conversation", "=message"]
    sortable_by = list_display[:1]
    ordering = ["-at", "-pk"]
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
        ("Cost", {"fields": ["cost", "reported_cost", "cost_code", "price_source"]}),
        ("Time", {"fields": ["ms_to_first_token", "ms_total"]}),
        ("In the ledger", {"fields": ["standing", "calls", "change_link", "call"]}),
        ("Details", {"fields": [pretty("raw_usage")]}),
    ]

    def get_queryset(self, request: Any) -> QuerySet:
        corrections = UsageEvent.objects.filter(corrects=OuterRef("pk")).values("pk")[:1]
        return super().get_queryset(request).annotate(corrected_by=Subquery(corrections))

    @admin.display(description="reversed")
    def standing(self, obj: Any) -> SafeString | str:
        links = [
            format_html("{} {}", words, link_to_page("metrics", "usageevent", key, f"event {key}"))
            for words, key in (("reverses", obj.corrects_id), ("by", obj.corrected_by))
            if key is not None
        ]
        return format_html_join(", ", "{}", ((link,) for link in links)) or NOTHING

    @admin.display(description="created by")
    def change_link(self, obj: UsageEvent) -> SafeString | str:
        return link_to_change(obj.change)

    @admin.display(description="cost", ordering="cost_nano_usd")
    def cost(self, obj: UsageEvent) -> str:
        return "unpriced" if obj.cost_nano_usd is None else format_nano_usd(obj.cost_nano_usd)

    @admin.display(description="cost reported by the provider")
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
