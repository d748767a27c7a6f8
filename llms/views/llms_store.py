"""All models, services and assignments together over REST."""

from collections.abc import Iterator, Mapping
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from llms import virtual
from llms.bigagi import ASSIGNMENTS, MODELS, SERVICES, STORE
from llms.catalog import is_virtual
from llms.filters import ModelFilterSet
from llms.models import Assignment, Model, Service
from llms.serializers import (
    AssignmentSerializer,
    LlmsSerializer,
    LlmsWriteSerializer,
    ModelSerializer,
    ServiceSerializer,
)
from llms.services import llms_store as services
from stores.api.concurrency import answer_of_store
from stores.api.problems import errors_in, wrong_members
from stores.api.schema import PURGE, reads, writes
from stores.api.serializers import RecordSerializer, with_notes
from stores.api.viewsets import WritingViewSet
from stores.records.codecs import JSONObject, is_id
from stores.records.errors import at, pointer_of
from stores.records.preconditions import counter_of, etag_of

CONFIRM = OpenApiParameter("confirm", OpenApiTypes.BOOL, description="Must be true; otherwise nothing is deleted.")
SHAPES: dict[str, type[RecordSerializer]] = {
    "llms": ModelSerializer,
    "services": ServiceSerializer,
    "assignments": AssignmentSerializer,
}
"""The records in each field of the body."""


class LlmsViewSet(WritingViewSet):
    """The whole content of big-AGI's models store. The filters apply to the models; the response is not paged."""

    queryset = Model.objects.all()
    serializer_class = LlmsSerializer
    filterset_class = ModelFilterSet
    pagination_class = None

    @reads(operation_id="llms_read_all", responses=LlmsSerializer, filters=True)
    def retrieve(self, request: Request) -> Response:
        """All models, services and assignments. The ETag is that of the store `app-models`."""
        models = self.filter_queryset(self.get_queryset())
        return answer_of_store(request, STORE, lambda: _present(list(models.all()), request.query_params))

    @writes(operation_id="llms_write_all", request=LlmsWriteSerializer, responses={200: LlmsSerializer})
    def create(self, request: Request) -> Response:
        """Merge models, services and assignments with the stored ones, or replace them, in one change.

        With `mode: "merge"` (the default), records with new ids are added after the others, and existing
        records get the fields that are sent. What is not sent is kept, so your settings survive new values from
        a vendor. With `mode: "replace"` all three fields are required and replace everything, in the given
        order. Either everything is written or nothing. The body can be at most 10 MiB."""
        body = self.read_object()
        mode = body.pop("mode", "merge")
        if mode not in ("merge", "replace"):
            raise at("/mode", "The mode must be one of: merge, replace.")
        parts = _read_parts(body, is_whole=mode == "replace")
        write = services.replace_llms if mode == "replace" else services.merge_llms
        entry = write(self.get_origin(), parts, self.get_precondition())
        answer = with_notes(_present(list(Model.objects.all())), entry.lost_keys, entry.dropped_keys)
        return self.answer_write(answer, etag_of(counter_of(STORE)), entry.change)

    @writes(operation_id="llms_delete_all", parameters=[CONFIRM, PURGE], responses={204: None})
    def destroy(self, request: Request) -> Response:
        """Delete all models, services and assignments. 409 without `?confirm=true`."""
        flags = self.read_flags("confirm", "purge")
        change = services.delete_llms(
            self.get_origin(), self.get_precondition(), confirmed=flags["confirm"], purge=flags["purge"]
        )
        return self.answer_deletion(change)

    def get_current(self) -> Response:
        return Response(_present(list(Model.objects.all())))


def _present(models: list[Model], query: Mapping[str, str] | None = None) -> dict[str, Any]:
    assignments = list(Assignment.objects.all())
    return {
        "llms": ModelSerializer().present(models) + virtual.find_models(query or {}),
        "services": ServiceSerializer().present(list(Service.objects.all())) + virtual.services(),
        "assignments": dict(
            zip([row.uid for row in assignments], AssignmentSerializer().present(assignments), strict=True)
        ),
    }


# --- the body --------------------------------------------------------------------------------------------------------


def _read_parts(body: JSONObject, *, is_whole: bool) -> dict[str, dict[str, JSONObject]]:
    """Return the records by their ids, by the store's member. Raises `Problem` and `Invalid`."""
    if unknown := sorted(set(body) - set(SHAPES)):
        raise at(pointer_of(unknown[0]), f"Unknown field. Allowed: mode, {', '.join(SHAPES)}.", "unknown")
    if is_whole and (missing := [name for name in SHAPES if name not in body]):
        raise at(f"/{missing[0]}", "To replace everything, send llms, services and assignments.", "required")
    read = {name: _read_by_id(name, body[name]) for name in SHAPES if name in body}
    if errors := [error for name, records in read.items() for error in _find_errors(name, records)]:
        raise wrong_members(errors)
    keys = {"llms": MODELS.key, "services": SERVICES.key, "assignments": ASSIGNMENTS.key}
    return {keys[name]: {uid: record for uid, (_, record) in records.items()} for name, records in read.items()}


def _read_by_id(name: str, held: Any) -> dict[str, tuple[str, JSONObject]]:
    """Return the pointers and records of a list, or of the map of assignments, by their ids. Raises `Invalid`.

    Not by DRF's lists: a record is compared with what is stored under its id, and one that is never stored is left out.
    """
    is_map = name == "assignments"
    if not isinstance(held, dict if is_map else list):
        raise at(f"/{name}", f"Must be {'an object' if is_map else 'a list'}.", "type")
    members: Any = held.items() if isinstance(held, dict) else enumerate(held)
    found: dict[str, tuple[str, JSONObject]] = {}
    for key, record in members:
        pointer = pointer_of(name, str(key))
        if not isinstance(record, dict):
            raise at(pointer, "Must be an object.", "type")
        uid: Any = key if is_map else record.get("id")
        if not is_id(uid):
            place = pointer if is_map else f"{pointer}/id"
            raise at(place, "An id must be a string of 1 to 200 characters, without NUL or lone surrogates.")
        if not is_map and is_virtual(uid):
            # As it was read: it is listed, and never stored.
            continue
        if uid in found:
            raise at(f"{pointer}/id", f"Each id must be unique; {uid} is sent twice.")
        found[uid] = (pointer, {member: value for member, value in record.items() if member != "_server"})
    return found


def _find_errors(name: str, records: dict[str, tuple[str, JSONObject]]) -> Iterator[dict[str, str]]:
    rows = SHAPES[name].collection.find(records)
    for uid, (pointer, record) in records.items():
        serializer = SHAPES[name](rows.get(uid), data=record)
        if not serializer.is_valid():
            yield from errors_in(serializer.errors, pointer)
