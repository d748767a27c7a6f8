"""Totals that browsers counted before bigagi."""

from django.db import models

from stores.models import Record
from stores.records.fields import VerbatimJSONField


class UsageBaseline(Record):
    """The totals of one service as a browser counted them (app-metrics); its id is the service's.

    They include calls without a message, such as those of deleted chats (`bigagi-format.md` § 6). Money is in USD.
    """

    total_costs = models.FloatField(null=True, blank=True, help_text="Cost in USD.")
    total_savings = models.FloatField(null=True, blank=True, help_text="Saved by caching, in USD; can be negative.")
    total_input_tokens = models.BigIntegerField(
        null=True, blank=True, help_text="New, cache read and cache write tokens together."
    )
    total_output_tokens = models.BigIntegerField(null=True, blank=True, help_text="Output with reasoning.")
    usage_count = models.BigIntegerField(null=True, blank=True, help_text="Calls.")
    first_usage = models.BigIntegerField(null=True, blank=True, help_text="First call, in ms since the epoch.")
    last_usage = models.BigIntegerField(null=True, blank=True, help_text="Last call, in ms since the epoch.")

    device = models.CharField(
        max_length=200, blank=True, help_text="The browser that counted, as app-device names it; empty: not known."
    )

    class Meta:
        ordering = ["uid"]
        verbose_name = "total by service"
        verbose_name_plural = "totals by service"

    def __str__(self) -> str:
        return self.uid


class OtherBaseline(models.Model):
    """The totals of one service, as counted by a browser other than the one imported last."""

    device = models.CharField(max_length=200, blank=True, help_text="The browser that counted.")
    service = models.CharField(max_length=200, help_text="The service's id.")
    data = VerbatimJSONField(help_text="What it counted, as it came.")
    loaded_at = models.DateTimeField(auto_now_add=True, help_text="When another browser's took its place.")

    class Meta:
        ordering = ["service", "device"]
        verbose_name = "total from another browser"
        verbose_name_plural = "totals from other browsers"
        constraints = [models.UniqueConstraint(fields=["device", "service"], name="metrics_other_baseline_unique")]

    def __str__(self) -> str:
        return f"{self.service} on {self.device}"
