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
    folded,
    instant,
    link_to,
    link_to_list,
    moment,
    pretty,
    show_status,
    size_of,
    whole,
    written,
    yes_no,
)
from stores.admin.filters import by_choice, by_value, by_yes_no
from stores.admin.record_links import KIND, owner_of_list, record_link
from stores.admin.undone_runs import UndoneRuns
from stores.admin.writes import ActingAdmin
from stores.importers.report import proof, run_report
from stores.models import (
    ImportedRecord,
    MigrationRun,
    Quarantine,
)
from stores.records.formatting import NOTHING
from stores.records.units import format_duration

KINDS = {"flash-backup": "full backup", "all-chats": "all chats", "one-chat": "one chat"}


def name_file_kind(kind: str) -> str:
    """Return in words what kind of file was imported."""
    return KINDS.get(kind, kind)


PURPOSE = column("purpose", lambda purpose: MigrationRun.Purpose(purpose).label, label="purpose", ordering=True)
BASED_ON = column("based_on", link_to, label="based on")
STATUS = column("status", show_status, label="status", ordering=True)
TABLES = (
    column("phases", run_page.show_phases, label="progress by phase"),
    column("counts", run_page.show_counts, label="records by kind"),
    column("notes", run_page.show_notes, label="notes"),
)
ERRORS = column("errors", run_page.show_errors, label="error log")


@admin.register(MigrationRun)
class MigrationRunAdmin(UndoneRuns, ActingAdmin):
    empty_text = (
        "Each import of a big-AGI backup is listed here with its report. To start one, see Import in the sidebar, or "
        "run: uv run manage.py import_indexeddb"
    )
    list_display = [
        *("__str__", PURPOSE, STATUS, column("source_kind", name_file_kind, label="kind of file", ordering=True)),
        *(
            size_of("source_size", label="size"),
            instant("started_at", label="started"),
            instant("finished_at", label="finished"),
        ),
    ]
    list_filter = [
        by_choice("purpose", "purpose"),
        by_choice("status", "status"),
        by_value("source_kind", "kind of file"),
    ]
    search_fields = ["source_name", "source_sha256"]
    search_help_text = "File name or SHA-256"
    list_defer = ("phases", "counts", "errors", "notes", "certificate", "checkpoint")
    downloads = {"certificate": "json"}
    fieldsets = [
        (None, {"fields": [PURPOSE, BASED_ON, STATUS, "phase", "verification", "report", "undo", *TABLES]}),
        ("Current status", {"fields": ["last_completed_task", "next_task", "blocked_by", ERRORS]}),
        (
            "File",
            {
                "fields": [
                    *(
                        column("source_name", str, label="name"),
                        column("source_kind", name_file_kind, label="kind of file"),
                    ),
                    *(size_of("source_size", label="size"), column("source_sha256", str, label="SHA-256")),
                    *(written("source_taken_at", label="written"), column("source_device", str, label="browser")),
                ]
            },
        ),
        (
            "Times and results",
            {
                "fields": [
                    *(instant("started_at", label="started"), instant("finished_at", label="finished")),
                    *("duration", "relatives"),
                ]
            },
        ),
        ("Certificate", {"fields": ["certificate_link", pretty("certificate")]}),
        folded("Internals", "pid", "owner", moment("lease_until"), "resumed", "position_base"),
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
        page = reverse("import-run", args=(obj.pk,))
        return format_html(
            '<a class="bigagi-link" href="{}">On the page of imports</a> · '
            '<a class="bigagi-link" href="{}" download>Download the report (JSON)</a>',
            *(page, url),
        )

    @admin.display(description="verification")
    def verification(self, obj: MigrationRun) -> str:
        return proof(obj)

    @admin.display(description="duration")
    def duration(self, obj: MigrationRun) -> str:
        took = obj.finished_at - obj.started_at if obj.finished_at else None
        return format_duration(took.total_seconds() * 1000 if took else None)

    @admin.display(description="download")
    def certificate_link(self, obj: MigrationRun) -> SafeString | str:
        if obj.certificate is None:
            return NOTHING
        url = reverse("admin:stores_migrationrun_download", args=(obj.pk, "certificate"))
        return format_html('<a class="bigagi-link" href="{}" download>Download the certificate (JSON)</a>', url)

    @admin.display(description="results")
    def relatives(self, obj: MigrationRun) -> SafeString:
        return format_html(
            "{} · {} · {} · {}",
            link_to_list("stores", "runrecord", "All records", run__id__exact=obj.pk),
            link_to_list("stores", "importedrecord", "Imported records", run__id__exact=obj.pk),
            link_to_list("stores", "quarantine", "Quarantined", run__id__exact=obj.pk),
            link_to_list("stores", "revision", "Earlier versions", run__id__exact=obj.pk),
        )


@admin.register(ImportedRecord)
class ImportedRecordAdmin(ReadOnlyAdmin):
    empty_text = "Every record that an import brings is listed here, with what became of it."
    list_display = ["__str__", KIND, yes_no("is_verified", label="verified"), column("run", link_to, label="import")]
    list_filter = [by_value("kind", "kind of record"), by_yes_no("is_verified", "verified")]
    search_fields = ["uid"]
    search_help_text = "Id of the record, or a part of it"
    ordering = ["-id"]
    sortable_by = ["__str__"]
    list_defer = ("counts", "base")
    list_select_related = ["run"]
    paginator = InfinitePaginator
    fieldsets = [
        (
            None,
            {
                "fields": [
                    *(KIND, record_link, column("run", link_to, label="import")),
                    *(yes_no("is_verified", label="verified"), pretty("counts")),
                ]
            },
        ),
        folded("Internals", "branch_of", "source_digest", "imported_hash", "merged_hash"),
    ]


@admin.register(Quarantine)
class QuarantineAdmin(ReadOnlyAdmin):
    empty_text = "Damaged parts of an import are kept here as raw text, and an export puts them back. There are none."
    list_display = [
        *("__str__", KIND, "store", "reason", yes_no("is_json", label="is JSON")),
        column("run", link_to, label="import"),
    ]
    list_filter = [by_value("kind", "kind of part"), by_value("store", "store"), by_yes_no("is_json", "is JSON")]
    search_fields = ["place", "reason", "uid"]
    search_help_text = "Place, reason or id"
    list_defer = ("raw",)
    list_select_related = ["run"]
    downloads = {"raw": "txt"}
    fieldsets = [
        (None, {"fields": [KIND, "place", "reason", whole("raw", label="raw text"), "owner_link"]}),
        folded(
            "Internals",
            *(yes_no("is_json", label="is JSON"), "uid", "store", "collection", "position"),
            *(column("run", link_to, label="import"), instant("created_at", label="kept since"), "raw_digest"),
        ),
    ]

    @admin.display(description="belongs to")
    def owner_link(self, obj: Quarantine) -> SafeString | str:
        model = owner_of_list(obj.store, obj.collection)
        if model is None or obj.owner is None:
            return obj.store
        url = reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_change", args=(obj.owner,))
        return format_html(
            '<a class="bigagi-link" href="{}">The {} that contains it</a>', url, model._meta.verbose_name
        )
