"""The log's warnings and errors."""

from django.db import models


class LogEntry(models.Model):
    """One warning or error of the server's log. The table is bounded (LOG_ENTRY_ROWS, LOG_ENTRY_DAYS), has no message
    text and no keys, and may miss some under load; their number is then shown."""

    class Level(models.TextChoices):
        WARNING = "warning", "Warning"
        ERROR = "error", "Error"
        CRITICAL = "critical", "Critical"

    at = models.DateTimeField(help_text="When it was logged.")
    level = models.CharField(max_length=10, choices=Level.choices, help_text="How bad it is.")
    logger = models.CharField(max_length=100, help_text="The part of bigagi, or the library, that logged it.")
    event = models.CharField(max_length=500, help_text="What happened.")
    request_id = models.CharField(
        max_length=64, blank=True, help_text="The request in or after which it happened, as in X-Request-ID."
    )
    details = models.TextField(blank=True, help_text="What else the line of the log says, as JSON; may be cut.")
    exception = models.TextField(
        blank=True, help_text="Where in the program it happened: the exception's kind and the calls to it; may be cut."
    )

    class Meta:
        ordering = ["-id"]
        verbose_name = "warning or error"
        verbose_name_plural = "warnings and errors"
        indexes = [
            # Pruning, and the filters by time.
            models.Index(fields=["at"], name="metrics_log_at"),
            # The lines of a request, from its entry or a problem.
            models.Index(fields=["request_id"], name="metrics_log_request_id"),
        ]

    def __str__(self) -> str:
        return f"{self.level}: {self.event}"
