"""The REST API of workspaces and live files."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from stores.api.concurrency import etag_of, is_known, not_modified
from stores.api.viewsets import RecordViewSet, RevisionViewSet
from stores.secrets import mask
from workspace.bigagi import LIVE_FILES
from workspace.filters import LiveFileFilterSet
from workspace.models import LiveFile, Workspace
from workspace.serializers import (
    ListedLiveFileSerializer,
    LiveFileSerializer,
    WorkspaceFilesSerializer,
    WorkspaceSerializer,
)


class WorkspaceViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, RecordViewSet):
    queryset = Workspace.objects.all()
    serializer_class = WorkspaceSerializer
    orderings = ("uid",)

    @extend_schema(responses=WorkspaceFilesSerializer)
    @action(detail=True)
    def files(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The files of the workspace, without their texts, in its order."""
        return Response(WorkspaceFilesSerializer(self.get_object()).data)


class LiveFileViewSet(mixins.ListModelMixin, RevisionViewSet):
    queryset = LiveFile.objects.all()
    filterset_class = LiveFileFilterSet
    orderings = ("name", "-name", "-last_modified", "last_modified")

    def get_queryset(self) -> QuerySet[LiveFile]:
        # Texts are up to 10 MiB each.
        return super().get_queryset().defer("content") if self.action == "list" else super().get_queryset()

    def get_serializer_class(self) -> type:
        return ListedLiveFileSerializer if self.action == "list" else LiveFileSerializer

    @extend_schema(responses={(200, "text/plain"): OpenApiTypes.STR})
    @action(detail=True)
    def content(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The text, as UTF-8. It is never given as the type that the file claims, since it could be a page."""
        file = self.get_object()
        etag = etag_of(file)
        if is_known(request, etag):
            return not_modified(etag)
        [record] = LIVE_FILES.load([file])
        text = mask(record.get("content"))
        if not isinstance(text, str):
            raise NotFound("The text of this file was not kept by the browser.")
        # A lone surrogate has no place in UTF-8; it goes out as its three bytes rather than not at all.
        body = text.encode("utf-8", "surrogatepass")
        headers = {"ETag": etag, "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"}
        return HttpResponse(body, content_type="text/plain; charset=utf-8", headers=headers)
