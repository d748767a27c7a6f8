"""Totals as the API gives them, in big-AGI's fields; events, series, budgets and the log of requests, in our own."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from metrics.budgets import OK, OVER, WARNING
from metrics.models import ApiRequest, UsageEvent
from metrics.reporting import LIMITS, MAX, SOURCES
from metrics.series import BY, PER
from stores.api.serializers import TEXT, IdField


class TotalsSerializer(serializers.Serializer):
    # Sums of what a browser stored, which need not be integers.
    totalCosts = serializers.FloatField(allow_null=True, help_text="Cost in USD.")
    totalSavings = serializers.FloatField(allow_null=True, help_text="Saved by caching, in USD; can be negative.")
    totalInputTokens = serializers.FloatField(allow_null=True, help_text="New, cache read and cache write tokens.")
    totalOutputTokens = serializers.FloatField(allow_null=True, help_text="Output with reasoning.")
    usageCount = serializers.FloatField(allow_null=True, help_text="Calls.")
    freeUsages = serializers.FloatField(allow_null=True, help_text="Calls of free models.")
    noPricingUsages = serializers.FloatField(allow_null=True, help_text="Calls of models without a price.")
    noTokenUsages = serializers.FloatField(allow_null=True, help_text="Calls that reported no tokens.")
    partialMessageUsages = serializers.FloatField(allow_null=True, help_text="Calls that were interrupted.")
    partialPriceUsages = serializers.FloatField(allow_null=True, help_text="Calls with an incomplete price.")
    firstUsageDate = serializers.FloatField(allow_null=True, help_text="First call, in ms since the epoch.")
    lastUsageDate = serializers.FloatField(allow_null=True, help_text="Last call, in ms since the epoch.")


class ExactSerializer(serializers.Serializer):
    cost_nano_usd = serializers.IntegerField(allow_null=True, help_text="Exact cost in 10⁻⁹ USD; null if unknown.")
    unpriced = serializers.IntegerField(help_text="Calls in the ledger whose cost is not known.")


class TotalsWithFactsSerializer(TotalsSerializer):
    _server = ExactSerializer()


class SinceSerializer(serializers.Serializer):
    at = serializers.IntegerField(help_text="Calls are counted from this time, in ms since the epoch.")
    change = serializers.IntegerField(allow_null=True, help_text="The journal entry, which can be undone.")
    totals = TotalsWithFactsSerializer()
    services = serializers.DictField(child=serializers.JSONField(), help_text="By the service's id.")


class MetricsSerializer(serializers.Serializer):
    """Browser counts plus the calls in the ledger that they do not include. A total is null if no service
    knows it. Savings and the counts of free, unpriced and partial calls are from browsers only."""

    totals = TotalsWithFactsSerializer(help_text="Of all time.")
    services = serializers.DictField(
        child=serializers.JSONField(),
        help_text="Of all time, by the service's id, as big-AGI stores them, with exact costs under `_server`.",
    )
    since = SinceSerializer(allow_null=True, help_text="Since the last reset; null if there was none.")


class CountingStartSerializer(serializers.Serializer):
    """The last reset of the count."""

    at = serializers.IntegerField(help_text="In ms since the epoch.")
    change = serializers.IntegerField(allow_null=True, help_text="The journal entry, which can be undone.")


class SeriesSerializer(serializers.Serializer):
    """A series as a table: `rows` have the values of `columns`. Periods without calls have no row."""

    by = serializers.ChoiceField(choices=BY)
    per = serializers.ChoiceField(choices=PER)
    start = serializers.DateField(help_text="The first day.")
    end = serializers.DateField(help_text="The last day.")
    zone = serializers.CharField(help_text="Your time zone, in which days begin and end.")
    columns = serializers.ListField(
        child=serializers.CharField(),
        help_text="`at`: the day on which the period begins, or the hour; `key`: the service or other value it is "
        "grouped by; then usage, null where no call reported it. Latencies are percentiles in ms.",
    )
    rows = serializers.ListField(child=serializers.ListField(child=serializers.JSONField(allow_null=True)))


class UsageEventSerializer(serializers.ModelSerializer):
    """One call. Unknown is null, never 0."""

    corrects = serializers.IntegerField(
        source="corrects_id", allow_null=True, read_only=True, help_text="The event that this one reverses."
    )
    corrected_by = serializers.IntegerField(
        allow_null=True, read_only=True, help_text="The event that reverses this one."
    )

    class Meta:
        model = UsageEvent
        fields = [
            *("id", "at", "source", "service", "vendor", "model", "conversation", "message", "input_tokens"),
            *("cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens", "estimated"),
            *("cost_nano_usd", "cost_reported_nano_usd", "cost_code", "price_source", "ms_to_first_token", "ms_total"),
            *("outcome", "corrects", "corrected_by"),
        ]

    def to_representation(self, instance: Any) -> Any:
        return {name: getattr(instance, "corrects_id" if name == "corrects" else name) for name in self.Meta.fields}


def _count(name: str, help_text: str) -> serializers.Field[Any, Any, Any, Any]:
    described = extend_schema_field({"type": "integer", "minimum": 0, "maximum": LIMITS[name]})
    field = described(type("CountField", (serializers.IntegerField,), {}))
    return field(required=False, allow_null=True, min_value=0, max_value=LIMITS[name], help_text=help_text)


def _name(length: int, help_text: str) -> serializers.Field[Any, Any, Any, Any]:
    """Return a text that can be empty: DRF's own is described as one of two things that an empty one is both of."""
    described = extend_schema_field({"type": "string", "maxLength": length, "pattern": TEXT})
    return described(type("NameField", (serializers.JSONField,), {}))(required=False, help_text=help_text)


class ReportedCallSerializer(serializers.Serializer):
    """A call that was made elsewhere. What is left out or null is unknown."""

    rules = {"additionalProperties": False}

    at = serializers.IntegerField(
        required=False, min_value=0, max_value=MAX, help_text="When it was made, in ms since the epoch; default: now."
    )
    source = serializers.ChoiceField(  # type: ignore[assignment]  # a member, not the attribute of fields
        choices=SOURCES, required=False, help_text="`api`, or `test`: test calls are not counted."
    )
    model = IdField(help_text="The model's id.")
    service = _name(200, "The service's id; default: that of the model, if it is known.")
    vendor = _name(100, "The vendor; default: that of the model, if it is known.")
    conversation = _name(200, "The chat's id.")
    message = _name(200, "The message's id.")
    input_tokens = _count("input_tokens", "New input tokens.")
    cache_read_tokens = _count("cache_read_tokens", "Input tokens read from a cache.")
    cache_write_tokens = _count("cache_write_tokens", "Input tokens written to a cache.")
    output_tokens = _count("output_tokens", "Visible output tokens.")
    reasoning_tokens = _count("reasoning_tokens", "Reasoning tokens, not included in the visible ones.")
    estimated = serializers.BooleanField(required=False, help_text="Whether the counts are estimates.")
    cost_nano_usd = _count(
        "cost_nano_usd", "Cost in 10⁻⁹ USD; null to use the model's price, otherwise the price book of that day."
    )
    cost_reported_nano_usd = _count("cost_reported_nano_usd", "Cost reported by the provider, in 10⁻⁹ USD.")
    ms_to_first_token = _count("ms_to_first_token", "Milliseconds to the first token.")
    ms_total = _count("ms_total", "Milliseconds until the end of the call.")
    outcome = _name(20, "How it ended: done (the default), stopped, or the kind of failure.")


class BudgetWriteSerializer(serializers.Serializer):
    """A monthly budget to set."""

    rules = {"additionalProperties": False}
    nano_usd = serializers.IntegerField(min_value=0, max_value=MAX, help_text="In 10⁻⁹ USD.")


class BudgetSerializer(serializers.Serializer):
    """A monthly budget, and the spending so far."""

    service = serializers.CharField(allow_null=True, help_text="The service's id; null: all services together.")
    nano_usd = serializers.IntegerField(help_text="In 10⁻⁹ USD.")
    spent_nano_usd = serializers.IntegerField(help_text="Spent this month by calls whose cost is known, in 10⁻⁹ USD.")
    unpriced = serializers.IntegerField(help_text="Calls of this month whose cost is not known.")
    share = serializers.FloatField(
        allow_null=True, help_text="Share of the budget spent; 1 is all of it. Null if the budget is 0."
    )
    state = serializers.ChoiceField(choices=(OK, WARNING, OVER), help_text="warning: 80 percent or more.")
    month_start = serializers.IntegerField(help_text="Start of the month in your time zone, in ms.")
    month_end = serializers.IntegerField(help_text="Start of the next month, in ms since the epoch.")
    href = serializers.CharField(help_text="The budget's address.")


class BudgetsSerializer(serializers.Serializer):
    """The current budgets, starting with that of all services."""

    zone = serializers.CharField(help_text="Your time zone.")
    results = BudgetSerializer(many=True)


class AmountsSerializer(serializers.Serializer):
    """Unknown counts as 0; a gap can be negative."""

    calls = serializers.IntegerField()
    cost_nano_usd = serializers.IntegerField(help_text="In 10⁻⁹ USD.")
    input_tokens = serializers.IntegerField(help_text="New, read from a cache, and written to one.")
    output_tokens = serializers.IntegerField(help_text="With reasoning.")


class DeviceCountSerializer(serializers.Serializer):
    device = serializers.CharField(allow_blank=True, help_text="As named by app-device; empty if unknown.")
    is_newest = serializers.BooleanField(help_text="Whether it was imported last, and is the one an export contains.")
    counted = AmountsSerializer()
    last_usage = serializers.IntegerField(allow_null=True, help_text="Its last call, in ms since the epoch.")


class ServiceReportSerializer(serializers.Serializer):
    """The comparison for one service: `total` is `counted` plus `own` and `later`."""

    service = serializers.CharField(allow_blank=True, help_text="Its id; empty: no service is known.")
    devices = DeviceCountSerializer(many=True)
    counted = AmountsSerializer(help_text="Counted by all browsers together.")
    explained = AmountsSerializer(help_text="The part that imported messages account for.")
    gap = AmountsSerializer(help_text="Counted, but without a message here.")
    later = AmountsSerializer(help_text="Imported messages that are newer than what was counted.")
    own = AmountsSerializer(help_text="Calls made here.")
    total = AmountsSerializer()
    counted_until = serializers.IntegerField(allow_null=True, help_text="The last call that a browser counted, in ms.")
    tolerance_nano_usd = serializers.IntegerField(help_text="Possible rounding error of the browsers' sums.")
    explanation = serializers.CharField()
    alarms = serializers.ListField(child=serializers.CharField())


class ReconciliationSerializer(serializers.Serializer):
    """Browser counts compared with the ledger, by service."""

    results = ServiceReportSerializer(many=True)


class PriceViewSerializer(serializers.Serializer):
    cost_nano_usd = serializers.IntegerField(help_text="In 10⁻⁹ USD, without calls of unknown cost.")
    unpriced = serializers.IntegerField(help_text="Calls of unknown cost.")


class RepricedSerializer(serializers.Serializer):
    """The calls of one model of a service at three prices."""

    service = serializers.CharField(allow_blank=True)
    vendor = serializers.CharField(allow_blank=True)
    model = serializers.CharField(allow_blank=True)
    calls = serializers.IntegerField()
    input_tokens = serializers.IntegerField()
    cache_read_tokens = serializers.IntegerField()
    cache_write_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()
    reasoning_tokens = serializers.IntegerField()
    recorded = PriceViewSerializer(help_text="As recorded in the ledger.")
    listed = PriceViewSerializer(help_text="At the price book's prices on the day of each call.")
    today = PriceViewSerializer(help_text="At today's price: yours, otherwise the model's, otherwise the price book's.")
    price_source = serializers.CharField(
        allow_blank=True, help_text="Where today's price comes from: user, model, book."
    )
    set_price = serializers.CharField(
        allow_blank=True, help_text="Where a price can be set, with PATCH of `userPricing`; empty if nowhere."
    )


class RepricingSerializer(serializers.Serializer):
    """Cost of calls at three prices, the most expensive at today's prices first."""

    start = serializers.DateField(help_text="The first day.")
    end = serializers.DateField(help_text="The last day.")
    zone = serializers.CharField(help_text="Your time zone.")
    results = RepricedSerializer(many=True)
    supposed = PriceViewSerializer(allow_null=True, help_text="At the price to try; null if none was sent.")


class ApiRequestSerializer(serializers.ModelSerializer):
    """One request to the API."""

    class Meta:
        model = ApiRequest
        fields = [
            *("id", "at", "method", "route", "status", "duration_ms", "query_count", "query_ms", "bytes_sent"),
            *("actor", "request_id", "error"),
        ]
