"""What became of each record in a run, over REST."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers

from stores.api.viewsets import RecordViewSet
from stores.filters import RunRecordFilterSet
from stores.importers.differences import difference_of
from stores.models import MigrationRun, RunRecord
from stores.records.ids import href

NUMBER = "[0-9]{1,18}"


class ListedRunRecordSerializer(serializers.ModelSerializer):
    """What became of one record in a run, or by a preview would become of it."""

    rules = serializers.JSONField(
        allow_null=True, help_text="How often each rule of merging decided something; null: none did."
    )
    parts = serializers.JSONField(
        allow_null=True, help_text="By kind of part, such as message: how many had which outcome; null: it has none."
    )
    conflicting = serializers.BooleanField(source="is_conflicting", help_text="Whether both sides had something new.")
    kept_aside = serializers.BooleanField(source="is_kept_aside", help_text="Whether the file's state is a revision.")
    branch = serializers.BooleanField(source="is_branch", help_text="Whether it is a branch of a record of the file.")
    href = serializers.SerializerMethodField()

    class Meta:
        model = RunRecord
        fields = [
            *("id", "kind", "uid", "name", "outcome", "reason", "rules", "parts"),
            *("conflicting", "kept_aside", "branch", "href"),
        ]

    def get_href(self, record: RunRecord) -> str:
        return href("migrations", str(record.run_id), "records", str(record.pk))


class RunRecordSerializer(ListedRunRecordSerializer):
    """The same with the difference between two states of the record."""

    tells = serializers.SerializerMethodField(
        help_text="What the difference leads to: `changes`, what the record is, or would be, after the run; "
        "`otherwise`, what the file has of it while ours stays; empty: there is no difference to show."
    )
    difference = serializers.SerializerMethodField(
        help_text="The operations that lead there from what is, or was, here; null where there are none."
    )

    class Meta:
        model = RunRecord
        fields = [*ListedRunRecordSerializer.Meta.fields, "tells", "difference"]

    def to_representation(self, instance: RunRecord) -> Any:
        self.found = difference_of(instance)
        return super().to_representation(instance)

    def get_tells(self, record: RunRecord) -> str:
        return self.found.tells

    @extend_schema_field({"type": ["array", "null"], "items": {"type": "array"}})
    def get_difference(self, record: RunRecord) -> Any:
        return self.found.delta


@extend_schema(tags=["migrations"])
class RunRecordViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, RecordViewSet):
    """What a run made of each record, or by a preview would make of it, in the order of the file. What cannot be read
    is in the run's errors."""

    queryset = RunRecord.objects.all()
    filterset_class = RunRecordFilterSet
    prefix = f"migrations/(?P<run>{NUMBER})/records"
    lookup_field = "pk"
    lookup_value_regex = NUMBER
    orderings = ("id", "-id")

    def get_queryset(self) -> QuerySet[RunRecord]:
        records = super().get_queryset().defer("imported_before")
        if "run" not in self.kwargs:
            # Of the description of the API.
            return records
        records = records.filter(run=get_object_or_404(MigrationRun.objects.only("pk"), pk=int(self.kwargs["run"])))
        return records.defer("imported_before", "difference") if self.action == "list" else records

    def get_serializer_class(self) -> type:
        return ListedRunRecordSerializer if self.action == "list" else RunRecordSerializer
