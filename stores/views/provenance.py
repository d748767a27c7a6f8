"""Where records come from, over REST."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from stores.api.filters import check_parameters
from stores.api.viewsets import RecordViewSet
from stores.importers.provenance import Step, provenance_of
from stores.models import MigrationRun
from stores.records import registry
from stores.records.ids import LOOKUP, href


class StepSerializer(serializers.Serializer):
    """What one run did to the record."""

    text = serializers.CharField(help_text="The step in words.")
    run = serializers.IntegerField(source="run.pk")
    run_href = serializers.SerializerMethodField()
    purpose = serializers.ChoiceField(MigrationRun.Purpose.choices, source="run.purpose")
    at = serializers.DateTimeField(source="run.started_at")
    source_name = serializers.CharField(source="run.source_name", help_text="The file.")
    source_device = serializers.CharField(source="run.source_device", help_text="The browser; empty: not known.")
    source_taken_at = serializers.CharField(source="run.source_taken_at", help_text="When big-AGI wrote the file.")
    outcome = serializers.CharField(help_text="What became of the record; empty: it was brought, and no more is known.")
    rules = serializers.ListField(
        child=serializers.CharField(), help_text="The rules of merging that decided something."
    )
    record_href = serializers.SerializerMethodField(help_text="What the run wrote down of it; null: nothing.")

    def get_run_href(self, step: Step) -> str:
        return href("migrations", str(step.run.pk))

    def get_record_href(self, step: Step) -> str | None:
        return None if step.record is None else href("migrations", str(step.run.pk), "records", str(step.record))


class ProvenanceSerializer(serializers.Serializer):
    """Where a record comes from: the runs, files and browsers that brought or changed it, in that order."""

    text = serializers.CharField(help_text="All of it in one line; empty where no import brought it.")
    branch_of = serializers.CharField(help_text="The id of the record that it was made a branch of; empty: of none.")
    branches: Any = serializers.ListField(child=serializers.CharField(), help_text="The ids of its own branches.")
    runs: Any = StepSerializer(many=True, source="steps")


class ProvenanceViewSet(RecordViewSet):
    """Where records come from."""

    prefix = "provenance/(?P<kind>[a-z_]{1,20})"
    lookup_value_regex = LOOKUP
    filter_backends: list[Any] = []
    serializer_class = ProvenanceSerializer

    @extend_schema(responses=ProvenanceSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Which imports brought or changed a record, out of which files and browsers, and what it is a branch of.

        The kind is conversation, folder, store, … Of records that were deleted here, it is known too."""
        check_parameters(request, ())
        if kwargs["kind"] not in registry.kinds():
            raise NotFound(f"There is no kind of record of this name. Kinds: {', '.join(registry.kinds())}.")
        return Response(ProvenanceSerializer(provenance_of(kwargs["kind"], self.get_uid())).data)
