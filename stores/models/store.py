"""Stores, the earlier shapes of records, the secrets taken out of them, and the key that sealed those."""

from django.db import models

from stores.records.fields import CompressedTextField, VerbatimJSONField


class Store(models.Model):
    """One named piece of big-AGI's state.

    A store that an app keeps as rows (`stores.records.registry`) has here only what is left over: its version, unknown
    keys, and an empty container in the place of each list or map of rows.
    """

    class Shape(models.TextChoices):
        ENVELOPE = "envelope", "state and version"
        VALUE = "value", "bare value"

    name = models.CharField(max_length=200, unique=True, help_text="The store's key in the browser, as app-ui.")
    shape = models.CharField(
        max_length=8,
        choices=Shape.choices,
        default=Shape.ENVELOPE,
        help_text="Whether the browser holds {state, version} or a bare value.",
    )
    data = VerbatimJSONField(help_text="The state, or the bare value; secrets are references.")
    version = models.BigIntegerField(
        null=True, blank=True, help_text="The version of the state's shape; empty where the envelope has none."
    )
    extra = VerbatimJSONField(
        null=True, blank=True, help_text="Members of the envelope beside state and version, exactly as they came."
    )

    revision = models.PositiveBigIntegerField(default=1, help_text="Rises by one with every changed write.")
    content_hash = models.CharField(max_length=32, help_text="Digest of the canonical JSON of what is stored here.")

    created_at = models.DateTimeField(auto_now_add=True, help_text="When bigagi first stored it.")
    updated_at = models.DateTimeField(auto_now=True, help_text="When bigagi last changed it.")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def uid(self) -> str:
        """The name, under the word that all records have for their id."""
        return self.name


class Revision(models.Model):
    """An earlier or another shape of a record, kept whole and compressed."""

    class Reason(models.TextChoices):
        ORIGINAL = "original", "as it was before its shape was converted"
        REPLACED = "replaced", "as it was here before a newer one replaced it"
        SOURCE = "source", "as an import brought it, while ours was kept"
        VERSION = "version", "another version of a message, of which the newer one is shown"

    kind = models.CharField(max_length=20, help_text="What it is a revision of: store, conversation, message, …")
    uid = models.CharField(max_length=500, help_text="The record's id; of a message, its conversation's id first.")
    reason = models.CharField(max_length=10, choices=Reason.choices, help_text="Why this shape is kept.")
    body = CompressedTextField(help_text="The JSON text, compressed; secrets are references.")
    content_hash = models.CharField(max_length=32, help_text="Digest of the canonical JSON.")
    size = models.PositiveBigIntegerField(help_text="Length of the JSON text in characters.")
    run = models.ForeignKey(
        "stores.MigrationRun",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="revisions",
        help_text="The run that kept it.",
    )
    created_at = models.DateTimeField(auto_now_add=True, help_text="When it was kept.")

    class Meta:
        ordering = ["-id"]
        verbose_name = "earlier version"
        constraints = [
            # An import of the same file again keeps nothing twice.
            models.UniqueConstraint(
                fields=["kind", "uid", "reason", "content_hash"], name="stores_revision_unique_content"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.uid} ({self.reason})"


class Secret(models.Model):
    """An API key, a token or a password, encrypted with the key file's key; JSON holds a reference to it."""

    reference = models.CharField(
        max_length=32, unique=True, help_text="Keyed digest of the value, by which JSON refers to it."
    )
    ciphertext = models.BinaryField(help_text="The value, encrypted (Fernet).")
    last4 = models.CharField(
        max_length=4, blank=True, help_text="The last four characters, of values of 16 characters or more."
    )
    sealed_with = models.CharField(
        max_length=32, blank=True, help_text="Fingerprint of the key that encrypted it; empty: not known yet."
    )
    is_given_up = models.BooleanField(
        default=False, help_text="Whether the owner went on without its key. It stays encrypted; no check reports it."
    )
    created_at = models.DateTimeField(auto_now_add=True, help_text="When it was first seen.")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"…{self.last4}" if self.last4 else "(short)"


class KeyFingerprint(models.Model):
    """The key that a key file must contain to be this database's, by its fingerprint. There is one row at most."""

    ONLY = 1
    """The primary key of the row: two servers cannot write two."""

    fingerprint = models.CharField(max_length=32, help_text="Digest of the key, which does not tell the key.")
    created_at = models.DateTimeField(auto_now_add=True, help_text="When a secret was first sealed with this key.")

    def __str__(self) -> str:
        return self.fingerprint[:8]
