"""The log of the API's requests."""

from django.db import models


class ApiRequest(models.Model):
    """One API request with its response. The log is bounded (REQUEST_LOG_ROWS, REQUEST_LOG_DAYS), contains no
    bodies, no query strings and no ids, and may miss some under load; their number is then shown."""

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
