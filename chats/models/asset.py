"""Images and audio."""

from django.db import models

from stores.models import Record


class Asset(Record):
    """An image or a sound. Its bytes are a file named by their SHA-256 (`chats.assets`)."""

    asset_type = models.CharField(max_length=20, null=True, blank=True, help_text="image or audio.")
    label = models.TextField(null=True, blank=True, help_text="What big-AGI calls it.")
    mime_type = models.CharField(max_length=100, null=True, blank=True, help_text="The type of the bytes.")
    scope_id = models.CharField(max_length=100, null=True, blank=True, help_text="Where it is used, as app-chat.")
    context_id = models.CharField(max_length=100, null=True, blank=True, help_text="big-AGI's context: global.")
    width = models.BigIntegerField(null=True, blank=True, help_text="Width of an image in pixels.")
    height = models.BigIntegerField(null=True, blank=True, help_text="Height of an image in pixels.")
    created = models.CharField(max_length=40, null=True, blank=True, help_text="Creation, ISO 8601.")
    updated = models.CharField(max_length=40, null=True, blank=True, help_text="Last change, ISO 8601.")

    sha256 = models.CharField(
        max_length=64, null=True, blank=True, db_index=True, help_text="The name of the file with the bytes."
    )
    size = models.PositiveBigIntegerField(default=0, help_text="Length in bytes.")
    position = models.BigIntegerField(help_text="Place in big-AGI's list.")

    class Meta:
        ordering = ["position", "pk"]
        verbose_name = "image or audio file"
        verbose_name_plural = "images and audio"
        indexes = [models.Index(fields=["position"], name="chats_asset_position")]

    def __str__(self) -> str:
        return self.label or self.uid
