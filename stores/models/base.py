"""What every record that big-AGI names has in common."""

from django.db import models

from stores.records.fields import VerbatimJSONField


class Record(models.Model):
    """A record under the id that big-AGI gave it, with what its columns could not hold in `extra`."""

    uid = models.CharField("id", max_length=200, unique=True, help_text="The id that big-AGI gave the record.")

    extra = VerbatimJSONField(
        null=True, blank=True, help_text="Parts of the record's JSON that no column holds, exactly as they came."
    )
    content_hash = models.CharField(
        max_length=32, help_text="Digest of the record's canonical JSON, with secrets as references."
    )

    created_at = models.DateTimeField(auto_now_add=True, help_text="When bigagi first stored the record.")
    updated_at = models.DateTimeField(auto_now=True, help_text="When bigagi last changed the record.")

    class Meta:
        abstract = True
