"""Workspaces and live files as the API gives them."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from stores.api.members import IdField, IdMember, NumberMember, ObjectMember, TextMember
from stores.api.serializers import (
    FormSerializer,
    RecordListSerializer,
    RecordSerializer,
    ServerFactsSerializer,
    one_of,
)
from stores.records.errors import at
from stores.records.ids import href
from workspace.bigagi import LIVE_FILES
from workspace.models import LiveFile, Workspace
from workspace.querysets import files_by_workspace, workspaces_by_file


class WorkspaceSerializer(serializers.Serializer):
    """The files of one chat, whose id it has."""

    id = serializers.CharField(help_text="The chat's id.")
    file_ids = serializers.ListField(child=serializers.CharField(), help_text="Its files, in order.")
    href = serializers.CharField(help_text="Its address.")
    files_href = serializers.CharField(help_text="The list of its files.")
    chat_href = serializers.CharField(help_text="Its chat, which may not exist.")

    class Meta:
        list_serializer_class = RecordListSerializer

    def present(self, records: Sequence[Workspace]) -> list[Any]:
        """Return the workspaces' JSON, with one query for the files of all."""
        files = files_by_workspace(records)
        return [
            {
                "id": workspace.uid,
                "file_ids": files[workspace.pk],
                "href": href("workspace", workspace.uid),
                "files_href": href("workspace", workspace.uid, "files"),
                "chat_href": href("chats", workspace.uid),
            }
            for workspace in records
        ]

    def to_representation(self, instance: Workspace) -> Any:
        return self.present([instance])[0]


class LiveFileFactsSerializer(ServerFactsSerializer):
    contentHref = serializers.CharField(help_text="The text only.")
    revision = serializers.IntegerField(help_text="Increases with every change of the file.")


class ListedLiveFileFactsSerializer(LiveFileFactsSerializer):
    workspaceIds = serializers.ListField(child=serializers.CharField(), help_text="The workspaces that list it.")


class LiveFileSerializer(RecordSerializer):
    """A text file as big-AGI wrote it. `_server` has only what its revision, and so its ETag, stands for."""

    collection = LIVE_FILES
    id = IdMember(help_text="1 to 200 characters; if missing, one is created.")
    name = TextMember()
    type = TextMember(help_text="The MIME type.")
    size = NumberMember(help_text="In bytes; set with the text.")
    content = TextMember(allow_null=True, help_text="The text, up to 10 MiB as UTF-8.")
    lastModified = NumberMember(help_text="In ms since the epoch; set with the text.")
    created = NumberMember(help_text="In ms since the epoch.")
    _server = LiveFileFactsSerializer(read_only=True)

    def get_facts(self, records: Sequence[LiveFile]) -> list[dict[str, Any]]:
        return [
            {
                "href": href("files", file.uid),
                "contentHref": href("files", file.uid, "content"),
                "revision": file.revision,
            }
            for file in records
        ]


class ListedLiveFileSerializer(LiveFileSerializer):
    """A text file without its text."""

    # DRF leaves out an inherited field that is None.
    content: Any = None
    _server = ListedLiveFileFactsSerializer(read_only=True)

    def load(self, records: Sequence[LiveFile]) -> list[Any]:
        # The list's query leaves the texts out; asking a row for its own would be a query each.
        names = [name for name in LIVE_FILES.columns.names if name != "content"]
        listed = []
        for file in records:
            columns = {name: getattr(file, name) for name in names} | {"content": None}
            json = LIVE_FILES.to_json(file.uid, columns, file.extra)
            listed.append({key: value for key, value in json.items() if key != "content"})
        return listed

    def get_facts(self, records: Sequence[LiveFile]) -> list[dict[str, Any]]:
        workspaces = workspaces_by_file(records)
        return [
            facts | {"workspaceIds": workspaces[file.uid]}
            for file, facts in zip(records, super().get_facts(records), strict=True)
        ]


class WorkspaceFilesSerializer(serializers.Serializer):
    """The files of one workspace; those that it lists and that are not here are `missing`."""

    results = ListedLiveFileSerializer(many=True)
    missing = serializers.ListField(child=serializers.CharField(), help_text="Ids without a file.")

    def to_representation(self, instance: Workspace) -> dict[str, Any]:
        uids = files_by_workspace([instance])[instance.pk]
        here = {file.uid: file for file in LiveFile.objects.filter(uid__in=uids).defer("content")}
        files = ListedLiveFileSerializer([here[uid] for uid in uids if uid in here], many=True)
        return {"results": files.data, "missing": [uid for uid in uids if uid not in here]}


@extend_schema_field(LiveFileSerializer)
class LiveFileMember(ObjectMember):
    """A file of which the view reads the members."""


class WorkspaceFilesWriteSerializer(FormSerializer):
    """What is put into a workspace: files that are here, or a new one."""

    rules = FormSerializer.rules | one_of("ids", "file")
    ids: Any = serializers.ListField(child=IdField(), required=False, help_text="Files that are here.")
    file = LiveFileMember(help_text="A new file.")

    def validate(self, attrs: Any) -> Any:
        if len(attrs) != 1:
            raise at("/ids", "Send either ids or file.", "required")
        return attrs


class WorkspaceCopySerializer(FormSerializer):
    """Where a workspace's files are put."""

    to = IdField(help_text="The id of another workspace.")
