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
    noTokenUsages = serializers.FloatField(allow_null=True, help_text="Calls that told no tokens.")
    partialMessageUsages = serializers.FloatField(allow_null=True, help_text="Calls that were broken off.")
    partialPriceUsages = serializers.FloatField(allow_null=True, help_text="Calls with an incomplete price.")
    firstUsageDate = serializers.FloatField(allow_null=True, help_text="First call, in ms since the epoch.")
    lastUsageDate = serializers.FloatField(allow_null=True, help_text="Last call, in ms since the epoch.")


class ExactSerializer(serializers.Serializer):
    cost_nano_usd = serializers.IntegerField(allow_null=True, help_text="Cost in 10⁻⁹ USD, exactly; null: not known.")
    unpriced = serializers.IntegerField(help_text="Calls in the ledger whose cost is not known.")


class TotalsWithFactsSerializer(TotalsSerializer):
    _server = ExactSerializer()


class SinceSerializer(serializers.Serializer):
    at = serializers.IntegerField(help_text="From when on calls count, in ms since the epoch.")
    change = serializers.IntegerField(allow_null=True, help_text="The journal's entry, by which it can be undone.")
    totals = TotalsWithFactsSerializer()
    services = serializers.DictField(child=serializers.JSONField(), help_text="By the service's id.")


class MetricsSerializer(serializers.Serializer):
    """What browsers counted, with the calls in the ledger that are not among that. A total is null where no service
    knows it. Savings and the counters of free, unpriced and partial calls are the browsers' own."""

    totals = TotalsWithFactsSerializer(help_text="Of all time.")
    services = serializers.DictField(
        child=serializers.JSONField(),
        help_text="Of all time, by the service's id, as big-AGI stores them, with exact costs under `_server`.",
    )
    since = SinceSerializer(allow_null=True, help_text="Since counting began anew; null: it never did.")


class CountingStartSerializer(serializers.Serializer):
    """From when on totals count anew."""

    at = serializers.IntegerField(help_text="In ms since the epoch.")
    change = serializers.IntegerField(allow_null=True, help_text="The journal's entry, by which it can be undone.")


class SeriesSerializer(serializers.Serializer):
    """A series as a table: `rows` have the values of `columns`. Times without calls have no row."""

    by = serializers.ChoiceField(choices=BY)
    per = serializers.ChoiceField(choices=PER)
    start = serializers.DateField(help_text="The first day.")
    end = serializers.DateField(help_text="The last day.")
    zone = serializers.CharField(help_text="The owner's time zone, in which days begin and end.")
    columns = serializers.ListField(
        child=serializers.CharField(),
        help_text="`at`: the day on which the time begins, or the hour; `key`: the service or other that it is "
        "divided by; then what was used, null where no call tells it. Latencies are percentiles in ms.",
    )
    rows = serializers.ListField(child=serializers.ListField(child=serializers.JSONField(allow_null=True)))


class UsageEventSerializer(serializers.ModelSerializer):
    """One call. Unknown is null, never 0."""

    corrects = serializers.IntegerField(
        source="corrects_id", allow_null=True, read_only=True, help_text="The event that this one takes back."
    )
    corrected_by = serializers.IntegerField(
        allow_null=True, read_only=True, help_text="The event that takes this one back."
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
    """A call that was made elsewhere. What is left out or null is not known."""

    rules = {"additionalProperties": False}

    at = serializers.IntegerField(
        required=False, min_value=0, max_value=MAX, help_text="When it was made, in ms since the epoch; default: now."
    )
    source = serializers.ChoiceField(  # type: ignore[assignment]  # a member, not the attribute of fields
        choices=SOURCES, required=False, help_text="`api`, or `test`: such calls count nowhere."
    )
    model = IdField(help_text="The model's id.")
    service = _name(200, "The service's id; default: that of the model, where it is here.")
    vendor = _name(100, "The vendor; default: that of the model, where it is here.")
    conversation = _name(200, "The chat's id.")
    message = _name(200, "The message's id.")
    input_tokens = _count("input_tokens", "New input tokens.")
    cache_read_tokens = _count("cache_read_tokens", "Input tokens read from a cache.")
    cache_write_tokens = _count("cache_write_tokens", "Input tokens written to a cache.")
    output_tokens = _count("output_tokens", "Visible output tokens.")
    reasoning_tokens = _count("reasoning_tokens", "Reasoning tokens, which are not among the visible ones.")
    estimated = serializers.BooleanField(required=False, help_text="Whether the counts are estimates.")
    cost_nano_usd = _count(
        "cost_nano_usd", "Cost in 10⁻⁹ USD; null: it is priced by the model, else by the price book of that day."
    )
    cost_reported_nano_usd = _count("cost_reported_nano_usd", "Cost by the provider's own word, in 10⁻⁹ USD.")
    ms_to_first_token = _count("ms_to_first_token", "Milliseconds to the first token.")
    ms_total = _count("ms_total", "Milliseconds of the whole call.")
    outcome = _name(20, "How it ended: done (the default), stopped, or the kind of failure.")


class BudgetWriteSerializer(serializers.Serializer):
    """What a month may cost."""

    rules = {"additionalProperties": False}
    nano_usd = serializers.IntegerField(min_value=0, max_value=MAX, help_text="In 10⁻⁹ USD.")


class BudgetSerializer(serializers.Serializer):
    """What a month may cost, and what it cost so far."""

    service = serializers.CharField(allow_null=True, help_text="The service's id; null: all services together.")
    nano_usd = serializers.IntegerField(help_text="In 10⁻⁹ USD.")
    spent_nano_usd = serializers.IntegerField(help_text="Spent this month by calls whose cost is known, in 10⁻⁹ USD.")
    unpriced = serializers.IntegerField(help_text="Calls of this month whose cost is not known.")
    share = serializers.FloatField(allow_null=True, help_text="Spent of the budget; 1: all. Null: the budget is 0.")
    state = serializers.ChoiceField(choices=(OK, WARNING, OVER), help_text="warning: from 80 percent on.")
    month_start = serializers.IntegerField(help_text="Begin of the month in the owner's time zone, in ms.")
    month_end = serializers.IntegerField(help_text="Begin of the next one, in ms since the epoch.")
    href = serializers.CharField(help_text="The budget's address.")


class BudgetsSerializer(serializers.Serializer):
    """The budgets in force, that of all services first."""

    zone = serializers.CharField(help_text="The owner's time zone.")
    results = BudgetSerializer(many=True)


class AmountsSerializer(serializers.Serializer):
    """Unknown counts as 0; a gap can be negative."""

    calls = serializers.IntegerField()
    cost_nano_usd = serializers.IntegerField(help_text="In 10⁻⁹ USD.")
    input_tokens = serializers.IntegerField(help_text="New, read from a cache, and written to one.")
    output_tokens = serializers.IntegerField(help_text="With reasoning.")


class DeviceCountSerializer(serializers.Serializer):
    device = serializers.CharField(allow_blank=True, help_text="As app-device names it; empty: not known.")
    is_newest = serializers.BooleanField(help_text="Whether it was loaded last, and is what a dump gives.")
    counted = AmountsSerializer()
    last_usage = serializers.IntegerField(allow_null=True, help_text="Its last call, in ms since the epoch.")


class ServiceReportSerializer(serializers.Serializer):
    """The account of one service: `total` is `counted` with `own` and `later`."""

    service = serializers.CharField(allow_blank=True, help_text="Its id; empty: no service is known.")
    devices = DeviceCountSerializer(many=True)
    counted = AmountsSerializer(help_text="By all browsers together.")
    explained = AmountsSerializer(help_text="What imported messages tell of that.")
    gap = AmountsSerializer(help_text="What was counted and left no message here.")
    later = AmountsSerializer(help_text="Imported messages that are newer than what was counted.")
    own = AmountsSerializer(help_text="Calls made here.")
    total = AmountsSerializer()
    counted_until = serializers.IntegerField(allow_null=True, help_text="The last call that a browser counted, in ms.")
    tolerance_nano_usd = serializers.IntegerField(help_text="What the browsers' sums can be wrong by.")
    explanation = serializers.CharField()
    alarms = serializers.ListField(child=serializers.CharField())


class ReconciliationSerializer(serializers.Serializer):
    """What browsers counted against the ledger, by service."""

    results = ServiceReportSerializer(many=True)


class PriceViewSerializer(serializers.Serializer):
    cost_nano_usd = serializers.IntegerField(help_text="In 10⁻⁹ USD, without calls whose cost is not known.")
    unpriced = serializers.IntegerField(help_text="Calls whose cost is not known.")


class RepricedSerializer(serializers.Serializer):
    """The calls of one model of a service by three prices."""

    service = serializers.CharField(allow_blank=True)
    vendor = serializers.CharField(allow_blank=True)
    model = serializers.CharField(allow_blank=True)
    calls = serializers.IntegerField()
    input_tokens = serializers.IntegerField()
    cache_read_tokens = serializers.IntegerField()
    cache_write_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()
    reasoning_tokens = serializers.IntegerField()
    recorded = PriceViewSerializer(help_text="As the ledger has it.")
    listed = PriceViewSerializer(help_text="By the price book, as of each call's day.")
    today = PriceViewSerializer(help_text="By the price that you set, else the model's, else the book's of today.")
    price_source = serializers.CharField(
        allow_blank=True, help_text="Where today's price comes from: user, model, book."
    )
    set_price = serializers.CharField(
        allow_blank=True, help_text="Where a price can be set, by PATCH of `userPricing`; empty: nowhere."
    )


class RepricingSerializer(serializers.Serializer):
    """What calls cost by three prices, the most expensive by today's first."""

    start = serializers.DateField(help_text="The first day.")
    end = serializers.DateField(help_text="The last day.")
    zone = serializers.CharField(help_text="The owner's time zone.")
    results = RepricedSerializer(many=True)
    supposed = PriceViewSerializer(allow_null=True, help_text="By the price that was to be tried; null: none was.")


class ApiRequestSerializer(serializers.ModelSerializer):
    """One request to the API."""

    class Meta:
        model = ApiRequest
        fields = [
            *("id", "at", "method", "route", "status", "duration_ms", "query_count", "query_ms", "bytes_sent"),
            *("actor", "request_id", "error"),
        ]
