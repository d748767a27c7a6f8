"""The change journal: who changed what, when and by which call, with what undo needs."""

from django.db import models

from stores.records.fields import CompressedTextField, VerbatimJSONField


class Change(models.Model):
    """One entry: all that one call changed, in one transaction. An import is one entry, with a part a record."""

    class Source(models.TextChoices):
        API = "api", "API"
        ADMIN = "admin", "Admin"
        CHAT = "chat", "Chat page"
        COMMAND = "command", "Command"
        IMPORT = "import", "Import"
        TEST = "test", "Test"
        SETTINGS = "settings", "Settings page"

    at = models.DateTimeField(auto_now_add=True, help_text="When it was made.")
    actor = models.CharField(max_length=200, blank=True, help_text="Who made it: a user, or a user's token.")
    source = models.CharField(max_length=8, choices=Source.choices, help_text="What it was made through.")
    request_id = models.CharField(max_length=64, blank=True, help_text="The id of the request, as in the log.")
    action = models.CharField(max_length=60, help_text="What was done, as: replace chat.")
    summary = models.TextField(blank=True, help_text="What it was done to, in words.")
    call = VerbatimJSONField(null=True, blank=True, help_text="The request: method, path and a short body.")
    stores = models.CharField(max_length=500, blank=True, help_text="The stores it touched, separated by blanks.")
    record_count = models.PositiveIntegerField(default=0, help_text="Records that it changed.")
    size = models.PositiveBigIntegerField(default=0, help_text="Characters kept to undo it.")
    duration_ms = models.FloatField(null=True, blank=True, help_text="How long the writing took, in ms.")
    is_purged = models.BooleanField(default=False, help_text="Whether what undo needs was forgotten on purpose.")
    undoes = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="undone_by",
        db_index=False,
        help_text="The change that this one took back.",
    )
    run = models.ForeignKey(
        "stores.MigrationRun",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="changes",
        db_index=False,
        help_text="The import whose entry this is.",
    )

    class Meta:
        ordering = ["-id"]
        indexes = [
            # Filters of the API and the admin; each is followed by the newest first.
            models.Index(fields=["source", "id"], name="stores_change_source"),
            models.Index(fields=["at"], name="stores_change_at"),
            # Most changes undo nothing and are no import's: what every write writes has no entry for that.
            models.Index(fields=["undoes"], name="stores_change_undoes", condition=models.Q(undoes__isnull=False)),
            models.Index(fields=["run"], name="stores_change_run", condition=models.Q(run__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.action}: {self.summary}" if self.summary else self.action


class ChangedRecord(models.Model):
    """One record that a change made, altered or deleted.

    `body` holds what undo needs: of a deleted record its JSON, of an altered one the smallest difference
    (`stores.records.journal.delta`), of a new one nothing.
    """

    class Action(models.TextChoices):
        CREATED = "created", "created"
        UPDATED = "updated", "updated"
        DELETED = "deleted", "deleted"

    change = models.ForeignKey(
        Change, on_delete=models.CASCADE, related_name="records", help_text="The entry it belongs to."
    )
    kind = models.CharField(max_length=20, help_text="What it is: conversation, folder, store, …")
    uid = models.CharField(max_length=500, help_text="The record's id.")
    action = models.CharField(max_length=7, choices=Action.choices, help_text="What happened to it.")
    hash_before = models.CharField(max_length=32, blank=True, help_text="Its content hash before; empty: was not here.")
    hash_after = models.CharField(max_length=32, blank=True, help_text="Its content hash after; empty: is gone.")
    position = models.BigIntegerField(null=True, blank=True, help_text="Where a deleted record stood in its list.")
    body = CompressedTextField(null=True, blank=True, help_text="What undo needs, compressed; secrets are references.")

    class Meta:
        ordering = ["change", "id"]
        # The history of one record.
        indexes = [models.Index(fields=["kind", "uid", "change"], name="stores_changedrecord_record")]

    def __str__(self) -> str:
        return f"{self.kind} {self.uid} {self.action}"


class StoreCounter(models.Model):
    """Rises with each change in a store that is kept as rows: the store's ETag, and that of its folders or models."""

    name = models.CharField(max_length=200, unique=True, help_text="The store's name, as app-folders.")
    revision = models.PositiveBigIntegerField(default=1, help_text="Rises with every changed write.")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name} {self.revision}"
