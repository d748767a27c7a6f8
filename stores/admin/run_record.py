"""The admin of what runs decided of each record."""

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.paginator import InfinitePaginator

from stores.admin.base import ReadOnlyAdmin
from stores.admin.difference import Manner, Room, show_operations
from stores.admin.display import column, folded, link_to, pretty, yes_no
from stores.admin.filters import by_value, by_yes_no
from stores.admin.record_links import KIND, record_link
from stores.importers.differences import OTHERWISE, difference_of
from stores.models import RunRecord
from stores.records.formatting import NOTHING


@admin.register(RunRecord)
class RunRecordAdmin(ReadOnlyAdmin):
    empty_text = "What each import made of each record is listed here, and what each preview says it would make of it."
    list_display = [
        *("named", KIND, "outcome", "reason"),
        *(yes_no("is_conflicting", label="in conflict"), yes_no("is_kept_aside", label="kept aside")),
        column("run", link_to, label="import"),
    ]
    list_filter = [
        *(by_value("outcome", "outcome"), by_value("kind", "kind of record")),
        *(by_yes_no("is_conflicting", "in conflict"), by_yes_no("is_kept_aside", "kept aside")),
        by_yes_no("is_branch", "a branch"),
    ]
    search_fields = ["=uid", "name"]
    search_help_text = "Name, or the whole id"
    ordering = ["-id"]
    list_display_links = ["named"]
    sortable_by = ["named"]
    list_defer = ("imported_before", "difference", "parts")
    list_select_related = ["run"]
    paginator = InfinitePaginator
    fieldsets = [
        (
            None,
            {
                "fields": [
                    *(column("run", link_to, label="import"), KIND, record_link, "outcome", "reason"),
                    *(yes_no("is_conflicting", label="in conflict"), yes_no("is_kept_aside", label="kept aside")),
                    *(yes_no("is_branch", label="a branch"), pretty("rules"), pretty("parts"), "shown_difference"),
                ]
            },
        ),
        folded("Internals", "uid"),
    ]

    @admin.display(description="record")
    def named(self, obj: RunRecord) -> str:
        return obj.name or obj.uid

    @admin.display(description="difference")
    def shown_difference(self, obj: RunRecord) -> SafeString | str:
        found = difference_of(obj)
        if not found.delta:
            return NOTHING
        told = "What the file has otherwise" if found.tells == OTHERWISE else "What changes here"
        return format_html(
            '<div class="bigagi-records" x-ignore hx-disable>'
            '<section class="bigagi-record"><h2>{}</h2>{}</section></div>',
            *(told, show_operations(found.delta, Manner(Room()))),
        )
