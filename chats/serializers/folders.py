"""Folders, and the workspace of a chat, as the API gives and takes them."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from rest_framework import serializers

from chats.bigagi.folder import FOLDERS
from chats.models import Folder
from stores.api.members import ID, IdField, IdMember, ListMember, TextMember
from stores.api.serializers import FormSerializer, RecordSerializer, ServerFactsSerializer
from stores.records.ids import href
from workspace.serializers import WorkspaceSerializer


class UniqueIdsMember(ListMember):
    """A list of ids, each of them once."""

    schema = {"type": "array", "items": ID, "uniqueItems": True}


class FolderOrderSerializer(FormSerializer):
    """Folders in their new order."""

    ids: Any = serializers.ListField(child=IdField(), help_text="Folders in their new order.")


class FolderChatsSerializer(FormSerializer):
    """Chats for a folder."""

    ids: Any = serializers.ListField(child=IdField(), help_text="Chats to add at the end of the folder.")


class FolderFactsSerializer(ServerFactsSerializer):
    chatsHref = serializers.CharField(help_text="The list of the folder's chats.")


class FolderSerializer(RecordSerializer):
    """A folder with the ids of its chats, in order."""

    collection = FOLDERS
    id = IdMember(help_text="If missing, one is created.")
    title = TextMember()
    conversationIds = UniqueIdsMember()
    color = TextMember()
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
