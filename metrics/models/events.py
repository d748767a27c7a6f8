"""The ledger: one event per call, written once and never changed."""

from django.db import models

from stores.records.fields import VerbatimJSONField
from stores.records.formatting import format_moment

NOT_ERRORS = ("", "done", "stopped", "out-of-tokens", "filter")
"""Outcomes of calls that did not fail."""


class UsageEvent(models.Model):
    """One priced model call. References are text: the ledger outlives what it names. NULL means unknown, never 0.

    The table is append-only: triggers refuse to change, delete or replace a row (`metrics.ledger.triggers`). A call
    that should not count is reversed by an event with the opposite amounts, dated like the first one.
    """

    class Source(models.TextChoices):
        IMPORT = "import", "Import"
        CHAT = "chat", "Chat"
        API = "api", "API"
        TEST = "test", "Test"

    at = models.BigIntegerField(help_text="When the call was made, in ms since the epoch.")
    source = models.CharField(max_length=10, choices=Source.choices, help_text="What recorded it.")
    service = models.CharField(max_length=200, blank=True, help_text="The service's id.")
    vendor = models.CharField(max_length=100, blank=True, help_text="The vendor.")
    model = models.CharField(max_length=200, blank=True, help_text="The model's id.")
    conversation = models.CharField(max_length=200, blank=True, help_text="The chat's id.")
    message = models.CharField(max_length=200, blank=True, help_text="The message's id.")

    input_tokens = models.BigIntegerField(null=True, blank=True, help_text="New input tokens.")
    cache_read_tokens = models.BigIntegerField(null=True, blank=True, help_text="Input tokens read from a cache.")
    cache_write_tokens = models.BigIntegerField(null=True, blank=True, help_text="Input tokens written to a cache.")
    output_tokens = models.BigIntegerField(null=True, blank=True, help_text="Visible output tokens.")
    reasoning_tokens = models.BigIntegerField(null=True, blank=True, help_text="Reasoning tokens.")
    estimated = models.BooleanField(default=False, help_text="Whether the counts are estimates.")

    cost_nano_usd = models.BigIntegerField(null=True, blank=True, help_text="Cost in 10⁻⁹ USD; empty: unpriced.")
    cost_reported_nano_usd = models.BigIntegerField(
        null=True, blank=True, help_text="Cost by the provider's own word, in 10⁻⁹ USD."
    )
    cost_code = models.CharField(max_length=20, blank=True, help_text="Why there is no price, or only part of one.")
    price_source = models.CharField(max_length=100, blank=True, help_text="Where the price came from.")

    ms_to_first_token = models.BigIntegerField(null=True, blank=True, help_text="Milliseconds to the first token.")
    ms_total = models.BigIntegerField(null=True, blank=True, help_text="Milliseconds of the whole call.")
    outcome = models.CharField(max_length=20, blank=True, help_text="How the call ended.")
    raw_usage = VerbatimJSONField(null=True, blank=True, help_text="The provider's own usage, as it came.")

    calls = models.SmallIntegerField(default=1, help_text="1; −1 where the event takes a call back.")
    call = models.CharField(
        max_length=32,
        null=True,
        blank=True,
        help_text="Digest of the call's model, time and metrics, by which copies of its message are known as one call.",
    )
    change = models.CharField(
        max_length=20,
        blank=True,
        help_text="What made the event: the journal's entry, or the run of an import or of its undo, as run 12.",
    )
    corrects = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, help_text="The event that this one takes back."
    )

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = "call"
        constraints = [
            models.UniqueConstraint(fields=["call"], name="metrics_event_call"),
            models.UniqueConstraint(fields=["corrects"], name="metrics_event_corrects"),
            models.CheckConstraint(condition=models.Q(at__gte=0), name="metrics_event_at_positive"),
        ]
        indexes = [
            models.Index(fields=["at"], name="metrics_event_at"),
            # The lists behind the dashboard's numbers.
            models.Index(fields=["service", "at"], name="metrics_event_service"),
            models.Index(fields=["model", "at"], name="metrics_event_model"),
            # What a chat cost, and each of its messages.
            models.Index(fields=["conversation", "message"], name="metrics_event_message"),
            # Undo.
            models.Index(fields=["change"], name="metrics_event_change", condition=~models.Q(change="")),
        ]

    def __str__(self) -> str:
        return f"{self.model or 'no model'}, {format_moment(self.at)}"
