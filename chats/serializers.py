"""Chats, folders and assets as the API gives them: big-AGI's JSON and our facts under `_server`."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from rest_framework import serializers

from chats.bigagi.asset import ASSETS
from chats.bigagi.conversation import CONVERSATION as COLUMNS
from chats.bigagi.conversation import CONVERSATIONS, conversation_to_json, load_messages
from chats.bigagi.folder import FOLDERS
from chats.models import Asset, Conversation, Folder, Message
from chats.querysets import facts_of_chats, facts_of_messages
from stores.api.ids import href
from stores.api.serializers import RecordSerializer, ServerFactsSerializer


class ConversationFactsSerializer(ServerFactsSerializer):
    revision = serializers.IntegerField(help_text="Rises with every change of the chat.")
    messageCount = serializers.IntegerField(help_text="Messages of the chat.")
    lastMessageAt = serializers.IntegerField(allow_null=True, help_text="In ms since the epoch.")


class ListedConversationFactsSerializer(ConversationFactsSerializer):
    folderIds = serializers.ListField(child=serializers.CharField(), help_text="The folders that list the chat.")
    costNanoUsd = serializers.IntegerField(allow_null=True, help_text="In 10⁻⁹ USD; null: unpriced.")
    run = serializers.IntegerField(allow_null=True, help_text="The migration that last brought the chat.")


class ConversationHeaderSerializer(RecordSerializer):
    """A chat without its messages."""

    id = serializers.CharField()
    userTitle = serializers.CharField(required=False)
    autoTitle = serializers.CharField(required=False)
    systemPurposeId = serializers.CharField(required=False)
    created = serializers.IntegerField(required=False)
    updated = serializers.IntegerField(required=False, allow_null=True)
    _server = ListedConversationFactsSerializer()

    def load(self, records: Sequence[Conversation]) -> list[Any]:
        headers = []
        for chat in records:
            header = conversation_to_json(
                chat.uid, {name: getattr(chat, name) for name in COLUMNS.names}, chat.extra, ()
            )
            del header["messages"]
            headers.append(header)
        return headers

    def get_facts(self, records: Sequence[Conversation]) -> list[dict[str, Any]]:
        facts = facts_of_chats(records)
        return [
            _chat_facts(chat, facts[chat.pk])
            | {"folderIds": facts[chat.pk].folder_ids, "costNanoUsd": None, "run": facts[chat.pk].run}
            for chat in records
        ]


class ConversationSerializer(RecordSerializer):
    """A chat as big-AGI wrote it. `_server` has only what the chat's revision, and so its ETag, stands for."""

    collection = CONVERSATIONS
    id = serializers.CharField()
    messages = serializers.ListField(child=serializers.JSONField())
    userTitle = serializers.CharField(required=False)
    autoTitle = serializers.CharField(required=False)
    systemPurposeId = serializers.CharField(required=False)
    created = serializers.IntegerField(required=False)
    updated = serializers.IntegerField(required=False, allow_null=True)
    _server = ConversationFactsSerializer()

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


class MessageFactsSerializer(ServerFactsSerializer):
    position = serializers.IntegerField(help_text="Place in the chat, from 0.")


class MessageSerializer(RecordSerializer):
    """A message with its fragments. Its context has the `chat`."""

    id = serializers.CharField()
    role = serializers.CharField(required=False)
    fragments = serializers.ListField(child=serializers.JSONField())
    created = serializers.IntegerField(required=False)
    updated = serializers.IntegerField(required=False, allow_null=True)
    _server = MessageFactsSerializer()

    def load(self, records: Sequence[Message]) -> list[Any]:
        # Its order is given up, for the model's own sorts by a join with the chats.
        loaded = load_messages([message.pk for message in records], by="id")
        by_position = {position: json for _, position, json in loaded}
        return [by_position[message.position] for message in records]

    def get_facts(self, records: Sequence[Message]) -> list[dict[str, Any]]:
        chat = self.context["chat"]
        return [
            {"href": href("chats", chat.uid, "messages", message.uid), "position": message.position}
            for message in records
        ]


class FolderFactsSerializer(ServerFactsSerializer):
    chatsHref = serializers.CharField(help_text="The list of the folder's chats.")


class FolderSerializer(RecordSerializer):
    """A folder with the ids of its chats, in their order."""

    collection = FOLDERS
    id = serializers.CharField()
    title = serializers.CharField(required=False)
    conversationIds = serializers.ListField(child=serializers.CharField())
    color = serializers.CharField(required=False)
    _server = FolderFactsSerializer()

    def get_facts(self, records: Sequence[Folder]) -> list[dict[str, Any]]:
        return [
            {"href": href("folders", folder.uid), "chatsHref": f"{href('chats')}?folder={quote(folder.uid, safe='')}"}
            for folder in records
        ]


class AssetFactsSerializer(ServerFactsSerializer):
    contentHref = serializers.CharField(allow_null=True, help_text="The bytes; null: there are none.")
    size = serializers.IntegerField(help_text="Length in bytes.")
    sha256 = serializers.CharField(allow_null=True, help_text="SHA-256 of the bytes.")


class AssetSerializer(RecordSerializer):
    """An image or a sound without its bytes (`data.base64`)."""

    collection = ASSETS
    id = serializers.CharField()
    assetType = serializers.CharField(required=False)
    label: Any = serializers.CharField(required=False)
    data: Any = serializers.JSONField(required=False)
    _server = AssetFactsSerializer()

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
