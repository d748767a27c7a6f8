"""Workspaces over REST. Their revision is that of the store `agi-client-workspace`."""

from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from stores.api.parsers import MAX_FILE
from stores.api.schema import PURGE, writes
from stores.api.serializers import with_notes
from stores.api.viewsets import StoreRecordViewSet
from stores.records.ids import LOOKUP, href
from stores.records.preconditions import counter_of, etag_of
from stores.records.written import Written
from workspace.bigagi import WORKSPACES
from workspace.models import Workspace
from workspace.serializers import (
    LiveFileSerializer,
    WorkspaceCopySerializer,
    WorkspaceFilesSerializer,
    WorkspaceFilesWriteSerializer,
    WorkspaceSerializer,
)
from workspace.services import workspaces as services
from workspace.views.texts import check_text


class WorkspaceViewSet(mixins.ListModelMixin, StoreRecordViewSet):
    """The files of chats: a workspace has its chat's id. It is created when a file is assigned."""

    queryset = Workspace.objects.all()
    serializer_class = WorkspaceSerializer
    orderings = ("uid",)
    store = WORKSPACES.store
    max_body = MAX_FILE

    @writes(parameters=[PURGE], responses={204: None})
    def destroy(self, request: Request, id: str) -> Response:
        """Delete the workspace. Its files are kept."""
        return self.answer_purge(services.delete_workspace, self.get_precondition())

    @extend_schema(responses=WorkspaceFilesSerializer)
    @action(detail=True)
    def files(self, request: Request, id: str) -> Response:
        """The files of the workspace in order, without their texts."""
        return Response(WorkspaceFilesSerializer(self.get_object()).data)

    @writes(request=WorkspaceFilesWriteSerializer, responses={200: WorkspaceSerializer, 201: WorkspaceSerializer})
    @files.mapping.post
    def add_files(self, request: Request, id: str) -> Response:
        """Add files at the end of the workspace: existing ones by `ids`, or a new one as `file`.

        A file can have up to 10 MiB of text."""
        body = WorkspaceFilesWriteSerializer(data=self.read_object()).take()
        origin, uid, precondition = self.get_origin(), self.get_uid(), self.get_precondition()
        if "file" in body:
            file = LiveFileSerializer(data=body["file"]).take("/file")
            check_text(file)
            written = services.assign_new_file(origin, uid, file, precondition)
            return self._answer(written, created_at=href("files", written.value))
        return self._answer(services.assign_files(origin, uid, body["ids"], precondition))

    @writes(request=None, responses=WorkspaceSerializer)
    @action(detail=True, methods=["put"], url_path=f"files/(?P<file>{LOOKUP})")
    def assign(self, request: Request, id: str, file: str) -> Response:
        """Add the file at the end of the workspace; a file that is already in it keeps its place."""
        self.refuse_members()
        uid, file_uid = self.get_uid(), self.get_uid("file")
        return self._answer(services.assign_file(self.get_origin(), uid, file_uid, self.get_precondition()))

    @writes(responses={200: WorkspaceSerializer})
    @assign.mapping.delete
    def unassign(self, request: Request, id: str, file: str) -> Response:
        """Remove the file from the workspace. The file is kept."""
        uid, file_uid = self.get_uid(), self.get_uid("file")
        return self._answer(services.unassign_file(self.get_origin(), uid, file_uid, self.get_precondition()))

    @writes(request=WorkspaceCopySerializer, responses=WorkspaceSerializer)
    @action(detail=True, methods=["post"])
    def copy(self, request: Request, id: str) -> Response:
        """Add the files of this workspace at the end of another one, and return that one."""
        to = WorkspaceCopySerializer(data=self.read_object()).take()["to"]
        return self._answer(services.copy_workspace(self.get_origin(), self.get_uid(), to, self.get_precondition()))

    def get_current(self) -> Response:
        # Files can be assigned where no workspace is.
        is_here = Workspace.objects.filter(uid=self.get_uid()).exists()
        return super().get_current() if is_here else Response(None)

    def _answer(self, written: Written, *, created_at: str | None = None) -> Response:
        body = with_notes(WorkspaceSerializer(written.row).data, written.lost_keys)
        return self.answer_write(body, etag_of(counter_of(self.store)), written.change, created_at=created_at)
