"""The admin of the ledger's sums."""

from typing import Any

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.paginator import InfinitePaginator

from metrics.admin.filters import DayFilter, ModelFilter, QuarterFilter, ServiceFilter
from metrics.models import UsageDay, UsageDayDetail, UsageQuarter, ZoneOffset
from metrics.models.rollups import FIRST_TOKEN, LATENCY_BOUNDS, TOTAL
from stores.admin.base import ReadOnlyAdmin
from stores.admin.display import column, moment, money, number, show_table
from stores.admin.filters import by_choice

COST = money("cost_nano_usd", label="cost")
TOKENS = tuple(
    number(name)
    for name in ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
)
CALLS = number("calls")
ERRORS = number("errors", label="failed")
UNPRICED = number("unpriced")
COUNTS = (CALLS, ERRORS, UNPRICED, number("estimated"))
DIMENSION = column("dimension", str, label="summed by", ordering=True)
KEY = column("key", str, label="of", ordering=True)


DAY = column("day", lambda day: format_html('<span class="bigagi-time">{}</span>', f"{day:%Y-%m-%d}"), ordering=True)
SUMS_TEXT = "Sums of the calls, kept up to date by the database. They appear with the first call."


class RollupAdmin(ReadOnlyAdmin):
    """Sums over calls. Unknown counts as 0; `unpriced` and `estimated` say for how many calls."""

    list_defer = (*FIRST_TOKEN, *TOTAL)
    paginator = InfinitePaginator
    sums = [
        (None, {"fields": COUNTS}),
        ("Tokens", {"fields": TOKENS}),
        (
            "Cost",
            {"fields": [COST, money("cost_reported_nano_usd", label="cost reported by providers")]},
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
    empty_text = SUMS_TEXT
    list_display = [moment("start"), "service", "vendor", "model", "source", CALLS, ERRORS, UNPRICED, COST]
    list_filter = [QuarterFilter, ServiceFilter, ModelFilter]
    search_fields = ["=service", "=model"]
    search_help_text = "Whole id of the service or the model"
    sortable_by = list_display[:1]
    ordering = ["-start", "-pk"]
    fieldsets = [(None, {"fields": [moment("start"), "service", "vendor", "model", "source"]}), *RollupAdmin.sums]


@admin.register(UsageDay)
class UsageDayAdmin(RollupAdmin):
    empty_text = SUMS_TEXT
    list_display = [DAY, DIMENSION, KEY, CALLS, ERRORS, UNPRICED, TOKENS[0], TOKENS[3], COST]
    list_filter = [by_choice("dimension", "what is summed"), DayFilter]
    search_fields = ["=key"]
    search_help_text = "Whole id of a service, vendor or model"
    sortable_by = [DAY]
    fieldsets = [(None, {"fields": [DAY, DIMENSION, KEY]}), *RollupAdmin.sums]


@admin.register(UsageDayDetail)
class UsageDayDetailAdmin(RollupAdmin):
    empty_text = SUMS_TEXT
    list_display = [DAY, "service", "vendor", "model", "source", CALLS, ERRORS, UNPRICED, COST]
    list_filter = [DayFilter, ServiceFilter, ModelFilter]
    search_fields = ["=service", "=model"]
    search_help_text = "Whole id of the service or the model"
    sortable_by = [DAY]
    fieldsets = [(None, {"fields": [DAY, "service", "vendor", "model", "source"]}), *RollupAdmin.sums]


@admin.register(ZoneOffset)
class ZoneOffsetAdmin(ReadOnlyAdmin):
    empty_text = "The offsets of your time zone, by which calls are summed up by day."
    offset = number("offset_ms", label="UTC offset", show=lambda ms: f"{ms / 3_600_000:+g} h", ordering=False)
    list_display = [moment("starts"), "zone", offset]
    search_fields = ["=zone"]
    search_help_text = "Whole name, such as Europe/Berlin"
    fields = list_display
