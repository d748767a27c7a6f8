"""Conversations: a list of messages, each a list of fragments, each around one typed part."""

from django.db import models
from django.db.models.functions import Coalesce

from chats.plain_titles import without_markdown
from stores.models import Record
from stores.records.fields import VerbatimJSONField
from stores.records.milliseconds import Milliseconds

LAST_CHANGE = Coalesce("updated", "created", Milliseconds("created_at"))
"""By what lists are sorted: a chat without times of its own stands where it came here."""


class Conversation(Record):
    """One chat. `content_hash` is over the header and the hashes of the messages in their order."""

    user_title = models.TextField(null=True, blank=True, help_text="The title that the person gave.")
    auto_title = models.TextField(null=True, blank=True, help_text="The title that a model gave.")
    system_purpose_id = models.CharField(max_length=200, null=True, blank=True, help_text="The persona of the chat.")
    user_symbol = models.CharField(max_length=200, null=True, blank=True, help_text="The symbol that the person gave.")
    is_archived = models.BooleanField(null=True, blank=True, help_text="Whether it is archived; empty: never was.")
    token_count = models.BigIntegerField(null=True, blank=True, help_text="Tokens of all messages, by big-AGI.")

    created = models.BigIntegerField(null=True, blank=True, help_text="Creation, in ms since the epoch.")
    updated = models.BigIntegerField(null=True, blank=True, help_text="Last change, in ms since the epoch.")

    has_derived_uid = models.BooleanField(
        null=True,
        blank=True,
        help_text="Whether bigagi made the id: the source had none, one that is no text, or one that another chat has.",
    )
    position = models.BigIntegerField(help_text="Place in big-AGI's list: the smallest is on top. Gaps are usual.")
    revision = models.PositiveBigIntegerField(default=1, help_text="Rises by one with every change.")

    class Meta:
        ordering = ["position", "pk"]
        verbose_name = "chat"
        indexes = [
            # The lists of the admin, the API and the pages, in big-AGI's order and newest first.
            models.Index(fields=["position", "id"], name="chats_conversation_position"),
            models.Index(fields=["updated"], name="chats_conversation_updated"),
            models.Index(LAST_CHANGE, name="chats_conversation_change"),
            models.Index(fields=["created"], name="chats_conversation_created"),
            models.Index(fields=["system_purpose_id"], name="chats_conversation_persona"),
            models.Index(fields=["is_archived", "position"], name="chats_conversation_archived"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """The title as pages show it."""
        return self.plain_title or "(untitled)"

    @property
    def plain_title(self) -> str:
        """The person's title, else the model's, without Markdown; empty where there is none."""
        return without_markdown(self.user_title or self.auto_title or "")


class Message(models.Model):
    """One message of a conversation. Its id is unique in its conversation only."""

    class Role(models.TextChoices):
        USER = "user", "User"
        ASSISTANT = "assistant", "Assistant"
        SYSTEM = "system", "System"

    conversation = models.ForeignKey(
        Conversation,
        on_delete=models.CASCADE,
        db_index=False,
        related_name="messages",
        help_text="The chat it belongs to.",
    )
    uid = models.CharField("id", max_length=200, help_text="The id that big-AGI gave the message.")
    has_derived_uid = models.BooleanField(
        null=True,
        blank=True,
        help_text="Whether bigagi made the id: the source had none, one that is no text, or one that another message "
        "of the chat has.",
    )
    position = models.PositiveIntegerField(help_text="Place in the conversation, from 0.")

    role = models.CharField(max_length=20, null=True, blank=True, help_text="user, assistant or system.")
    purpose_id = models.CharField(max_length=200, null=True, blank=True, help_text="The persona that answered.")
    created = models.BigIntegerField(null=True, blank=True, help_text="Creation, in ms since the epoch.")
    updated = models.BigIntegerField(null=True, blank=True, help_text="Completion or edit, in ms since the epoch.")
    token_count = models.BigIntegerField(null=True, blank=True, help_text="Tokens of the text, by big-AGI.")
    pending_incomplete = models.BooleanField(null=True, blank=True, help_text="Whether the answer was cut off.")
    user_flags = models.CharField(
        max_length=500, null=True, blank=True, help_text="The flags, separated by blanks: starred aix.skip …"
    )
    metadata = VerbatimJSONField(null=True, blank=True, help_text="References, entanglement and recipients.")

    generator_kind = models.CharField(max_length=20, null=True, blank=True, help_text="named or aix (generator.mgt).")
    generator_name = models.CharField(max_length=200, null=True, blank=True, help_text="What answered, by name.")
    vendor_id = models.CharField(max_length=100, null=True, blank=True, help_text="The vendor (generator.aix.vId).")
    model_id = models.CharField(max_length=200, null=True, blank=True, help_text="The model (generator.aix.mId).")
    stop_reason = models.CharField(
        max_length=50, null=True, blank=True, help_text="Why the answer ended early (generator.tokenStopReason)."
    )
    metrics = VerbatimJSONField(null=True, blank=True, help_text="Tokens, times and cost in cents, by big-AGI.")

    extra = VerbatimJSONField(
        null=True, blank=True, help_text="Parts of the message's JSON that no column holds, exactly as they came."
    )
    content_hash = models.CharField(max_length=32, help_text="Digest of the message's canonical JSON.")

    class Meta:
        ordering = ["conversation", "position"]
        constraints = [
            models.UniqueConstraint(fields=["conversation", "uid"], name="chats_message_unique_in_conversation")
        ]
        indexes = [
            # A conversation's page, its JSON and its last message.
            models.Index(fields=["conversation", "position"], name="chats_message_position"),
            # Filters of the admin's and the API's lists.
            models.Index(fields=["model_id"], name="chats_message_model"),
            models.Index(fields=["created"], name="chats_message_created"),
        ]

    def __str__(self) -> str:
        return f"{self.role or 'message'} {self.uid}"


class Fragment(models.Model):
    """One fragment of a message, around one typed part."""

    message = models.ForeignKey(
        Message,
        on_delete=models.CASCADE,
        db_index=False,
        related_name="fragments",
        help_text="The message it belongs to.",
    )
    position = models.PositiveIntegerField(help_text="Place in the message, from 0.")
    fid = models.CharField("fId", max_length=200, null=True, blank=True, help_text="The id that big-AGI gave it.")
    ft = models.CharField("type", max_length=50, null=True, blank=True, help_text="content, attachment or void.")
    pt = models.CharField("part type", max_length=50, null=True, blank=True, help_text="text, doc, ma, error, …")
    title = models.TextField(null=True, blank=True, help_text="The title of an attachment.")
    text = models.TextField(null=True, blank=True, help_text="What people read and search in the part.")
    part = VerbatimJSONField(null=True, blank=True, help_text="The rest of the part, exactly as it came.")
    extra = VerbatimJSONField(
        null=True, blank=True, help_text="Members of the fragment that no column holds, exactly as they came."
    )

    class Meta:
        ordering = ["message", "position"]
        verbose_name = "message part"
        indexes = [
            models.Index(fields=["message", "position"], name="chats_fragment_position"),
            # The few fragments that name an image: which assets are missing, which are named by none.
            models.Index(
                fields=["pt"],
                name="chats_fragment_images",
                condition=models.Q(pt__in=["image_ref", "reference"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ft}/{self.pt}"
