"""The log of requests over REST."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from metrics.filters import RequestFilterSet
from metrics.models import ApiRequest
from metrics.request_log import LOG
from metrics.serializers import ApiRequestSerializer

LOST_HEADER = OpenApiParameter(
    "Bigagi-Lost",
    OpenApiTypes.INT64,
    OpenApiParameter.HEADER,
    response=True,
    description="Requests missing from the log since the server started.",
)


class RequestViewSet(mixins.ListModelMixin, viewsets.GenericViewSet):
    """API requests, newest first. Each appears about a second after its response."""

    queryset = ApiRequest.objects.all()
    serializer_class = ApiRequestSerializer
    filterset_class = RequestFilterSet
    orderings = ("-id", "id")

    @extend_schema(parameters=[LOST_HEADER])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """API requests, newest first."""
        response = super().list(request, *args, **kwargs)
        response.headers["Bigagi-Lost"] = str(LOG.lost)
        return response
