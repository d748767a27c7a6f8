"""The admin of the ledger's sums."""

from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString
from unfold.paginator import InfinitePaginator

from metrics.admin.filters import DayFilter, ModelFilter, QuarterFilter, ServiceFilter
from metrics.models import UsageDay, UsageDayDetail, UsageQuarter, ZoneOffset
from metrics.models.rollups import FIRST_TOKEN, LATENCY_BOUNDS, TOTAL
from metrics.money import format_nano_usd
from stores.admin.base import ReadOnlyAdmin
from stores.admin.display import column, moment, show_table

COST = column("cost_nano_usd", format_nano_usd, label="cost", ordering=True)
TOKENS = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
COUNTS = ("calls", "errors", "unpriced", "estimated")


class RollupAdmin(ReadOnlyAdmin):
    """Sums over calls. Unknown counts as 0; `unpriced` and `estimated` say for how many calls."""

    list_defer = (*FIRST_TOKEN, *TOTAL)
    paginator = InfinitePaginator
    sums = [
        (None, {"fields": COUNTS}),
        ("Tokens", {"fields": TOKENS}),
        (
            "Cost",
            {"fields": [COST, column("cost_reported_nano_usd", format_nano_usd, label="cost reported by providers")]},
        ),
        ("Latency", {"fields": ["latencies"]}),
    ]

    @admin.display(description="latencies")
    def latencies(self, obj: Any) -> SafeString | str:
        """Show the buckets that hold calls."""
        bounds = (*(f"under {bound:,} ms" for bound in LATENCY_BOUNDS), f"{LATENCY_BOUNDS[-1]:,} ms or more")
        rows = [
            (bound, getattr(obj, first), getattr(obj, total))
            for bound, first, total in zip(bounds, FIRST_TOKEN, TOTAL, strict=True)
            if getattr(obj, first) or getattr(obj, total)
        ]
        return show_table("Calls by duration", ("time", "to first token", "total"), rows)


@admin.register(UsageQuarter)
class UsageQuarterAdmin(RollupAdmin):
    list_display = [moment("start"), "service", "vendor", "model", "source", "calls", "errors", COST]
    list_filter = [QuarterFilter, ServiceFilter, ModelFilter]
    search_fields = ["=service", "=model"]
    sortable_by = list_display[:1]
    ordering = ["-start", "-pk"]
    fieldsets = [(None, {"fields": [moment("start"), "service", "vendor", "model", "source"]}), *RollupAdmin.sums]


@admin.register(UsageDay)
class UsageDayAdmin(RollupAdmin):
    list_display = ["day", "dimension", "key", "calls", "errors", "unpriced", "input_tokens", "output_tokens", COST]
    list_filter = ["dimension", DayFilter]
    search_fields = ["=key"]
    sortable_by = ["day"]
    fieldsets = [(None, {"fields": ["day", "dimension", "key"]}), *RollupAdmin.sums]


@admin.register(UsageDayDetail)
class UsageDayDetailAdmin(RollupAdmin):
    list_display = ["day", "service", "vendor", "model", "source", "calls", "errors", COST]
    list_filter = [DayFilter, ServiceFilter, ModelFilter]
    search_fields = ["=service", "=model"]
    sortable_by = ["day"]
    fieldsets = [(None, {"fields": ["day", "service", "vendor", "model", "source"]}), *RollupAdmin.sums]


@admin.register(ZoneOffset)
class ZoneOffsetAdmin(ReadOnlyAdmin):
    offset = column("offset_ms", lambda ms: f"{ms / 3_600_000:+g} h", label="UTC offset")
    list_display = [moment("starts"), "zone", offset]
    search_fields = ["=zone"]
    fields = list_display
