"""The ledger's events over REST: as pages, as a table, as lines of JSON."""

from collections.abc import Iterator
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from metrics.events import CORRECTED_BY, write_csv, write_ndjson
from metrics.filters import EventFilterSet
from metrics.models import UsageEvent
from metrics.serializers import UsageEventSerializer
from stores.api.pagination import CursorPagination, read_choice
from stores.api.problems import bad_parameter
from stores.api.renderers import JSONRenderer
from stores.api.streaming import stream
from stores.api.viewsets import RecordViewSet

CSV, NDJSON = "text/csv", "application/x-ndjson"


class CSVRenderer(BaseRenderer):
    """Tells that a table can be asked for by Accept; the view writes it."""

    media_type, format = CSV, "csv"
    charset: str | None = "utf-8"

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        return JSONRenderer().render(data)


class NDJSONRenderer(CSVRenderer):
    """Tells that lines of JSON can be asked for by Accept; the view writes them."""

    media_type, format, charset = NDJSON, "ndjson", None


FORMATS = {"json": JSONRenderer, "csv": CSVRenderer, "ndjson": NDJSONRenderer}


class EventPagination(CursorPagination):
    names: tuple[str, ...] = (*CursorPagination.names, "format")  # type: ignore[assignment]  # one more


_FORMAT = OpenApiParameter(
    "format",
    enum=tuple(FORMATS),
    description="`csv` or `ndjson`: all matching events in one stream; Accept works too. Default: json, in "
    "pages. In CSV, text that a spreadsheet could read as a formula, or that begins with an apostrophe, gets an extra "
    "apostrophe in front; so does such text after a `;`, tab or line break.",
)


class EventViewSet(mixins.RetrieveModelMixin, RecordViewSet):
    """Single calls, newest first."""

    queryset = UsageEvent.objects.defer("raw_usage")
    serializer_class = UsageEventSerializer
    filterset_class = EventFilterSet
    pagination_class = EventPagination
    lookup_field = "pk"
    lookup_url_kwarg = "number"
    lookup_value_regex = "[0-9]{1,18}"
    orderings = ("-at", "at")

    def get_uid(self, name: str = "") -> str:
        return str(self.kwargs["number"])

    def get_queryset(self) -> QuerySet[UsageEvent]:
        corrections = UsageEvent.objects.filter(corrects=OuterRef("pk")).values("pk")[:1]
        events = super().get_queryset().annotate(**{CORRECTED_BY: Subquery(corrections)})
        if self.action == "list" and not self.request.query_params.get("source"):
            return events.exclude(source=UsageEvent.Source.TEST)
        return events

    def get_renderers(self) -> list[BaseRenderer]:
        kinds = FORMATS.values() if self.action == "list" else [JSONRenderer]
        return [kind() for kind in kinds]

    @extend_schema(
        operation_id="metrics_events",
        parameters=[_FORMAT],
        responses={
            (200, "application/json"): UsageEventSerializer(many=True),
            (200, CSV): OpenApiTypes.STR,
            (200, NDJSON): OpenApiTypes.STR,
        },
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Single calls, newest first. Test calls, which are not counted, are listed only with `source=test`."""
        wanted = self._read_format(request)
        if wanted == "json":
            return self._answer_page()
        events = self.filter_queryset(self.get_queryset())
        for name in ("cursor", "page_size", "count"):
            if request.query_params.get(name):
                raise bad_parameter(name, f"A stream has no pages: leave out {name}.")
        ordering = read_choice(request, "ordering", self.orderings)
        write, content_type = (write_csv, f"{CSV}; charset=utf-8") if wanted == "csv" else (write_ndjson, NDJSON)
        pieces: Iterator[bytes] = write(events, is_newest_first=ordering == "-at")
        headers = {"Content-Disposition": f'attachment; filename="usage.{wanted}"'}
        return stream(request, pieces, content_type=content_type, headers=headers)

    def _answer_page(self) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def _read_format(self, request: Request) -> str:
        named = read_choice(request, "format", tuple(FORMATS)) if request.query_params.get("format") else ""
        accepted = str(request.accepted_renderer.format)
        # An error, too, is written by what is accepted.
        request.accepted_renderer = JSONRenderer()
        return named or accepted

    @extend_schema(
        operation_id="metrics_events_retrieve",
        parameters=[
            OpenApiParameter(
                "number",
                {"type": "integer", "minimum": 0, "maximum": 10**18 - 1},
                OpenApiParameter.PATH,
                description="The event's number.",
            )
        ],
    )
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """One call."""
        return super().retrieve(request, *args, **kwargs)
