"""Totals as the API gives them, in big-AGI's fields; events, series, budgets and the log of requests, in our own."""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.fields import empty

from metrics.budgets import MAX_NANO_USD, OK, OVER, WARNING
from metrics.ledger.limits import MOST_NANO_USD, MOST_TOKENS
from metrics.models import ApiRequest, UsageEvent
from metrics.reporting import SOURCES
from metrics.series import BY, PER
from stores.api.members import ID, FlagMember, ShortTextMember, WholeNumberMember
from stores.api.serializers import FormSerializer
from stores.records.clock import now_ms
from stores.records.errors import at as error_at
from stores.records.json_values import MAX_COUNT as MAX


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
        # Its columns are JSON as they are; DRF's walk through the fields takes several times as long.
        return {name: getattr(instance, "corrects_id" if name == "corrects" else name) for name in self.Meta.fields}


def _count(help_text: str, most: int = MAX) -> WholeNumberMember:
    return WholeNumberMember(most, more=", or null if unknown", allow_null=True, help_text=help_text)


class SourceField(serializers.ChoiceField):
    def run_validation(self, data: Any = empty) -> Any:
        if data not in SOURCES:
            raise ValidationError(f"source must be one of: {', '.join(SOURCES)}.", "choice")
        return data


NO_MODEL = "The model is required: send the id of the model that was called."
AHEAD_MS = 24 * 60 * 60 * 1000
"""How far a client's clock may be ahead."""


class ReportedCallSerializer(FormSerializer):
    """A call that was made elsewhere. What is left out or null is unknown."""

    at = WholeNumberMember(MAX, help_text="When it was made, in ms since the epoch; default: now.")
    source = SourceField(  # type: ignore[assignment]  # a member, not the attribute of fields
        choices=SOURCES, required=False, help_text="`api`, or `test`: test calls are not counted."
    )
    service = ShortTextMember(200, help_text="The service's id; default: that of the model, if it is known.")
    vendor = ShortTextMember(100, help_text="The vendor; default: that of the model, if it is known.")
    model = ShortTextMember(
        200, schema=ID, required=True, error_messages={"required": NO_MODEL}, help_text="The model's id."
    )
    conversation = ShortTextMember(200, help_text="The chat's id.")
    message = ShortTextMember(200, help_text="The message's id.")
    outcome = ShortTextMember(20, help_text="How it ended: done (the default), stopped, or the kind of failure.")
    input_tokens = _count("New input tokens.", MOST_TOKENS - 1)
    cache_read_tokens = _count("Input tokens read from a cache.", MOST_TOKENS - 1)
    cache_write_tokens = _count("Input tokens written to a cache.", MOST_TOKENS - 1)
    output_tokens = _count("Visible output tokens.", MOST_TOKENS - 1)
    reasoning_tokens = _count("Reasoning tokens, not included in the visible ones.", MOST_TOKENS - 1)
    cost_nano_usd = _count(
        "Cost in 10⁻⁹ USD; null to use the model's price, otherwise the price book of that day.", MOST_NANO_USD - 1
    )
    cost_reported_nano_usd = _count("Cost reported by the provider, in 10⁻⁹ USD.", MOST_NANO_USD - 1)
    ms_to_first_token = _count("Milliseconds to the first token.")
    ms_total = _count("Milliseconds until the end of the call.")
    estimated = FlagMember(fault="{name} must be true or false.", help_text="Whether the counts are estimates.")

    def validate(self, attrs: Any) -> Any:
        if attrs.get("at", 0) > now_ms() + AHEAD_MS:
            raise error_at("/at", "at must not be in the future. It is in milliseconds since 1970.", "range")
        if not attrs["model"]:
            raise error_at("/model", NO_MODEL, "required")
        return attrs


class BudgetWriteSerializer(FormSerializer):
    """A monthly budget to set."""

    nano_usd = WholeNumberMember(
        MAX_NANO_USD,
        fault=f"nano_usd must be a whole number of 10⁻⁹ USD from 0 to {MAX_NANO_USD}.",
        required=True,
        help_text="In 10⁻⁹ USD.",
    )


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


@extend_schema_serializer(many=False)
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
