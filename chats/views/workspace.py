"""A chat's workspace filled from the chat, over REST. Workspaces themselves know of no chats."""

from rest_framework.request import Request
from rest_framework.response import Response

from chats.serializers.folders import WorkspaceImportSerializer
from chats.services.workspace import import_workspace
from stores.api.schema import writes
from stores.api.viewsets import RecordViewSet
from stores.records.ids import LOOKUP
from stores.records.preconditions import counter_of, etag_of
from workspace.bigagi import WORKSPACES
from workspace.models import Workspace
from workspace.serializers import WorkspaceSerializer


class WorkspaceImportViewSet(RecordViewSet):
    """The files that a chat's attachments name."""

    queryset = Workspace.objects.none()
    serializer_class = WorkspaceImportSerializer
    prefix = f"workspace/(?P<id>{LOOKUP})/import"

    @writes(request=None, responses={200: WorkspaceImportSerializer})
    def create(self, request: Request, id: str) -> Response:
        """Add the files of the chat's attachments at the end of the workspace, which has the chat's id.

        Files that are not stored are listed in `missing`. If none is stored, no workspace is created and
        `workspace` is null."""
        self.refuse_members()
        imported = import_workspace(self.get_origin(), self.get_uid(), self.get_precondition())
        written = imported.written
        body = {
            "workspace": WorkspaceSerializer(written.row).data if written else None,
            "named": imported.named,
            "missing": imported.missing,
        }
        return self.answer_write(body, etag_of(counter_of(WORKSPACES.store)), written.change if written else None)
