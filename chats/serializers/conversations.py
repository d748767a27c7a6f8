"""Chats and their messages as the API gives and takes them: big-AGI's JSON and our facts under `_server`."""

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from chats.bigagi.conversation import CONVERSATIONS, chat_to_json, load_messages
from chats.filters import ConversationFilterSet
from chats.models import Conversation, Message
from chats.querysets import ChatFacts, facts_of_chats, facts_of_messages
from stores.api.ids import href
from stores.api.serializers import ID, IdField, RecordSerializer, ServerFactsSerializer, one_of

FRAGMENT = {"type": "object", "required": ["ft"], "properties": {"ft": {"type": "string"}}}
MESSAGE = {
    "type": "object",
    "required": ["fragments"],
    "properties": {"id": ID, "role": {"type": "string"}, "fragments": {"type": "array", "items": FRAGMENT}},
}
"""What can be read of what a client sends; all else in it is kept."""


class FragmentsField(serializers.ListField):
    """The fragments of a message: big-AGI drops one without its type."""

    accepts = {"items": FRAGMENT}


class MessagesField(serializers.ListField):
    """The messages of a chat. An id must be unique in the chat; a new one is made where it is missing."""

    accepts = {"items": MESSAGE}


class ConversationFactsSerializer(ServerFactsSerializer):
    revision = serializers.IntegerField(help_text="Increases with every change of the chat.")
    messageCount = serializers.IntegerField(help_text="The number of messages.")
    lastMessageAt = serializers.IntegerField(allow_null=True, help_text="In ms since the epoch.")


class ListedConversationFactsSerializer(ConversationFactsSerializer):
    folderIds = serializers.ListField(child=serializers.CharField(), help_text="The folders that list the chat.")
    costNanoUsd = serializers.IntegerField(
        allow_null=True,
        help_text="Known cost of the chat's calls in the ledger, in 10⁻⁹ USD; null if no cost is known. A call "
        "counts in the chat where it was made, not in its branches.",
    )
    run = serializers.IntegerField(allow_null=True, help_text="The import that last updated the chat.")


class ConversationHeaderSerializer(RecordSerializer):
    """A chat without its messages."""

    id = serializers.CharField()
    userTitle = serializers.CharField(required=False)
    autoTitle = serializers.CharField(required=False)
    systemPurposeId = serializers.CharField(required=False)
    created = serializers.IntegerField(required=False)
    updated = serializers.IntegerField(required=False, allow_null=True)
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
        return [_chat_facts(chat, facts[chat.pk]) | _listed_facts(facts[chat.pk]) for chat in records]


class ConversationSerializer(RecordSerializer):
    """A chat as big-AGI wrote it. `_server` has only what the chat's revision, and so its ETag, stands for."""

    collection = CONVERSATIONS
    id = serializers.CharField(required=False, help_text="If missing, one is created.")
    messages = MessagesField(child=serializers.JSONField())
    userTitle = serializers.CharField(required=False)
    autoTitle = serializers.CharField(required=False)
    systemPurposeId = serializers.CharField(required=False)
    userSymbol = serializers.CharField(required=False)
    isArchived = serializers.BooleanField(required=False)
    tokenCount = serializers.IntegerField(required=False)
    created = serializers.IntegerField(required=False)
    updated = serializers.IntegerField(required=False, allow_null=True)
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


def _listed_facts(facts: ChatFacts) -> dict[str, Any]:
    return {"folderIds": facts.folder_ids, "costNanoUsd": facts.cost_nano_usd, "run": facts.run}


class MessageFactsSerializer(ServerFactsSerializer):
    position = serializers.IntegerField(help_text="Place in the chat, from 0.")


class MessageSerializer(RecordSerializer):
    """A message with its fragments. Its context has the `chat`."""

    id = serializers.CharField(required=False, help_text="If missing, one is created.")
    role = serializers.CharField(required=False)
    fragments = FragmentsField(child=serializers.JSONField())
    purposeId = serializers.CharField(required=False)
    tokenCount = serializers.IntegerField(required=False)
    userFlags = serializers.ListField(child=serializers.JSONField(), required=False)
    pendingIncomplete = serializers.BooleanField(required=False)
    created = serializers.IntegerField(required=False)
    updated = serializers.IntegerField(required=False, allow_null=True)
    _server = MessageFactsSerializer(read_only=True)

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


class BranchSerializer(serializers.Serializer[Any]):
    """The last message of a branch."""

    messageId = serializers.CharField(
        required=False, help_text="The last message of the branch. Default: the whole chat."
    )


class BulkSerializer(serializers.Serializer[Any]):
    """An action on many chats: on those listed, or on those that match a filter."""

    rules = one_of("ids", "filter") | {
        "properties": {"filter": {"propertyNames": {"enum": list(ConversationFilterSet.base_filters)}}},
        "anyOf": [
            {"properties": {"action": {"enum": ["archive", "unarchive", "delete"]}}},
            {"properties": {"action": {"const": "move"}}, "required": ["folder"]},
        ],
    }
    action = serializers.ChoiceField(["archive", "unarchive", "delete", "move"])
    ids: Any = serializers.ListField(child=IdField(), required=False, help_text="The chats' ids.")
    filter: Any = serializers.DictField(required=False, help_text="The filters of the list, such as {archived: true}.")
    folder = IdField(required=False, allow_null=True, help_text="Where `move` puts the chats; null for no folder.")


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
