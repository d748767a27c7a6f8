"""The revisions over REST: earlier and other states of records that are kept whole."""

from django.db.models import QuerySet
from rest_framework import mixins

from stores.api.viewsets import RecordViewSet
from stores.filters import RevisionFilterSet
from stores.models import Revision
from stores.serializers import KeptRevisionSerializer, ListedRevisionSerializer


class KeptRevisionViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, RecordViewSet):
    """States of records that are kept beside what is shown, the newest first: what an import brought while ours stayed,
    what a newer state replaced, and what was converted."""

    queryset = Revision.objects.all()
    filterset_class = RevisionFilterSet
    lookup_field = "pk"
    lookup_value_regex = "[0-9]{1,18}"
    orderings = ("-id", "id")

    def get_queryset(self) -> QuerySet[Revision]:
        revisions = super().get_queryset()
        return revisions.defer("body") if self.action == "list" else revisions

    def get_serializer_class(self) -> type:
        return ListedRevisionSerializer if self.action == "list" else KeptRevisionSerializer
