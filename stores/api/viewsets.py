"""What the views of all apps share."""

from collections.abc import Callable
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.http import parse_etags
from rest_framework import status, viewsets
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from stores.api.concurrency import answer_of_store, answer_revision
from stores.api.filters import check_parameters
from stores.api.idempotent_views import answer_once
from stores.api.origin import origin_of
from stores.api.parsers import MAX_BODY
from stores.api.problems import NOTHING_HERE, Problem, bad_parameter
from stores.api.serializers import FormSerializer, with_notes
from stores.models import Change
from stores.records.codecs import JSONObject
from stores.records.ids import LOOKUP, decode_id
from stores.records.journal.recorder import Origin
from stores.records.jsontext import canonical
from stores.records.preconditions import Precondition, Stale, counter_of, etag_of
from stores.records.written import Written
from stores.services.idempotency import HEADER as IDEMPOTENCY_KEY
from stores.services.idempotency import Claim, StoredAnswer, claim_key, digest_request

TRUE_WORDS = ("1", "true")
"""What stands for true in a query."""


class WritingViewSet(viewsets.GenericViewSet[Any]):
    """What views that write have in common: who writes, what the client saw, what it sent, what it is answered."""

    max_body = MAX_BODY
    waits = False
    """Whether the view waits for a provider, or for the server's event loop: then its route is one of
    `bigagi_site.routes.WAITING_ROUTES`."""

    answers_in_one_transaction = True
    """Whether a POST with an Idempotency-Key writes and stores its answer in one transaction, which a crash undoes
    whole; False for what works in batches, and can be sent again."""

    keeps_answers = True
    """Whether the answer to a POST with an Idempotency-Key is stored and repeated; False for what writes nothing, or
    answers by a stream."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method != "POST" or IDEMPOTENCY_KEY not in request.headers or not self.keeps_answers:
            return
        # The handler's name is set by the route, where it has one. DRF asks for the handler after this, and leaves no
        # other place between the checks of a request and its handler.
        handler = getattr(self, "post", None)
        if handler is not None:
            self.post = answer_once(self, handler)

    def describe_body(self) -> str:
        """Return what tells this request's body from others, for its Idempotency-Key."""
        return canonical(self.request.data)

    def claim_key(self) -> Claim | StoredAnswer:
        """Claim the request's Idempotency-Key, or return the answer that was given under it."""
        request = self.request
        digest = digest_request(str(request.method), request.get_full_path(), self.describe_body())
        return claim_key(request.user.pk, request.headers[IDEMPOTENCY_KEY], digest)

    def get_origin(self) -> Origin:
        """Return who writes, for the journal."""
        return origin_of(self.request)

    def get_precondition(self) -> Precondition:
        """Return what the client saw (If-Match). Raises `Problem`."""
        header = self.request.headers.get("If-Match")
        if header is not None and not parse_etags(header):
            raise Problem(
                400,
                'If-Match must name ETags in double quotes, such as "12-3", or be *. '
                "Leave it out to overwrite whatever is stored.",
            )
        return Precondition(header)

    def read_object(self, *, ignores_facts: bool = True) -> JSONObject:
        """Return the body, which is an object. Raises `Problem`."""
        body = self.request.data
        if not isinstance(body, dict):
            raise Problem(400, "The body must be a JSON object.")
        return {key: value for key, value in body.items() if key != "_server"} if ignores_facts else body

    def refuse_members(self) -> None:
        """Raise `ValidationError` for a body with members, of a route that takes none. `null` has none."""
        if self.request.data is not None:
            FormSerializer(data=self.read_object()).take()

    def read_record(self, row: Any = None, *, is_partial: bool = False) -> JSONObject:
        """Return the body, a record of big-AGI's, which is to replace the row's. Raises `Problem`."""
        serializer: Any = self.get_serializer(row, data=self.read_object(), partial=is_partial)
        record: JSONObject = serializer.take()
        return record

    def read_flag(self, name: str) -> bool:
        """Return a flag of the query. Raises `Problem` for any other word, and for other parameters."""
        return self.read_flags(name)[name]

    def read_flags(self, *names: str) -> dict[str, bool]:
        """Return flags of the query. Raises `Problem` for any other word, and for other parameters."""
        check_parameters(self.request, names)
        return {name: self.parse_flag(name) for name in names}

    def parse_flag(self, name: str, *, is_default: bool = False) -> bool:
        """Return a flag of the query, beside other parameters. Raises `Problem` for any other word."""
        default = "true" if is_default else "false"
        word = self.request.query_params.get(name, default)
        if not word and self.request.method == "GET":
            # As in the filters of lists.
            word = default
        if word not in (*TRUE_WORDS, "0", "false"):
            raise bad_parameter(name, f"{name} must be true or false.")
        return word in TRUE_WORDS

    def answer_write(
        self, body: Any, etag: str | None, change: Change | None, *, created_at: str | None = None
    ) -> Response:
        """Return the response to a write: the current record, its ETag, and the journal entry."""
        headers = {"ETag": etag} if etag else {}
        if change is not None:
            headers["Bigagi-Change"] = str(change.pk)
        if created_at is not None:
            headers["Location"] = created_at
        return Response(body, status.HTTP_201_CREATED if created_at else status.HTTP_200_OK, headers=headers)

    def answer_deletion(self, change: Change | None) -> Response:
        """Return the answer to a deletion."""
        return Response(status=204, headers={} if change is None else {"Bigagi-Change": str(change.pk)})

    def get_current(self) -> Response:
        """Return the current record, for a client that saw an older one."""
        # Views that compare have one.
        answer: Response = self.retrieve(self.request, **self.kwargs)  # type: ignore[attr-defined]
        return answer

    def handle_exception(self, exc: Exception) -> Any:
        if isinstance(exc, Stale):
            exc = self._as_problem(exc)
        return super().handle_exception(exc)

    def _as_problem(self, stale: Stale) -> Problem:
        headers = {} if stale.etag is None else {"ETag": stale.etag}
        problem = Problem(
            412, "The record has changed since you read it. Apply your change to `current` and send it again."
        )
        problem.headers = headers
        self.request.META.pop("HTTP_IF_NONE_MATCH", None)
        if stale.etag is not None and hasattr(self, "retrieve"):
            problem.extra["current"] = self.get_current().data
        return problem


class RecordViewSet(WritingViewSet):
    """Records under the ids that big-AGI gave them."""

    lookup_field = "uid"
    lookup_url_kwarg = "id"
    lookup_value_regex = LOOKUP
    orderings: tuple[str, ...] = ("position",)
    own_parameters: tuple[str, ...] = ()
    """Parameters of the query that an action reads itself, beside its filters and pages."""

    def get_uid(self, name: str = "") -> str:
        """Return the record's id in the address, or another of the address's. Raises `UnknownId`."""
        return decode_id(self.kwargs[name or self.lookup_url_kwarg])

    def get_etag(self, row: Any) -> str:
        """Return the ETag under which the row is given."""
        return etag_of(row)

    def answer(self, written: Written, *, is_new: bool = False) -> Response:
        """Return the response to a write of a record: the record as it is kept, with our facts."""
        serializer: Any = self.get_serializer()
        [facts] = serializer.get_facts([written.row])
        body = with_notes(written.value | {"_server": facts}, written.lost_keys, written.dropped_keys)
        created_at = facts["href"] if is_new else None
        return self.answer_write(body, self.get_etag(written.row), written.change, created_at=created_at)

    def answer_purge(self, delete: Callable[..., Change | None], *preconditions: Precondition) -> Response:
        """Delete the record by this service, for good with `?purge=true`, and return the answer."""
        purge = self.read_flag("purge")
        return self.answer_deletion(delete(self.get_origin(), self.get_uid(), *preconditions, purge=purge))

    def get_current(self) -> Response:
        if self.lookup_url_kwarg in self.kwargs:
            return super().get_current()
        # Views whose new records have a precondition have one.
        answer: Response = self.list(self.request)  # type: ignore[attr-defined]
        return answer

    def get_object(self) -> Any:
        record = get_object_or_404(self.get_queryset(), **{self.lookup_field: self.get_uid()})
        self.check_object_permissions(self.request, record)
        return record


class RevisionViewSet(RecordViewSet):
    """Records with a revision: an ETag, and 304 for clients that have it."""

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return answer_revision(
            request, self.get_object(), lambda record: self.get_serializer(record).data, self.sequence_of
        )

    def sequence_of(self, record: Any) -> int | None:
        """Return the progress of an answer being generated in the record; None if there is none."""
        return None


class StoreRecordViewSet(RecordViewSet):
    """Records whose ETag is that of the store that they are kept in (`store`)."""

    store: str

    def get_etag(self, row: Any) -> str:
        return etag_of(counter_of(self.store))

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return answer_of_store(request, self.store, lambda: self.get_serializer(self.get_object()).data)


class UnknownRouteView(APIView):
    """Paths without a route: 401 if not signed in, otherwise 404."""

    schema = None

    @property
    def default_response_headers(self) -> dict[str, str]:
        # A path that does not exist must not list allowed methods.
        return {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise NotFound(NOTHING_HERE)
