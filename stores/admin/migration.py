"""The admin of import runs, and of the records that they brought and kept aside."""

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.paginator import InfinitePaginator

from stores.admin import run_page
from stores.admin.base import ReadOnlyAdmin
from stores.admin.display import (
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
from stores.admin.record_links import owner_of_list, record_link
from stores.importers.report import proof, run_report
from stores.models import (
    ImportedRecord,
    MigrationRun,
    Quarantine,
)
from stores.records.formatting import NOTHING

STATUS = column("status", show_status, ordering=True)
TABLES = (
    column("phases", run_page.show_phases, label="progress by phase"),
    column("counts", run_page.show_counts, label="records by kind"),
    column("notes", run_page.show_notes),
)
ERRORS = column("errors", run_page.show_errors, label="error log")


@admin.register(MigrationRun)
class MigrationRunAdmin(ReadOnlyAdmin):
    list_display = [
        *("__str__", STATUS, "source_kind", size_of("source_size"), instant("started_at"), instant("finished_at")),
    ]
    list_filter = ["status", "source_kind"]
    search_fields = ["source_name", "source_sha256"]
    list_defer = ("phases", "counts", "errors", "notes", "certificate")
    downloads = {"certificate": "json"}
    fieldsets = [
        (None, {"fields": [STATUS, "phase", "verification", "report", *TABLES]}),
        ("Current status", {"fields": ["last_completed_task", "next_task", "blocked_by", ERRORS]}),
        (
            "Source",
            {
                "fields": [
                    *("source_name", "source_kind", size_of("source_size"), "source_sha256", "source_taken_at"),
                    "source_device",
                ]
            },
        ),
        (
            "Run",
            {
                "fields": [
                    *(instant("started_at"), instant("finished_at"), "duration", "pid", "owner"),
                    *(moment("lease_until"), "position_base", "relatives"),
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

    @admin.display(description="report")
    def report(self, obj: MigrationRun) -> SafeString:
        url = reverse("admin:stores_migrationrun_report", args=(obj.pk,))
        return format_html('<a class="bigagi-link" href="{}" download>Download the report (JSON)</a>', url)

    @admin.display(description="verification")
    def verification(self, obj: MigrationRun) -> str:
        return proof(obj)

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
    fields = ["kind", record_link, "run", "is_verified", pretty("counts"), "source_digest", "imported_hash"]


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
        model = owner_of_list(obj.store, obj.collection)
        if model is None or obj.owner is None:
            return obj.store
        url = reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_change", args=(obj.owner,))
        return format_html('<a class="bigagi-link" href="{}">The {} that contains it</a>', url, model._meta.model_name)
