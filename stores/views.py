"""The REST API of stores and migration runs."""

from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from stores.api.concurrency import answer_revision
from stores.api.filters import check_parameters
from stores.api.ids import LOOKUP, decode_id
from stores.api.pagination import CursorPagination, NamePagination
from stores.api.problems import bad_parameter
from stores.api.streaming import stream
from stores.api.viewsets import RecordViewSet
from stores.dump import StoreNotFound, dump_store
from stores.filters import RunFilterSet
from stores.importers.report import run_markdown, run_report
from stores.models import MigrationRun, Store
from stores.querysets import as_seen_now, find_store, is_relational, list_stores, revisions_of
from stores.secrets import mask
from stores.serializers import (
    ListedRunSerializer,
    ListedStoreSerializer,
    RevisionSerializer,
    RunSerializer,
    StoreSerializer,
)
from stores.wholes import WHOLE_STORES


class StoreViewSet(viewsets.GenericViewSet):
    """big-AGI's state by the name of the store."""

    queryset = Store.objects.none()
    serializer_class = StoreSerializer
    pagination_class = NamePagination
    lookup_url_kwarg = "name"
    lookup_value_regex = LOOKUP
    orderings = ("name",)

    @extend_schema(responses=ListedStoreSerializer(many=True))
    def list(self, request: Request) -> Response:
        """All stores, without their states."""
        check_parameters(request, CursorPagination.names)
        page = self.paginate_queryset(list_stores())
        return self.get_paginated_response(ListedStoreSerializer(page, many=True).data)

    def retrieve(self, request: Request, name: str) -> HttpResponseBase:
        """The whole store as the browser holds it. One that is kept as rows comes as a stream, without an ETag."""
        uid = self.get_name()
        try:
            store = find_store(uid)
            if store is None or is_relational(uid):
                # The revision of such a store's row does not tell of changes in its rows: it can be no ETag.
                pieces = (piece.encode("ascii") for piece in dump_store(uid))
                return stream(request, pieces, content_type="application/json")
        except StoreNotFound as error:
            raise NotFound(f"There is no store {uid}.") from error
        return answer_revision(request, store, lambda row: WHOLE_STORES.load([row])[0])

    @extend_schema(responses=RevisionSerializer(many=True))
    @action(detail=True, pagination_class=CursorPagination, orderings=("-id",))
    def revisions(self, request: Request, name: str) -> Response:
        """The earlier and other shapes of the store that are kept, the newest first."""
        check_parameters(request, CursorPagination.names)
        uid = self.get_name()
        try:
            find_store(uid)
        except StoreNotFound as error:
            raise NotFound(f"There is no store {uid}.") from error
        page = self.paginate_queryset(revisions_of(uid))
        return self.get_paginated_response(RevisionSerializer(page, many=True).data)

    def get_name(self) -> str:
        return decode_id(self.kwargs["name"])


class RunViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, RecordViewSet):
    """Migration runs, the newest first."""

    queryset = MigrationRun.objects.all()
    filterset_class = RunFilterSet
    lookup_field = "pk"
    lookup_value_regex = "[0-9]{1,18}"
    orderings = ("-id", "id")

    def get_queryset(self) -> QuerySet[MigrationRun]:
        runs = super().get_queryset()
        return runs.defer("phases", "errors", "notes", "certificate") if self.action == "list" else runs

    def get_serializer_class(self) -> type:
        return ListedRunSerializer if self.action == "list" else RunSerializer

    @extend_schema(
        parameters=[OpenApiParameter("format", enum=["json", "markdown"], default="json")],
        responses={(200, "application/json"): RunSerializer, (200, "text/markdown"): OpenApiTypes.STR},
    )
    @action(detail=True)
    def report(self, request: Request, id: str) -> HttpResponseBase:
        """All that is known of the run: for programs, or as Markdown for people."""
        check_parameters(request, ("format",))
        wanted = request.query_params.get("format", "json")
        if wanted not in ("json", "markdown"):
            raise bad_parameter("format", "format is one of: json, markdown.")
        run = as_seen_now(self.get_object())
        if wanted == "json":
            return Response(run_report(run))
        text = mask(run_markdown(run)).encode("utf-8", "replace")
        return HttpResponse(text, content_type="text/markdown; charset=utf-8")
