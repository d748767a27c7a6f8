"""Totals as the API gives them, in big-AGI's fields."""

from rest_framework import serializers


class TotalsSerializer(serializers.Serializer):
    totalCosts = serializers.FloatField(allow_null=True, help_text="Cost in USD.")
    totalSavings = serializers.FloatField(allow_null=True, help_text="Saved by caching, in USD; can be negative.")
    totalInputTokens = serializers.IntegerField(allow_null=True, help_text="New, cache read and cache write tokens.")
    totalOutputTokens = serializers.IntegerField(allow_null=True, help_text="Output with reasoning.")
    usageCount = serializers.IntegerField(allow_null=True, help_text="Calls.")
    freeUsages = serializers.IntegerField(allow_null=True, help_text="Calls of free models.")
    noPricingUsages = serializers.IntegerField(allow_null=True, help_text="Calls of models without a price.")
    noTokenUsages = serializers.IntegerField(allow_null=True, help_text="Calls that told no tokens.")
    partialMessageUsages = serializers.IntegerField(allow_null=True, help_text="Calls that were broken off.")
    partialPriceUsages = serializers.IntegerField(allow_null=True, help_text="Calls with an incomplete price.")
    firstUsageDate = serializers.IntegerField(allow_null=True, help_text="First call, in ms since the epoch.")
    lastUsageDate = serializers.IntegerField(allow_null=True, help_text="Last call, in ms since the epoch.")


class MetricsSerializer(serializers.Serializer):
    """What big-AGI counted, up to the import. A total is null where no service knows it."""

    totals = TotalsSerializer()
    services = serializers.DictField(child=TotalsSerializer(), help_text="By the service's id.")
