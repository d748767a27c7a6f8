"""Totals as the API gives them, in big-AGI's fields; the log of requests, in our own."""

from rest_framework import serializers

from metrics.models import ApiRequest


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


class MetricsSerializer(serializers.Serializer):
    """What big-AGI counted, up to the import. A total is null where no service knows it."""

    totals = TotalsSerializer()
    services = serializers.DictField(
        child=serializers.JSONField(), help_text="By the service's id, as they are stored."
    )


class ApiRequestSerializer(serializers.ModelSerializer):
    """One request to the API."""

    class Meta:
        model = ApiRequest
        fields = [
            *("id", "at", "method", "route", "status", "duration_ms", "query_count", "query_ms", "bytes_sent"),
            *("actor", "request_id", "error"),
        ]
