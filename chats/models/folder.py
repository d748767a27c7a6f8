"""Folders and the chats in them."""

from django.db import models

from stores.models import Record


class Folder(Record):
    """A folder of chats; a chat can be in several folders."""

    title = models.TextField(null=True, blank=True, help_text="The folder's name.")
    color = models.CharField(max_length=100, null=True, blank=True, help_text="The folder's colour, as #407cf8.")
    position = models.BigIntegerField(help_text="Place among the folders: the smallest is first.")

    class Meta:
        ordering = ["position", "pk"]
        indexes = [models.Index(fields=["position"], name="chats_folder_position")]

    def __str__(self) -> str:
        return self.title or "(untitled)"


class FolderMembership(models.Model):
    """A chat's place in a folder. The chat is referenced by id, because it may be missing."""

    folder = models.ForeignKey(
        Folder,
        on_delete=models.CASCADE,
        db_index=False,
        related_name="memberships",
        help_text="The folder that lists the chat.",
    )
    conversation_uid = models.CharField(max_length=200, help_text="The chat's id; the chat itself can be missing.")
    position = models.PositiveIntegerField(help_text="Place in the folder, from 0.")

    class Meta:
        ordering = ["folder", "position"]
        verbose_name = "chat in a folder"
        verbose_name_plural = "chats in folders"
        constraints = [
            models.UniqueConstraint(fields=["folder", "conversation_uid"], name="chats_foldermembership_unique")
        ]
        # The folders of a chat, on its page and in lists.
        indexes = [models.Index(fields=["conversation_uid"], name="chats_membership_conversation")]

    def __str__(self) -> str:
        return self.conversation_uid
