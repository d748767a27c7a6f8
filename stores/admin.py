"""The admin of stores, their revisions and secrets, and of what imports did."""

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.paginator import InfinitePaginator

from stores import admin_journal, admin_run, secrets
from stores.admin_base import ReadOnlyAdmin
from stores.admin_display import (
    NOTHING,
    ROW_FACTS,
    column,
    instant,
    link_to,
    link_to_list,
    moment,
    pretty,
    show_status,
    size_of,
    whole,
)
from stores.admin_records import MODEL_OF_KIND, link_to_record
from stores.importers.report import proof, run_report
from stores.keyfile import name_key
from stores.models import (
    IdempotencyKey,
    ImportedRecord,
    KeyFingerprint,
    MigrationRun,
    Quarantine,
    Revision,
    Secret,
    Store,
)
from stores.querysets import read_as_text

__all__ = ["admin_journal"]


@admin.register(Store)
class StoreAdmin(ReadOnlyAdmin):
    list_display = ["name", "shape", "version", "revision", instant("updated_at")]
    list_filter = ["shape"]
    search_fields = ["name"]
    list_defer = ("data", "extra")
    downloads = {"data": "json"}
    fields = [
        *("name", "shape", "version", whole("data"), pretty("extra"), "revisions"),
        *("revision", *ROW_FACTS),
    ]

    @admin.display(description="revisions")
    def revisions(self, obj: Store) -> SafeString | str:
        return link_to_list("stores", "revision", "Earlier versions of this store", kind="store", uid=obj.name)


@admin.register(Revision)
class RevisionAdmin(ReadOnlyAdmin):
    list_display = [
        "__str__",
        "kind",
        "reason",
        size_of("size"),
        column("run", link_to, ordering=True),
        instant("created_at"),
    ]
    list_filter = ["reason", "kind"]
    search_fields = ["uid"]
    list_defer = ("body",)
    list_select_related = ["run"]
    paginator = InfinitePaginator
    downloads = {"body": "json"}
    fields = [
        *("kind", "record", "reason", "as_text", whole("body"), size_of("size"), "content_hash", "run"),
        instant("created_at"),
    ]

    @admin.display(description="record")
    def record(self, obj: Revision) -> SafeString | str:
        return link_to_record(obj.kind, obj.uid)

    @admin.display(description="as text")
    def as_text(self, obj: Revision) -> SafeString | str:
        """Show what a person reads in it: a chat that is kept aside can be read here."""
        text = read_as_text(obj)
        return format_html('<pre class="bigagi-text" x-ignore>{}</pre>', secrets.mask(text)) if text else NOTHING


@admin.register(Secret)
class SecretAdmin(ReadOnlyAdmin):
    """Neither the value nor the reference is ever shown."""

    list_display = ["last_four", "is_readable", "key", "is_given_up", instant("created_at")]
    fields = ["last_four", "is_readable", "key", "is_given_up", instant("created_at")]

    @admin.display(description="last four characters")
    def last_four(self, obj: Secret) -> str:
        return str(obj)

    @admin.display(description="readable with the key file", boolean=True)
    def is_readable(self, obj: Secret) -> bool:
        return secrets.is_readable(obj)

    @admin.display(description="encrypted with", ordering="sealed_with")
    def key(self, obj: Secret) -> str:
        return name_key(obj.sealed_with)


@admin.register(KeyFingerprint)
class KeyFingerprintAdmin(ReadOnlyAdmin):
    """The key file that is this database's."""

    list_display = ["fingerprint", instant("created_at")]
    search_fields = ["=fingerprint"]
    fields = ["fingerprint", instant("created_at")]


@admin.register(MigrationRun)
class MigrationRunAdmin(ReadOnlyAdmin):
    list_display = [
        "__str__",
        "state",
        "source_kind",
        size_of("source_size"),
        instant("started_at"),
        instant("finished_at"),
    ]
    list_filter = ["status", "source_kind"]
    search_fields = ["source_name", "source_sha256"]
    list_defer = ("phases", "counts", "errors", "notes", "certificate")
    downloads = {"certificate": "json"}
    fieldsets = [
        (None, {"fields": ["state", "phase", "verification", "report", "phase_table", "count_table", "note_list"]}),
        ("Current status", {"fields": ["last_completed_task", "next_task", "blocked_by", "error_table"]}),
        (
            "Source",
            {
                "fields": [
                    "source_name",
                    "source_kind",
                    size_of("source_size"),
                    "source_sha256",
                    "source_taken_at",
                    "source_device",
                ]
            },
        ),
        (
            "Run",
            {
                "fields": [
                    instant("started_at"),
                    instant("finished_at"),
                    "duration",
                    "pid",
                    "owner",
                    moment("lease_until"),
                    "position_base",
                    "relatives",
                ]
            },
        ),
        ("Certificate", {"fields": ["certificate_link", pretty("certificate")]}),
    ]

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.report_view)
        return [path("<int:run_id>/report/", view, name="stores_migrationrun_report"), *super().get_urls()]

    def report_view(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """Answer with the whole run as a JSON file."""
        run = self.get_object(request, str(run_id))
        if run is None:
            raise Http404
        return self.file_response(f"migration-run-{run.pk}", "json", run_report(run))

    @admin.display(description="status", ordering="status")
    def state(self, obj: MigrationRun) -> SafeString:
        return show_status(obj.status)

    @admin.display(description="report")
    def report(self, obj: MigrationRun) -> SafeString:
        url = reverse("admin:stores_migrationrun_report", args=(obj.pk,))
        return format_html('<a class="bigagi-link" href="{}" download>Download the report (JSON)</a>', url)

    @admin.display(description="verification")
    def verification(self, obj: MigrationRun) -> str:
        return proof(obj)

    @admin.display(description="progress by phase")
    def phase_table(self, obj: MigrationRun) -> SafeString | str:
        return admin_run.show_phases(obj.phases)

    @admin.display(description="records by kind")
    def count_table(self, obj: MigrationRun) -> SafeString | str:
        return admin_run.show_counts(obj.counts)

    @admin.display(description="notes")
    def note_list(self, obj: MigrationRun) -> SafeString | str:
        return admin_run.show_notes(obj.notes)

    @admin.display(description="error log")
    def error_table(self, obj: MigrationRun) -> SafeString | str:
        return admin_run.show_errors(obj.errors)

    @admin.display(description="duration")
    def duration(self, obj: MigrationRun) -> str:
        return f"{(obj.finished_at - obj.started_at).total_seconds():.1f} s" if obj.finished_at else NOTHING

    @admin.display(description="download")
    def certificate_link(self, obj: MigrationRun) -> SafeString | str:
        if obj.certificate is None:
            return NOTHING
        url = reverse("admin:stores_migrationrun_download", args=(obj.pk, "certificate"))
        return format_html('<a class="bigagi-link" href="{}" download>Download the certificate (JSON)</a>', url)

    @admin.display(description="results")
    def relatives(self, obj: MigrationRun) -> SafeString:
        return format_html(
            "{} · {} · {}",
            link_to_list("stores", "importedrecord", "Imported records", run__id__exact=obj.pk),
            link_to_list("stores", "quarantine", "Quarantined", run__id__exact=obj.pk),
            link_to_list("stores", "revision", "Revisions", run__id__exact=obj.pk),
        )


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin):
    """The answers themselves are for the client that asks again."""

    list_display = ["key", "user", "status", instant("created_at")]
    search_fields = ["=key"]
    list_defer = ("headers", "body")
    list_select_related = ["user"]
    paginator = InfinitePaginator
    fields = ["key", "user", "status", "owner", "digest", instant("created_at")]


@admin.register(ImportedRecord)
class ImportedRecordAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "kind", "is_verified", column("run", link_to)]
    list_filter = ["kind", "is_verified"]
    search_fields = ["uid"]
    ordering = ["-id"]
    sortable_by = ["__str__"]
    list_defer = ("counts",)
    list_select_related = ["run"]
    paginator = InfinitePaginator
    fields = ["kind", "record", "run", "is_verified", pretty("counts"), "source_digest", "imported_hash"]

    @admin.display(description="record")
    def record(self, obj: ImportedRecord) -> SafeString | str:
        return link_to_record(obj.kind, obj.uid)


@admin.register(Quarantine)
class QuarantineAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "kind", "store", "reason", "is_json", column("run", link_to)]
    list_filter = ["kind", "store", "is_json"]
    search_fields = ["place", "reason", "uid"]
    list_defer = ("raw",)
    list_select_related = ["run"]
    downloads = {"raw": "txt"}
    fields = [
        *("kind", "place", "reason", whole("raw", label="raw text"), "is_json", "uid"),
        *("store", "collection", "owner_link", "position", "run", instant("created_at"), "raw_digest"),
    ]

    @admin.display(description="belongs to")
    def owner_link(self, obj: Quarantine) -> SafeString | str:
        app, model = MODEL_OF_KIND.get(_OWNER_OF_LIST.get((obj.store, obj.collection), ""), ("", ""))
        if not model or obj.owner is None:
            return obj.store
        url = reverse(f"admin:{app}_{model}_change", args=(obj.owner,))
        return format_html('<a class="bigagi-link" href="{}">The {} that contains it</a>', url, model)


_OWNER_OF_LIST = {
    ("app-chats", "messages"): "conversation",
    ("app-chats", "fragments"): "message",
    ("app-folders", "conversationIds"): "folder",
    ("agi-client-workspace", "liveFilesByWorkspace"): "workspace",
}
"""What has the list in which a quarantined member stands."""
