"""What was used: totals that big-AGI counted, the ledger of single calls, and the log of the API's requests."""

from django.db import models

from stores.fields import VerbatimJSONField
from stores.models import Record


class UsageBaseline(Record):
    """The totals of one service as a browser counted them (app-metrics); its id is the service's.

    They count also calls that left no message, as of deleted chats (`bigagi-format.md` § 6). Money is in USD.
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

    class Meta:
        ordering = ["uid"]

    def __str__(self) -> str:
        return self.uid


class UsageEvent(models.Model):
    """One priced model call. References are text: the ledger outlives what it names. NULL means unknown, never 0."""

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
    corrects = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, help_text="The event that this one takes back."
    )

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["at"], name="metrics_event_at"),
            models.Index(fields=["service", "at"], name="metrics_event_service"),
            models.Index(fields=["conversation"], name="metrics_event_conversation"),
        ]

    def __str__(self) -> str:
        return f"{self.model} at {self.at}"


class ApiRequest(models.Model):
    """One request to the API, as it was answered. The log is bounded (REQUEST_LOG_ROWS, REQUEST_LOG_DAYS), holds no
    bodies, no queries of addresses and no ids in them, and may miss some under load: then their number is told."""

    at = models.DateTimeField(help_text="When it came.")
    method = models.CharField(max_length=10, help_text="The HTTP method.")
    route = models.CharField(max_length=200, help_text="The route's pattern; /api/ where there is nothing.")
    status = models.PositiveSmallIntegerField(help_text="The HTTP status.")
    duration_ms = models.FloatField(help_text="From its coming to its answer, of a stream to its end, in ms.")
    query_count = models.PositiveIntegerField(help_text="Queries to the database.")
    query_ms = models.FloatField(help_text="Time that the queries took together, in ms.")
    bytes_sent = models.PositiveBigIntegerField(help_text="Bytes of the answer's body.")
    actor = models.CharField(max_length=200, blank=True, help_text="Who asked: a user, or a user's token.")
    request_id = models.CharField(max_length=64, blank=True, help_text="The request's id, as in X-Request-ID.")
    error = models.CharField(
        max_length=60, blank=True, help_text="The kind of error, as in Troubleshooting; broken-off: a stream cut short."
    )

    class Meta:
        ordering = ["-id"]
        verbose_name = "API request"
        indexes = [
            # Pruning, and the filters by time.
            models.Index(fields=["at"], name="metrics_request_at"),
            # The line of a problem or of the journal.
            models.Index(fields=["request_id"], name="metrics_request_id"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.route} {self.status}"
