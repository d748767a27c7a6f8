"""The REST API of stores."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from stores.api.concurrency import answer_revision, is_known, not_modified
from stores.api.filters import check_parameters
from stores.api.pagination import CursorPagination, NamePagination
from stores.api.parsers import MAX_CHAT, JSONParser, MergePatchParser
from stores.api.problems import Problem
from stores.api.schema import PURGE, reads, writes
from stores.api.serializers import with_notes
from stores.api.streaming import stream
from stores.api.viewsets import RecordViewSet
from stores.models import Store
from stores.querysets import find_store, list_stores, revisions_of
from stores.records import jsontext, registry
from stores.records.dump import StoreNotFound, dump_store
from stores.records.errors import at, pointer_of
from stores.records.ids import href
from stores.records.journal.recorder import Entry
from stores.records.opaque_stores import OPAQUE_STORES
from stores.records.registry import is_relational
from stores.serializers import (
    ListedStoreSerializer,
    MadeStoresSerializer,
    NewStoreSerializer,
    RevisionSerializer,
    StorePatchSerializer,
    StoreSerializer,
)
from stores.services import stores as services

BIG_STORE = "app-chats"
"""The store that may be as long as a chat may be."""

CONFIRM = OpenApiParameter(
    "confirm", OpenApiTypes.BOOL, description="Required for a store that is kept as rows: all its records are deleted."
)


class StoreViewSet(RecordViewSet):
    """big-AGI's state, by store name."""

    queryset = Store.objects.none()
    serializer_class = StoreSerializer
    pagination_class = NamePagination
    parser_classes = [JSONParser, MergePatchParser]
    lookup_field = lookup_url_kwarg = "name"
    orderings = ("name",)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if kwargs.get("name") == BIG_STORE:
            self.max_body = MAX_CHAT
        super().initial(request, *args, **kwargs)
        if request.method not in SAFE_METHODS and "name" in kwargs:
            registry.get(self.get_uid()).close_abandoned(None)

    @extend_schema(responses=ListedStoreSerializer(many=True))
    def list(self, request: Request) -> Response:
        """All stores, without their states."""
        check_parameters(request, CursorPagination.names)
        page = self.paginate_queryset(list_stores())
        return self.get_paginated_response(ListedStoreSerializer(page, many=True).data)

    @writes(if_match=False, request=NewStoreSerializer, responses={201: StoreSerializer})
    def create(self, request: Request) -> HttpResponseBase:
        """Create a store: its name with state and version, or with a bare value. 409 if the name is taken."""
        body = self.read_object()
        name, value = read_new_store(body)
        entry = services.create_store(self.get_origin(), name, value)
        return self._answer(name, entry, is_new=True)

    @reads(responses=StoreSerializer)
    def retrieve(self, request: Request, name: str) -> HttpResponseBase:
        """The whole store as the browser holds it. A store that is kept as rows is streamed."""
        uid = self.get_uid()
        store = self._find(uid)
        if store is not None and not is_relational(uid):
            return answer_revision(request, store, lambda row: OPAQUE_STORES.load([row])[0])
        # Told before the first record is read: what is written meanwhile raises the counter.
        etag = services.etag_of_store(uid, store)
        if is_known(request, etag):
            return not_modified(etag)
        return self._stream(uid, etag)

    @writes(request=StoreSerializer, responses=StoreSerializer)
    def update(self, request: Request, name: str) -> HttpResponseBase:
        """Replace the store, in big-AGI's envelope. Only records that differ are written."""
        uid = self.get_uid()
        entry = services.replace_store(self.get_origin(), uid, self.read_value(), self.get_precondition())
        return self._answer(uid, entry)

    @writes(
        request={"application/json": StorePatchSerializer, "application/merge-patch+json": StorePatchSerializer},
        responses=StoreSerializer,
    )
    def partial_update(self, request: Request, name: str) -> HttpResponseBase:
        """Change fields of the store (JSON Merge Patch). A list of records is replaced; a map of records is patched."""
        uid = self.get_uid()
        self.read_value()
        entry = services.patch_store(self.get_origin(), uid, self.read_object(), self.get_precondition())
        return self._answer(uid, entry)

    @writes(parameters=[CONFIRM, PURGE], request=None, responses={204: None})
    def destroy(self, request: Request, name: str) -> Response:
        """Delete the store; a store that is kept as rows needs ?confirm=true. The journal keeps a copy for undo;
        `?purge=true` deletes permanently."""
        flags = self.read_flags("confirm", "purge")
        change = services.delete_store(
            self.get_origin(),
            self.get_uid(),
            self.get_precondition(),
            confirmed=flags["confirm"],
            purge=flags["purge"],
        )
        return self.answer_deletion(change)

    @writes(if_match=False, request=None, responses={200: MadeStoresSerializer})
    @action(detail=False, methods=["post"], pagination_class=None)
    def init(self, request: Request) -> Response:
        """Create big-AGI's default stores that are missing. Existing stores are left alone."""
        self.refuse_members()
        entry, made = services.init_stores(self.get_origin())
        return self.answer_write({"made": made}, None, entry.change)

    @extend_schema(responses=RevisionSerializer(many=True))
    @action(detail=True, pagination_class=CursorPagination, orderings=("-id",))
    def revisions(self, request: Request, name: str) -> Response:
        """Stored revisions of the store, newest first."""
        check_parameters(request, CursorPagination.names)
        uid = self.get_uid()
        self._find(uid)
        page = self.paginate_queryset(revisions_of(uid))
        return self.get_paginated_response(RevisionSerializer(page, many=True).data)

    @writes(
        parameters=[OpenApiParameter("number", OpenApiTypes.INT64, OpenApiParameter.PATH, description="Its id.")],
        request=None,
        responses=StoreSerializer,
    )
    @action(detail=True, methods=["post"], url_path="revisions/(?P<number>[0-9]{1,18})/restore")
    def restore(self, request: Request, name: str, number: str) -> HttpResponseBase:
        """Restore a revision of the store. 409 for a store that is kept as rows: it has no revisions."""
        self.refuse_members()
        uid = self.get_uid()
        entry = services.restore_revision(self.get_origin(), uid, int(number), self.get_precondition())
        return self._answer(uid, entry)

    def get_current(self) -> Response:
        """Return the store as it is now; of one that is kept as rows, which can be of any length, the facts alone."""
        uid = self.get_uid()
        store = self._find(uid)
        if store is not None and not is_relational(uid):
            return answer_revision(self.request, store, lambda row: OPAQUE_STORES.load([row])[0])
        return Response(ListedStoreSerializer(next(store for store in list_stores() if store.name == uid)).data)

    def read_value(self) -> Any:
        """Return the body, which is any JSON. Raises `Problem` where there is none: it would empty the store."""
        if self.request.stream is None:
            raise Problem(400, "The body is required: send the store as JSON.")
        body = self.request.data
        if isinstance(body, dict) and "state" in body:
            return {key: value for key, value in body.items() if key != "_server"}
        return body

    def _find(self, name: str) -> Store | None:
        try:
            return find_store(name)
        except StoreNotFound as error:
            raise NotFound(f"There is no store {name}.") from error

    def _stream(self, name: str, etag: str) -> HttpResponseBase:
        try:
            pieces = (piece.encode("ascii") for piece in dump_store(name))
        except StoreNotFound as error:
            raise NotFound(f"There is no store {name}.") from error
        return stream(self.request, pieces, content_type="application/json", headers={"ETag": etag})

    def _answer(self, name: str, entry: Entry, *, is_new: bool = False) -> HttpResponseBase:
        """Return the store as it is now."""
        store = self._find(name)
        etag = services.etag_of_store(name, store)
        created_at = href("stores", name) if is_new else None
        if store is not None and not is_relational(name):
            value = OPAQUE_STORES.load([store])[0]
            body = with_notes(value, entry.lost_keys, entry.dropped_keys) if isinstance(value, dict) else value
            return self.answer_write(body, etag, entry.change, created_at=created_at)
        answer = self.answer_write(None, etag, entry.change, created_at=created_at)
        pieces = _with_notes(dump_store(name), with_notes({}, entry.lost_keys, entry.dropped_keys))
        headers = dict(answer.headers) | {"Content-Type": "application/json"}
        kwargs: Any = {"headers": headers, "status": answer.status_code}
        # What is new is no longer than a body may be, and an answer to a POST is stored by its Idempotency-Key.
        return HttpResponse(b"".join(pieces), **kwargs) if is_new else stream(self.request, pieces, **kwargs)


def read_new_store(body: dict[str, Any]) -> tuple[str, Any]:
    """Return the name and the value of a new store, in which any other member is kept. Raises `Invalid`."""
    if "name" not in body:
        raise at("/name", "This field is required.", "required")
    rest = {key: value for key, value in body.items() if key != "name"}
    if "value" in rest and "state" in rest or not rest.keys() & {"value", "state"}:
        raise at("/state", "Send either state (with version) or value.", "required")
    if "state" in rest:
        return body["name"], rest
    if unknown := sorted(rest.keys() - {"value"}):
        raise at(pointer_of(unknown[0]), "Unknown field. Allowed: name, value.", "unknown")
    return body["name"], rest["value"]


def _with_notes(pieces: Iterator[str], notes: dict[str, Any]) -> Iterator[bytes]:
    """Yield the pieces of an object's text, with other members in front."""
    first = next(pieces)
    yield (f"{jsontext.encode(notes)[:-1]},{first[1:]}" if notes else first).encode("ascii")
    for piece in pieces:
        yield piece.encode("ascii")
