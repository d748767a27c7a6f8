"""Chats, folders and assets as the API gives them: big-AGI's JSON and our facts under `_server`."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from rest_framework import serializers

from chats.bigagi.asset import ASSETS
from chats.bigagi.conversation import CONVERSATIONS, chat_to_json, load_messages
from chats.bigagi.folder import FOLDERS
from chats.filters import ConversationFilterSet
from chats.models import Asset, Conversation, Folder, Generation, Message
from chats.querysets import ChatFacts, facts_of_chats, facts_of_messages
from stores.api.ids import href
from stores.api.serializers import ID, IdField, RecordSerializer, ServerFactsSerializer, one_of
from workspace.serializers import WorkspaceSerializer

BASE64 = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$"
"""Base64 as it is written, with nothing in its unused bits."""


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


class UniqueIdsField(serializers.ListField):
    """A list of ids, each of them once."""

    accepts = {"items": ID, "uniqueItems": True}


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


class FolderOrderSerializer(serializers.Serializer[Any]):
    ids: Any = serializers.ListField(child=IdField(), help_text="Folders in their new order.")


class FolderChatsSerializer(serializers.Serializer[Any]):
    ids: Any = serializers.ListField(child=IdField(), help_text="Chats to add at the end of the folder.")


class FolderFactsSerializer(ServerFactsSerializer):
    chatsHref = serializers.CharField(help_text="The list of the folder's chats.")


class FolderSerializer(RecordSerializer):
    """A folder with the ids of its chats, in order."""

    collection = FOLDERS
    id = serializers.CharField(required=False, help_text="If missing, one is created.")
    title = serializers.CharField(required=False)
    conversationIds = UniqueIdsField(child=serializers.JSONField(), required=False)
    color = serializers.CharField(required=False)
    _server = FolderFactsSerializer(read_only=True)

    def get_facts(self, records: Sequence[Folder]) -> list[dict[str, Any]]:
        return [
            {"href": href("folders", folder.uid), "chatsHref": f"{href('chats')}?folder={quote(folder.uid, safe='')}"}
            for folder in records
        ]


class WorkspaceImportSerializer(serializers.Serializer[Any]):
    """The result of importing a chat's files into its workspace."""

    workspace = WorkspaceSerializer(allow_null=True, help_text="null if the chat names no stored file.")
    named = serializers.ListField(child=serializers.CharField(), help_text="Files that the chat's attachments name.")
    missing = serializers.ListField(child=serializers.CharField(), help_text="Files that are not stored.")


class AssetFactsSerializer(ServerFactsSerializer):
    contentHref = serializers.CharField(allow_null=True, help_text="The address of the bytes; null if there are none.")
    size = serializers.IntegerField(help_text="Length in bytes.")
    sha256 = serializers.CharField(allow_null=True, help_text="SHA-256 of the bytes.")


class AssetSerializer(RecordSerializer):
    """An image or a sound without its bytes (`data.base64`)."""

    collection = ASSETS
    rules = {
        "required": ["data"],
        "properties": {
            "data": {
                "type": "object",
                "required": ["base64"],
                "properties": {"base64": {"type": "string", "contentEncoding": "base64", "pattern": BASE64}},
            }
        },
    }
    id = serializers.CharField(required=False, help_text="If missing, one is created.")
    assetType = serializers.CharField(required=False)
    label: Any = serializers.CharField(required=False)
    data: Any = serializers.JSONField(required=False)
    _server = AssetFactsSerializer(read_only=True)

    def load(self, records: Sequence[Asset]) -> list[Any]:
        return [_without_bytes(record) for record in super().load(records)]

    def get_facts(self, records: Sequence[Asset]) -> list[dict[str, Any]]:
        return [
            {
                "href": href("assets", asset.uid),
                "contentHref": href("assets", asset.uid, "content") if asset.sha256 else None,
                "size": asset.size,
                "sha256": asset.sha256,
            }
            for asset in records
        ]


class ListedAssetSerializer(AssetSerializer):
    """An image or a sound without its bytes and without its thumbnail (`cache`)."""

    def load(self, records: Sequence[Asset]) -> list[Any]:
        return [{key: value for key, value in record.items() if key != "cache"} for record in super().load(records)]


def _without_bytes(record: dict[str, Any]) -> dict[str, Any]:
    data = record.get("data")
    if not isinstance(data, dict):
        return record
    return record | {"data": {key: value for key, value in data.items() if key != "base64"}}


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


class GenerateParametersSerializer(serializers.Serializer[Any]):
    """Parameters of a call, which override the model's own. Either name is accepted."""

    temperature = serializers.FloatField(required=False, min_value=0, max_value=2)
    maxTokens = serializers.IntegerField(required=False, min_value=1, max_value=10_000_000)
    llmTemperature = serializers.FloatField(required=False, min_value=0, max_value=2)
    llmResponseTokens = serializers.IntegerField(required=False, min_value=1, max_value=10_000_000)


FRAGMENT = {"type": "object", "required": ["ft", "fId", "part"], "properties": {"part": {"type": "object"}}}


class GenerateSerializer(serializers.Serializer[Any]):
    """A request to a model. Without a message it answers the last message of the chat."""

    rules = {
        "properties": {
            "message": {
                "anyOf": [
                    {
                        "required": ["text"],
                        "properties": {"text": {"type": "string", "minLength": 1}},
                        "additionalProperties": False,
                    },
                    {
                        "required": ["fragments"],
                        "properties": {
                            "role": {"const": "user"},
                            "fragments": {"type": "array", "minItems": 1, "items": FRAGMENT},
                        },
                    },
                ]
            },
            "parameters": {"additionalProperties": False},
        },
        "not": {"required": ["message", "replaces"]},
        "additionalProperties": False,
    }
    message = serializers.DictField(
        required=False, help_text='`{"text": "…"}`, or a message of the user as big-AGI has it, with `fragments`.'
    )
    modelId = serializers.CharField(
        required=False, help_text="Default: the chat's last model, or the one of `primaryChat`."
    )
    replaces = serializers.CharField(required=False, help_text="The id of an answer to regenerate.")
    parameters = GenerateParametersSerializer(required=False)
    shareContext = serializers.BooleanField(
        required=False, help_text="Also send the states of `app-ui` and `app-ux-labs`, as a system message."
    )
    stream = serializers.BooleanField(required=False, help_text="If false, one response when the generation has ended.")


class GenerationSerializer(serializers.Serializer[Any]):
    """An answer of a model, in progress or finished."""

    id = serializers.CharField()
    status = serializers.ChoiceField(Generation.Status.choices)
    conversation = serializers.CharField(help_text="The chat's id.")
    user_message = serializers.CharField(allow_null=True, help_text="The id of the message that was sent with it.")
    model = serializers.CharField(help_text="The model's id.")
    service = serializers.CharField(help_text="The service's id.")
    started = serializers.IntegerField(help_text="In ms since the epoch.")
    ended = serializers.IntegerField(allow_null=True, help_text="In ms since the epoch.")
    detail = serializers.CharField(help_text="What went wrong.")
    href = serializers.CharField()
    events_href = serializers.CharField()
    message = serializers.DictField(
        allow_null=True,
        help_text="The answering message in its current state, in big-AGI's JSON; null if it was deleted.",
    )


class TrialSerializer(serializers.Serializer[Any]):
    """The model to test."""

    rules = {"additionalProperties": False}
    modelId = serializers.CharField(required=False, help_text="Default: the model of `primaryChat`.")


class TrialServiceSerializer(serializers.Serializer[Any]):
    """Whether a service can be used."""

    id = serializers.CharField()
    label: Any = serializers.CharField(allow_null=True)
    vendor = serializers.CharField(allow_null=True)
    virtual = serializers.BooleanField(help_text="Whether it comes with the program or from the environment.")
    configured = serializers.BooleanField(help_text="Whether it has all that a call needs.")
    reachable = serializers.BooleanField(allow_null=True, help_text="null if its host was not checked.")
    detail = serializers.CharField(help_text="What is missing.")


class TrialServicesSerializer(serializers.Serializer[Any]):
    services = TrialServiceSerializer(many=True)


class TrialStepSerializer(serializers.Serializer[Any]):
    """One step of the test."""

    number = serializers.IntegerField(min_value=1, max_value=6)
    name = serializers.CharField()
    title = serializers.CharField()
    status = serializers.ChoiceField(["ok", "failed", "skipped"])
    detail = serializers.CharField(help_text="The result, or what went wrong and how to fix it.")
    ms = serializers.IntegerField()


class TrialModelSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    service = serializers.CharField()


class TrialStepsSerializer(serializers.Serializer[Any]):
    """The whole test."""

    ok = serializers.BooleanField(help_text="Whether all steps succeeded.")
    model = TrialModelSerializer(allow_null=True)
    ms = serializers.IntegerField()
    steps = TrialStepSerializer(many=True)
