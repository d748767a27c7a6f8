"""Chats that stand on top of the list."""

from django.db import models

from stores.models import Record


class PinnedChat(Record):
    """A chat that its owner pinned. big-AGI has no such flag, so it is no part of the chat's record: an import of the
    chat leaves it alone, and the chat's JSON has nothing of it. The chat is referenced by id, because it can be deleted
    and brought back."""

    pinned = models.BigIntegerField(null=True, blank=True, help_text="When it was pinned, in ms since the epoch.")

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.uid
