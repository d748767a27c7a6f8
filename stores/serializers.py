"""Stores, their revisions and migration runs as the API gives them. They are our own resources: snake_case."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from stores.api.members import ID
from stores.api.serializers import one_of
from stores.importers.previews import expected_seconds, has_file
from stores.importers.resuming import why_not
from stores.importers.undoing import can_be_undone
from stores.models import Change, ChangedRecord, MigrationRun, Revision
from stores.querysets import as_seen_now, standing_undos
from stores.records.codecs import INT64
from stores.records.ids import href
from stores.records.jsontext import UndecodableJSON, decode
from stores.records.secrets import mask

VERSION = {"type": "integer", "minimum": -INT64, "maximum": INT64 - 1}


class ListedStoreSerializer(serializers.Serializer):
    """A store without its state."""

    name = serializers.CharField()
    relational = serializers.BooleanField(help_text="Whether the store is kept as rows and sent as a stream.")
    version = serializers.IntegerField(allow_null=True, help_text="The version of the state's format.")
    revision = serializers.IntegerField(allow_null=True, help_text="Increases with each change.")
    updated_at = serializers.DateTimeField(allow_null=True)
    href = serializers.SerializerMethodField()

    def get_href(self, store: Any) -> str:
        return href("stores", store.name)


class StoreSerializer(serializers.Serializer):
    """A store as the browser holds it. Some hold a bare value in the place of this object."""

    is_loose = True
    # An object without a state is a bare value.
    rules: dict[str, Any] = {
        "dependentSchemas": {"state": {"properties": {"version": VERSION}}},
    }
    state = serializers.JSONField()
    version = serializers.IntegerField(required=False)


class StorePatchSerializer(StoreSerializer):
    """Members of a store (JSON Merge Patch)."""

    # No member has to be there, but a body.
    rules = {"type": "object", "required": [], "properties": {"version": VERSION | {"type": ["integer", "null"]}}}
    state = serializers.JSONField(required=False)


class NewStoreSerializer(serializers.Serializer):
    """A new store: state and version, or a bare value. What else stands beside a state is kept."""

    rules = one_of("state", "value") | {
        "properties": {"name": ID, "version": VERSION},
        "dependentSchemas": {"value": {"propertyNames": {"enum": ["name", "value"]}}},
    }
    name = serializers.CharField(max_length=200)
    state = serializers.JSONField(required=False)
    version = serializers.IntegerField(required=False)
    value = serializers.JSONField(required=False, help_text="For a store that is not an object with a state.")


class MadeStoresSerializer(serializers.Serializer):
    """The stores that were missing and are here now."""

    made = serializers.ListField(child=serializers.CharField())


class RevisionSerializer(serializers.ModelSerializer):
    reason_text = serializers.CharField(source="get_reason_display", help_text="The reason, as text.")
    run: Any = serializers.PrimaryKeyRelatedField(read_only=True, allow_null=True, help_text="The import that kept it.")

    class Meta:
        model = Revision
        fields = ["id", "reason", "reason_text", "size", "content_hash", "run", "created_at"]


class ListedRevisionSerializer(RevisionSerializer):
    """A revision of any record, without its JSON."""

    href = serializers.SerializerMethodField()

    class Meta:
        model = Revision
        fields = ["id", "kind", "uid", *RevisionSerializer.Meta.fields[1:], "href"]

    def get_href(self, revision: Revision) -> str:
        return href("revisions", str(revision.pk))


class KeptRevisionSerializer(ListedRevisionSerializer):
    """A revision with its JSON."""

    body = serializers.SerializerMethodField(help_text="The record as it was, in big-AGI's JSON.")

    class Meta:
        model = Revision
        fields = [*ListedRevisionSerializer.Meta.fields, "body"]

    def get_body(self, revision: Revision) -> Any:
        try:
            return mask(decode(revision.body))
        except UndecodableJSON:
            return mask(revision.body)


class ListedRunSerializer(serializers.ModelSerializer):
    """A migration run without its logs."""

    counts = serializers.JSONField(
        help_text="For each kind: how many were read, how many had each outcome, how many are in conflict with what is "
        "here, and how many are kept aside; and how often each reason and rule decided."
    )
    based_on: Any = serializers.PrimaryKeyRelatedField(
        read_only=True,
        allow_null=True,
        help_text="The preview that it carries out or repeats, or the run that it takes back.",
    )
    href = serializers.SerializerMethodField()
    records_href = serializers.SerializerMethodField(help_text="The list of what became of each record.")
    report_href = serializers.SerializerMethodField()
    events_href = serializers.SerializerMethodField(help_text="Its progress as server-sent events.")

    class Meta:
        model = MigrationRun
        fields = [
            *("id", "purpose", "based_on", "status", "phase", "counts"),
            *("source_name", "source_kind", "source_size", "source_sha256", "source_taken_at", "source_device"),
            *("bytes_read", "resumed", "started_at", "finished_at"),
            *("href", "records_href", "report_href", "events_href"),
        ]

    def to_representation(self, instance: MigrationRun) -> Any:
        return super().to_representation(as_seen_now(instance))

    def get_href(self, run: MigrationRun) -> str:
        return href("migrations", str(run.pk))

    def get_records_href(self, run: MigrationRun) -> str:
        return href("migrations", str(run.pk), "records")

    def get_report_href(self, run: MigrationRun) -> str:
        return href("migrations", str(run.pk), "report")

    def get_events_href(self, run: MigrationRun) -> str:
        return href("migrations", str(run.pk), "events")


class RunSerializer(ListedRunSerializer):
    """A migration run."""

    phases = serializers.JSONField(help_text="Each phase: name, status, done, notes.")
    errors: Any = serializers.JSONField(help_text="The error log: at, phase, place, message.")
    notes = serializers.JSONField(help_text="Notes about the source and the result.")
    certificate = serializers.JSONField(allow_null=True, help_text="The result of the verification.")
    options = serializers.JSONField(
        allow_null=True, help_text="How it imports: strategy, restore_deleted, recover, actor; null: not known."
    )
    expected_seconds = serializers.SerializerMethodField(
        help_text="Of a preview: how long the import will take, without the backup before it; otherwise null."
    )
    run_href = serializers.SerializerMethodField(
        help_text="Of a preview whose file is still kept: where to POST to import it; otherwise null."
    )
    resume_href = serializers.SerializerMethodField(
        help_text="Of an upload whose import was broken off: where to POST to resume it; otherwise null."
    )
    undone_by = serializers.SerializerMethodField(help_text="The run that undid this one; null: it stands.")
    undo_href = serializers.SerializerMethodField(help_text="Where to undo it; null where it cannot be undone.")

    class Meta:
        model = MigrationRun
        fields = [
            *ListedRunSerializer.Meta.fields,
            *("phases", "errors", "notes", "certificate", "last_completed_task", "next_task", "blocked_by"),
            *("options", "expected_seconds", "run_href", "resume_href", "undone_by", "undo_href"),
        ]

    def get_expected_seconds(self, run: MigrationRun) -> float | None:
        return expected_seconds(run)

    def get_run_href(self, run: MigrationRun) -> str | None:
        is_ready = run.status == MigrationRun.Status.DONE and has_file(run)
        return href("migrations", str(run.pk), "run") if is_ready else None

    def get_resume_href(self, run: MigrationRun) -> str | None:
        is_broken_off = run.status == MigrationRun.Status.ERROR and bool(run.source_path)
        return href("migrations", str(run.pk), "resume") if is_broken_off and why_not(run) is None else None

    def get_undone_by(self, run: MigrationRun) -> int | None:
        return standing_undos().get(run.pk)

    def get_undo_href(self, run: MigrationRun) -> str | None:
        return href("migrations", str(run.pk), "undo") if can_be_undone(run) else None


class ReportSourceSerializer(serializers.Serializer):
    """The file that was imported."""

    name = serializers.CharField()
    kind = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes.")
    sha256 = serializers.CharField()
    taken_at = serializers.CharField(
        help_text="When big-AGI wrote the file, according to the file; of one with all chats, the time of the latest."
    )
    device = serializers.CharField(
        help_text="The browser that wrote the file, from its app-device store; empty if unknown."
    )


class ReportSerializer(serializers.Serializer):
    """All that is known of a migration run."""

    id = serializers.IntegerField()
    purpose = serializers.ChoiceField(MigrationRun.Purpose.choices)
    based_on = serializers.IntegerField(allow_null=True, help_text="The run that it undoes, or carries out.")
    status = serializers.ChoiceField(MigrationRun.Status.choices)
    phase = serializers.CharField()
    proof = serializers.CharField(help_text="The result in one sentence.")
    # The base class has a member of this name.
    source: Any = ReportSourceSerializer()
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    duration = serializers.FloatField(allow_null=True, help_text="Seconds.")
    last_completed_task = serializers.CharField()
    next_task = serializers.CharField()
    blocked_by = serializers.CharField()
    phases = serializers.JSONField(help_text="Each phase: name, status, done, notes.")
    counts = serializers.JSONField(help_text="For each kind: how many were read, and how many had each outcome.")
    notes = serializers.JSONField(help_text="Notes about the source and the result.")
    errors: Any = serializers.JSONField(help_text="The error log: at, phase, place, message.")
    certificate = serializers.JSONField(allow_null=True, help_text="The result of the verification.")


class ChangedRecordSerializer(serializers.ModelSerializer):
    """One record that was changed."""

    difference = serializers.SerializerMethodField(
        help_text="For a changed record, the operations that changed it; for a deleted one, its JSON; otherwise null."
    )

    class Meta:
        model = ChangedRecord
        fields = ["kind", "uid", "action", "hash_before", "hash_after", "position", "difference"]

    def get_difference(self, record: ChangedRecord) -> Any:
        return None if record.body is None else decode(record.body)


class ListedChangeSerializer(serializers.ModelSerializer):
    """An entry of the journal, without what was changed in its records."""

    undoes: Any = serializers.PrimaryKeyRelatedField(
        read_only=True, allow_null=True, help_text="The entry that this one undid."
    )
    undone_by: Any = serializers.PrimaryKeyRelatedField(
        many=True, read_only=True, help_text="The entries that undid this one."
    )
    run: Any = serializers.PrimaryKeyRelatedField(
        read_only=True, allow_null=True, help_text="The import that made this entry."
    )
    call = serializers.JSONField(allow_null=True, read_only=True, help_text="The request: method, path, short body.")
    href = serializers.SerializerMethodField()

    class Meta:
        model = Change
        fields = [
            *("id", "at", "actor", "source", "request_id", "action", "summary", "call", "stores"),
            *("record_count", "size", "duration_ms", "is_purged", "undoes", "undone_by", "run", "href"),
        ]

    def get_href(self, change: Change) -> str:
        return href("changes", str(change.pk))


class ChangeSerializer(ListedChangeSerializer):
    """An entry of the journal with its records, the first 1,000 of them."""

    records = serializers.SerializerMethodField()

    class Meta:
        model = Change
        fields = [*ListedChangeSerializer.Meta.fields, "records"]

    @extend_schema_field(ChangedRecordSerializer(many=True))
    def get_records(self, change: Change) -> Any:
        return ChangedRecordSerializer(change.records.order_by("pk")[:1000], many=True).data
