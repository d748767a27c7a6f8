"""Answers to requests that carry an Idempotency-Key, kept for the client that asks again."""

from django.conf import settings
from django.db import models

from stores.records.fields import CompressedTextField, VerbatimJSONField


class IdempotencyKey(models.Model):
    """One key of one user: claimed by the request that runs, then with its answer. It is kept for 24 hours."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="+",
        help_text="Who sent the key; another user's same key is another one.",
    )
    key = models.CharField(max_length=255, help_text="The key, as the client chose it.")
    digest = models.CharField(max_length=64, help_text="Keyed digest of the request: method, path and body.")
    owner = models.CharField(
        max_length=200, help_text="Who runs the request: boot, process and its start, and a mark of the run."
    )
    lease_until = models.BigIntegerField(
        default=0, db_default=0, help_text="Until when its owner answers for it, in ms since the epoch."
    )
    status = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="The answer's status; empty while the request runs."
    )
    headers = VerbatimJSONField(null=True, blank=True, help_text="The answer's own headers: Location, ETag, ….")
    body = CompressedTextField(
        null=True, blank=True, help_text="The answer's body, compressed; secrets are references or markers."
    )

    created_at = models.DateTimeField(auto_now_add=True, help_text="When the key first came.")

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="stores_idempotencykey_unique")]
        # Each new key drops those that are too old.
        indexes = [models.Index(fields=["created_at"], name="stores_idempotencykey_age")]

    def __str__(self) -> str:
        return self.key
