"""The change journal over REST."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from stores.api.viewsets import RecordViewSet
from stores.filters import ChangeFilterSet
from stores.models import Change
from stores.records.undoing import close_abandoned, undo
from stores.serializers import ChangeSerializer, ListedChangeSerializer


class ChangeViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, RecordViewSet):
    """Every change, newest first. Use `?after=` and `ordering=id` to follow changes."""

    queryset = Change.objects.prefetch_related("undone_by")
    filterset_class = ChangeFilterSet
    lookup_field = "pk"
    lookup_value_regex = "[0-9]{1,18}"
    orderings = ("-id", "id")

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.action == "undo":
            close_abandoned(int(kwargs["id"]))

    def get_queryset(self) -> QuerySet[Change]:
        return super().get_queryset()

    def get_serializer_class(self) -> type:
        return ListedChangeSerializer if self.action == "list" else ChangeSerializer

    @extend_schema(request=None, responses={201: ChangeSerializer})
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, id: str) -> Response:
        """Undo the change. 409 if a newer change depends on one of its records."""
        self.refuse_members()
        change = undo(self.get_origin(), int(id))
        assert change is not None
        body = ChangeSerializer(change).data
        return self.answer_write(body, None, change, created_at=body["href"])
