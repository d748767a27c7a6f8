"""Live files over REST."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from stores.api.concurrency import is_known, not_modified
from stores.api.parsers import MAX_FILE, JSONParser, MergePatchParser
from stores.api.schema import PURGE, reads, writes
from stores.api.serializers import with_notes
from stores.api.viewsets import RevisionViewSet
from stores.records.preconditions import etag_of
from stores.records.secrets import mask
from workspace.bigagi import LIVE_FILES
from workspace.filters import LiveFileFilterSet
from workspace.models import LiveFile
from workspace.serializers import ListedLiveFileSerializer, LiveFileSerializer
from workspace.services import files as services
from workspace.views.texts import FileTextParser, check_text


class LiveFileViewSet(mixins.ListModelMixin, RevisionViewSet):
    """Text files of up to 10 MiB, which workspaces list."""

    queryset = LiveFile.objects.all()
    filterset_class = LiveFileFilterSet
    orderings = ("name", "-name", "-last_modified", "last_modified")
    parser_classes = [JSONParser, MergePatchParser]
    max_body = MAX_FILE

    def get_queryset(self) -> QuerySet[LiveFile]:
        # Texts are up to 10 MiB each.
        return super().get_queryset().defer("content") if self.action == "list" else super().get_queryset()

    def get_serializer_class(self) -> type:
        return ListedLiveFileSerializer if self.action == "list" else LiveFileSerializer

    @writes(if_match=False, request=LiveFileSerializer, responses={201: LiveFileSerializer})
    def create(self, request: Request) -> Response:
        """Create a file. 409 if the id is taken.

        The text can be up to 10 MiB, the body up to 16 MiB; send a longer text with PUT to `…/content`."""
        body = self.read_record()
        check_text(body)
        return self.answer(services.create_file(self.get_origin(), body), is_new=True)

    @writes(request=LiveFileSerializer, responses=LiveFileSerializer)
    def partial_update(self, request: Request, id: str) -> Response:
        """Change fields of the file (JSON Merge Patch). A new text sets size and time, unless they are sent too."""
        body = self.read_record(is_partial=True)
        check_text(body)
        return self.answer(services.patch_file(self.get_origin(), self.get_uid(), body, self.get_precondition()))

    @writes(parameters=[PURGE], responses={204: None})
    def destroy(self, request: Request, id: str) -> Response:
        """Delete the file and remove it from all workspaces."""
        return self.answer_purge(services.delete_file, self.get_precondition())

    @writes(responses={204: None})
    @action(detail=True, methods=["delete"], url_path="workspaces")
    def unassign(self, request: Request, id: str) -> Response:
        """Remove the file from all workspaces. The file is kept."""
        change = services.unassign_everywhere(self.get_origin(), self.get_uid(), self.get_precondition())
        return self.answer_deletion(change)

    @reads(responses={(200, "text/plain"): OpenApiTypes.STR})
    @action(detail=True, parser_classes=[FileTextParser])
    def content(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The text, as UTF-8. It is never sent with the file's own type, which could be HTML."""
        file = self.get_object()
        etag = etag_of(file)
        if is_known(request, etag):
            return not_modified(etag)
        [record] = LIVE_FILES.load([file])
        text = mask(record.get("content"))
        if not isinstance(text, str):
            raise NotFound("This file has no text: the browser did not keep it.")
        # A lone surrogate has no place in UTF-8; it goes out as its three bytes rather than not at all.
        body = text.encode("utf-8", "surrogatepass")
        headers = {"ETag": etag, "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"}
        return HttpResponse(body, content_type="text/plain; charset=utf-8", headers=headers)

    @writes(request={"text/plain": OpenApiTypes.STR}, responses=ListedLiveFileSerializer)
    @content.mapping.put
    def write_content(self, request: Request, id: str) -> Response:
        """Replace the file's text, and set its size and time. The body is raw UTF-8 of up to 10 MiB, with any
        content type; the file's own type is kept."""
        # An empty body is an empty text.
        text = request.data if isinstance(request.data, str) else ""
        check_text({"content": text})
        written = services.write_text(self.get_origin(), self.get_uid(), text, self.get_precondition())
        body = with_notes(ListedLiveFileSerializer(written.row).data, written.lost_keys)
        return self.answer_write(body, etag_of(written.row), written.change)
