"""Workspaces (one a conversation, under its id) and the live files assigned to them."""

from django.db import models

from stores.models import Record


class Workspace(Record):
    """The files of one conversation; its id is the conversation's. It can be empty, and the chat can be missing."""

    class Meta:
        ordering = ["uid"]

    def __str__(self) -> str:
        return self.uid


class WorkspaceFile(models.Model):
    """A live file's place in a workspace."""

    workspace = models.ForeignKey(
        Workspace,
        on_delete=models.CASCADE,
        db_index=False,
        related_name="files",
        help_text="The workspace that lists the file.",
    )
    file_uid = models.CharField(max_length=200, help_text="The live file's id; the file can be missing.")
    position = models.PositiveIntegerField(help_text="Place in the workspace, from 0.")

    class Meta:
        ordering = ["workspace", "position"]
        verbose_name = "file in a workspace"
        verbose_name_plural = "files in workspaces"
        constraints = [models.UniqueConstraint(fields=["workspace", "file_uid"], name="workspace_file_unique")]
        # The workspaces of a file.
        indexes = [models.Index(fields=["file_uid"], name="workspace_file_uid")]

    def __str__(self) -> str:
        return self.file_uid


class LiveFile(Record):
    """A text file that big-AGI paired with the disk; its handle does not outlive the browser."""

    name = models.TextField(null=True, blank=True, help_text="The file's name.")
    type = models.CharField(max_length=200, null=True, blank=True, help_text="The file's MIME type.")
    size = models.BigIntegerField(null=True, blank=True, help_text="Length in bytes, by the browser.")
    content = models.TextField(null=True, blank=True, help_text="The text.")
    last_modified = models.BigIntegerField(null=True, blank=True, help_text="Last change, in ms since the epoch.")
    created = models.BigIntegerField(null=True, blank=True, help_text="Creation, in ms since the epoch.")

    revision = models.PositiveBigIntegerField(default=1, help_text="Rises by one with every change.")

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name or self.uid
