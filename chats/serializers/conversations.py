"""Chats and their messages as the API gives and takes them: big-AGI's JSON and our facts under `_server`."""

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from chats.bigagi.conversation import CONVERSATIONS, chat_to_json
from chats.bigagi.rows import load_messages
from chats.filters import ConversationFilterSet
from chats.models import Conversation, Message
from chats.querysets import ChatFacts, facts_of_chats, facts_of_messages
from stores.api.members import ID, FlagMember, IdField, IdMember, ListMember, NameMember, NumberMember, TextMember
from stores.api.serializers import FormSerializer, RecordSerializer, ServerFactsSerializer, one_of
from stores.records.errors import at, pointer_of
from stores.records.ids import href
from stores.records.secrets import mask

FRAGMENT = {"type": "object", "required": ["ft"], "properties": {"ft": {"type": "string"}}}
MESSAGE = {
    "type": "object",
    "required": ["fragments"],
    "properties": {"id": ID, "role": {"type": "string"}, "fragments": {"type": "array", "items": FRAGMENT}},
}
"""What can be read of what a client sends; all else in it is kept."""


class FragmentsMember(ListMember):
    """The fragments of a message: big-AGI drops one without its type."""

    schema = {"type": "array", "items": FRAGMENT}


class MessagesMember(ListMember):
    """The messages of a chat. An id must be unique in the chat; a new one is made where it is missing."""

    schema = {"type": "array", "items": MESSAGE}


class ConversationFactsSerializer(ServerFactsSerializer):
    revision = serializers.IntegerField(help_text="Increases with every change of the chat.")
    messageCount = serializers.IntegerField(help_text="The number of messages.")
    lastMessageAt = serializers.IntegerField(allow_null=True, help_text="In ms since the epoch.")


class ListedConversationFactsSerializer(ConversationFactsSerializer):
    title = serializers.CharField(
        help_text="The title as pages show it: `userTitle`, else `autoTitle`, without Markdown. Empty if there is none."
    )
    folderIds = serializers.ListField(child=serializers.CharField(), help_text="The folders that list the chat.")
    pinned = serializers.BooleanField(help_text="Whether the chat is pinned.")
    costNanoUsd = serializers.IntegerField(
        allow_null=True,
        help_text="Known cost of the chat's calls in the ledger, in 10⁻⁹ USD; null if no cost is known. A call "
        "counts in the chat where it was made, not in its branches.",
    )
    run = serializers.IntegerField(allow_null=True, help_text="The import that last updated the chat.")
    branchOf = serializers.CharField(
        allow_null=True, help_text="The chat that an import made this one a branch of, because both were continued."
    )


class ConversationHeaderSerializer(RecordSerializer):
    """A chat without its messages."""

    id = IdMember()
    userTitle = TextMember()
    autoTitle = TextMember()
    systemPurposeId = TextMember()
    created = NumberMember()
    updated = NumberMember(allow_null=True)
    _server = ListedConversationFactsSerializer(read_only=True)

    def load(self, records: Sequence[Conversation]) -> list[Any]:
        headers = []
        for chat in records:
            header = chat_to_json(chat) | {"id": chat.uid}
            del header["messages"]
            headers.append(header)
        return headers

    def get_facts(self, records: Sequence[Conversation]) -> list[dict[str, Any]]:
        facts = facts_of_chats(records)
        return [_chat_facts(chat, facts[chat.pk]) | _listed_facts(chat, facts[chat.pk]) for chat in records]


class ConversationSerializer(RecordSerializer):
    """A chat as big-AGI wrote it. `_server` has only what the chat's revision, and so its ETag, stands for."""

    collection = CONVERSATIONS
    id = IdMember(help_text="If missing, one is created.")
    messages = MessagesMember(required=True)
    userTitle = TextMember()
    autoTitle = TextMember()
    systemPurposeId = TextMember()
    userSymbol = TextMember()
    isArchived = FlagMember()
    tokenCount = NumberMember()
    created = NumberMember(help_text="In ms since the epoch; if missing in a new chat, now.")
    updated = NumberMember(allow_null=True, help_text="As created.")
    _server = ConversationFactsSerializer(read_only=True)

    def load(self, records: Sequence[Conversation]) -> list[Any]:
        return CONVERSATIONS.load(records, shows_uids=True)

    def get_facts(self, records: Sequence[Conversation]) -> list[dict[str, Any]]:
        facts = facts_of_messages(records)
        return [_chat_facts(chat, facts[chat.pk]) for chat in records]


def _chat_facts(chat: Conversation, facts: Any) -> dict[str, Any]:
    return {
        "href": href("chats", chat.uid),
        "revision": chat.revision,
        "messageCount": facts.message_count,
        "lastMessageAt": facts.last_message_at,
    }


def _listed_facts(chat: Conversation, facts: ChatFacts) -> dict[str, Any]:
    return {
        "title": mask(chat.plain_title),
        "folderIds": facts.folder_ids,
        "pinned": facts.is_pinned,
        "costNanoUsd": facts.cost_nano_usd,
        "run": facts.run,
        "branchOf": facts.branch_of,
    }


class MessageFactsSerializer(ServerFactsSerializer):
    position = serializers.IntegerField(help_text="Place in the chat, from 0.")


class MessageSerializer(RecordSerializer):
    """A message with its fragments. Its context has the `chat`."""

    id = IdMember(help_text="If missing, one is created.")
    role = TextMember()
    fragments = FragmentsMember(required=True)
    purposeId = TextMember()
    tokenCount = NumberMember()
    userFlags = ListMember()
    pendingIncomplete = FlagMember()
    created = NumberMember()
    updated = NumberMember(allow_null=True)
    _server = MessageFactsSerializer(read_only=True)

    def load_stored(self) -> Any:
        assert self.instance is not None
        return load_messages([self.instance.pk], by="id")[0][2]

    def load(self, records: Sequence[Message]) -> list[Any]:
        # Its order is given up, for the model's own sorts by a join with the chats.
        loaded = load_messages([message.pk for message in records], by="id", shows_uids=True)
        by_position = {position: json for _, position, json in loaded}
        return [by_position[message.position] for message in records]

    def get_facts(self, records: Sequence[Message]) -> list[dict[str, Any]]:
        chat = self.context["chat"]
        return [
            {"href": href("chats", chat.uid, "messages", message.uid), "position": message.position}
            for message in records
        ]


class BranchSerializer(FormSerializer):
    """The last message of a branch."""

    messageId = NameMember(help_text="The last message of the branch. Default: the whole chat.")


class BulkSerializer(FormSerializer):
    """An action on many chats: on those listed, or on those that match a filter."""

    rules = (
        FormSerializer.rules
        | one_of("ids", "filter")
        | {
            "properties": {"filter": {"propertyNames": {"enum": list(ConversationFilterSet.base_filters)}}},
            "anyOf": [
                {"properties": {"action": {"enum": ["archive", "unarchive", "pin", "unpin", "delete"]}}},
                {"properties": {"action": {"const": "move"}}, "required": ["folder"]},
            ],
        }
    )
    action = serializers.ChoiceField(["archive", "unarchive", "pin", "unpin", "delete", "move"])
    ids: Any = serializers.ListField(child=IdField(), required=False, help_text="The chats' ids.")
    filter: Any = serializers.DictField(required=False, help_text="The filters of the list, such as {archived: true}.")
    folder = IdField(required=False, allow_null=True, help_text="Where `move` puts the chats; null for no folder.")

    def validate(self, attrs: Any) -> Any:
        if ("ids" in attrs) == ("filter" in attrs):
            raise at("/ids", "Send either ids or filter.", "required")
        filters = ConversationFilterSet.base_filters
        if unknown := sorted(set(attrs.get("filter", ())) - set(filters)):
            text = f"Unknown filter. Allowed: {', '.join(filters)}."
            raise at(pointer_of("filter", unknown[0]), text, "unknown")
        if attrs["action"] == "move" and "folder" not in attrs:
            raise at("/folder", "To move chats, send the id of a folder, or null for none.", "required")
        return attrs


class BulkResultSerializer(serializers.Serializer[Any]):
    matched = serializers.IntegerField(help_text="The number of matching chats.")
    changed = serializers.IntegerField(help_text="The number of changed records.")
    missing = serializers.ListField(child=serializers.CharField(), help_text="Ids without a chat.")
    change = serializers.IntegerField(allow_null=True, help_text="The journal entry, which can be undone.")


class CostPartSerializer(serializers.Serializer[Any]):
    """One line of the calculation."""

    name = serializers.CharField(help_text="input, cache read, cache write, output, or request (a fee per call).")
    tokens = serializers.IntegerField()
    usd_per_million = serializers.FloatField(help_text="USD per million tokens.")
    cost_nano_usd = serializers.IntegerField(help_text="In 10⁻⁹ USD.")


class MessageCostSerializer(serializers.Serializer[Any]):
    """How the cost of a message's call is calculated. Money is in 10⁻⁹ USD; null is unknown."""

    model = serializers.DictField(help_text="id, service and vendor.")
    at = serializers.IntegerField(help_text="When the call was made, in ms since the epoch.")
    estimated = serializers.BooleanField(help_text="Whether the tokens are estimates, shown with ≈.")
    parts = CostPartSerializer(many=True)
    reasoning_tokens = serializers.IntegerField(allow_null=True, help_text="Reasoning tokens, part of the output.")
    sum_nano_usd = serializers.IntegerField(allow_null=True, help_text="The sum of the parts.")
    saved_nano_usd = serializers.IntegerField(allow_null=True, help_text="Saved by caching; can be negative.")
    cost_nano_usd = serializers.IntegerField(allow_null=True, help_text="As recorded when the call was made.")
    cost_reported_nano_usd = serializers.IntegerField(allow_null=True, help_text="As reported by the provider.")
    cost_code = serializers.CharField(help_text="Why there is no price, or only a partial one.")
    price_source = serializers.CharField(help_text="user, model, the price book with its version, or empty.")
    note = serializers.CharField(help_text="The same as text.")
