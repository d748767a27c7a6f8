"""Images and sound over REST."""

from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from chats.filters import AssetFilterSet
from chats.models import Asset
from chats.serializers.assets import AssetSerializer, ListedAssetSerializer
from chats.services import assets as services
from chats.views.asset_content import answer_content
from stores.api.parsers import MAX_FILE
from stores.api.schema import PURGE, reads, writes
from stores.api.viewsets import RecordViewSet

RANGE = OpenApiParameter(
    "Range", OpenApiTypes.STR, OpenApiParameter.HEADER, description="One range of bytes, such as `bytes=0-1023`: 206."
)


class AssetViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, RecordViewSet):
    """Images and sound."""

    queryset = Asset.objects.all()
    filterset_class = AssetFilterSet
    # The bytes come as base64, which is a third longer.
    max_body = MAX_FILE * 4 // 3 + 2**20

    def get_serializer_class(self) -> type:
        return ListedAssetSerializer if self.action == "list" else AssetSerializer

    @writes(if_match=False, request=AssetSerializer, responses={201: AssetSerializer})
    def create(self, request: Request) -> Response:
        """Store an image or a sound in big-AGI's JSON, with its bytes as base64 in `data.base64`."""
        written = services.create_asset(self.get_origin(), self.read_record())
        body = AssetSerializer(written.row).data
        return self.answer_write(body, None, written.change, created_at=body["_server"]["href"])

    @extend_schema(parameters=[PURGE], responses={204: None})
    def destroy(self, request: Request, id: str) -> Response:
        """Delete the asset. The journal keeps a copy for undo; `?purge=true` deletes permanently."""
        return self.answer_purge(services.delete_asset)

    @reads(
        parameters=[RANGE],
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            (200, "image/*"): OpenApiTypes.BINARY,
            (200, "audio/*"): OpenApiTypes.BINARY,
            (206, "application/octet-stream"): OpenApiTypes.BINARY,
            (206, "image/*"): OpenApiTypes.BINARY,
            (206, "audio/*"): OpenApiTypes.BINARY,
        },
    )
    @action(detail=True)
    def content(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The bytes. Images and sound can be displayed; anything else is a download."""
        return answer_content(request, self.get_object())
