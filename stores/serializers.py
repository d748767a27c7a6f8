"""Stores, their revisions and migration runs as the API gives them. They are our own resources: snake_case."""

from typing import Any

from rest_framework import serializers

from stores.api.ids import href
from stores.models import MigrationRun, Revision
from stores.querysets import as_seen_now


class ListedStoreSerializer(serializers.Serializer):
    """A store without its state."""

    name = serializers.CharField()
    relational = serializers.BooleanField(help_text="Whether it is kept as rows, and given as a stream.")
    version = serializers.IntegerField(allow_null=True, help_text="The version of the state's shape.")
    revision = serializers.IntegerField(allow_null=True, help_text="Rises with each changed write.")
    updated_at = serializers.DateTimeField(allow_null=True)
    href = serializers.SerializerMethodField()

    def get_href(self, store: Any) -> str:
        return href("stores", store.name)


class StoreSerializer(serializers.Serializer):
    """A store as the browser holds it. Some hold a bare value in the place of this object."""

    state = serializers.JSONField()
    version = serializers.IntegerField(required=False)


class RevisionSerializer(serializers.ModelSerializer):
    reason_text = serializers.CharField(source="get_reason_display", help_text="The reason in words.")
    run: Any = serializers.PrimaryKeyRelatedField(read_only=True, help_text="The run that kept it.")

    class Meta:
        model = Revision
        fields = ["id", "reason", "reason_text", "size", "content_hash", "run", "created_at"]


class ListedRunSerializer(serializers.ModelSerializer):
    """A migration run without its logs."""

    counts = serializers.JSONField(help_text="For each kind: read, and what went into each bucket.")
    href = serializers.SerializerMethodField()
    report_href = serializers.SerializerMethodField()

    class Meta:
        model = MigrationRun
        fields = [
            *("id", "status", "phase", "counts"),
            *("source_name", "source_kind", "source_size", "source_sha256", "source_taken_at"),
            *("started_at", "finished_at", "href", "report_href"),
        ]

    def to_representation(self, instance: MigrationRun) -> Any:
        return super().to_representation(as_seen_now(instance))

    def get_href(self, run: MigrationRun) -> str:
        return href("migrations", str(run.pk))

    def get_report_href(self, run: MigrationRun) -> str:
        return href("migrations", str(run.pk), "report")


class RunSerializer(ListedRunSerializer):
    """A migration run."""

    phases = serializers.JSONField(help_text="Each phase: name, status, done, notes.")
    errors: Any = serializers.JSONField(help_text="The error log: at, phase, place, message.")
    notes = serializers.JSONField(help_text="What the owner should know of the source and the result.")
    certificate = serializers.JSONField(allow_null=True, help_text="What the verification found.")

    class Meta:
        model = MigrationRun
        fields = [
            *ListedRunSerializer.Meta.fields,
            *("phases", "errors", "notes", "certificate", "last_completed_task", "next_task", "blocked_by"),
        ]
