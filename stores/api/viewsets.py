"""What the views of all apps share."""

from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework import viewsets
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from stores.api.concurrency import answer_revision
from stores.api.ids import LOOKUP, decode_id
from stores.api.problems import NOTHING_HERE


class RecordViewSet(viewsets.GenericViewSet[Any]):
    """Records under the ids that big-AGI gave them."""

    lookup_field = "uid"
    lookup_url_kwarg = "id"
    lookup_value_regex = LOOKUP
    orderings: tuple[str, ...] = ("position",)

    def get_uid(self, name: str = "") -> str:
        """Return the record's id in the address, or another of the address's. Raises `UnknownId`."""
        return decode_id(self.kwargs[name or self.lookup_url_kwarg])

    def get_object(self) -> Any:
        record = get_object_or_404(self.get_queryset(), **{self.lookup_field: self.get_uid()})
        self.check_object_permissions(self.request, record)
        return record


class RevisionViewSet(RecordViewSet):
    """Records that have a revision: with an ETag, and 304 to whom has it."""

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return answer_revision(request, self.get_object(), lambda record: self.get_serializer(record).data)


class UnknownRouteView(APIView):
    """All that no route takes: 401 to strangers as everywhere, else 404."""

    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise NotFound(NOTHING_HERE)
