"""The admin of the change journal: who changed what, the difference, the request, and an undo button."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.forms import Media
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.paginator import InfinitePaginator

from stores.admin.base import ReadOnlyAdmin
from stores.admin.calls import call_of
from stores.admin.difference import Room, show_difference
from stores.admin.display import (
    column,
    duration,
    folded,
    instant,
    link_to,
    link_to_list,
    number,
    size_of,
    whole,
    yes_no,
)
from stores.admin.filters import by_choice, by_date
from stores.admin.journal_filters import ActionFilter, ActorFilter, KindFilter, OutcomeFilter
from stores.admin.record_links import KIND, link_to_records, record_link
from stores.admin.writes import ActingAdmin, admin_origin, tell_change
from stores.importers.words import name_kind
from stores.models import Change, ChangedRecord, StoreCounter
from stores.records.formatting import NOTHING, format_text, shorten
from stores.records.journal.purge import size_of_journal
from stores.records.jsontext import UndecodableJSON, decode
from stores.records.secrets import mask
from stores.records.undoing import close_abandoned, tell_run, undo

SHOWN_RECORDS = 50
"""Records whose difference the page of a change shows."""


@admin.register(Change)
class ChangeAdmin(ActingAdmin):
    empty_text = "Every change is listed here, whatever made it, and can be undone."
    list_display = [
        *("what", instant("at", label="when"), "source", "actor"),
        *(number("record_count", label="records"), size_of("size", label="kept for undo"), number("id", label="no.")),
    ]
    list_display_links = ["what"]
    list_filter = [
        OutcomeFilter,
        by_choice("source", "where it was made"),
        ActionFilter,
        ActorFilter,
        KindFilter,
        by_date("at", "time"),
    ]
    # Any one field: what a search looks through is told in `get_search_results`.
    search_fields = ["request_id"]
    search_help_text = "Words of the summary, or a whole id"
    list_defer = ("call",)
    list_before_template = "admin/stores/change/size.html"
    fieldsets = [
        (
            None,
            {
                "fields": [
                    *("summary_text", "action", instant("at", label="when"), "source", "actor"),
                    *("undoes_link", "undone_by", "take_it_back", "difference"),
                ]
            },
        ),
        ("As an API request", {"fields": ["call_as_curl"]}),
        folded(
            "Internals",
            *("request_link", column("run", link_to, label="import"), "stores", "record_list"),
            *(size_of("size", label="kept for undo"), duration("duration_ms", label="duration")),
            yes_no("is_purged", label="undo data deleted"),
        ),
    ]

    @property
    def media(self) -> Media:
        return super().media + Media(js=["stores/copy.js"])

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        if not search_term:
            return queryset, False
        with_record = ChangedRecord.objects.filter(uid=search_term).order_by().values("change")
        found = Q(request_id=search_term) | Q(pk__in=with_record) | Q(summary__icontains=search_term)
        return queryset.filter(found), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"journal": size_of_journal(), **(extra_context or {})})

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Change | None:
        change = super().get_object(request, object_id, from_field)
        if change is not None:
            # A call names this server as the reader does.
            change.base_url = request.build_absolute_uri("/")[:-1]
        return change

    def take_back(self, request: HttpRequest, change: Change) -> str:
        """Undo the change."""
        close_abandoned(change.pk)
        undone = undo(admin_origin(request), change.pk)
        tell_change(request, undone, f"Undone: {change}")
        return self.page_of(undone or change)

    acts = {"undo": take_back}

    @admin.display(description="action", ordering="action")
    def what(self, obj: Change) -> str:
        return shorten(str(obj), 80)

    @admin.display(description="summary")
    def summary_text(self, obj: Change) -> str:
        return shorten(obj.summary, 500) or NOTHING

    @admin.display(description="records")
    def difference(self, obj: Change) -> SafeString | str:
        records = list(obj.records.order_by("pk")[:SHOWN_RECORDS])
        rest = obj.record_count - len(records)
        link = link_to_list("stores", "changedrecord", f"All {obj.record_count} records", change__id__exact=obj.pk)
        more = format_html("<p>First {} records. {}</p>", len(records), link) if rest > 0 else ""
        return format_html("{}{}", more, show_records(records))

    @admin.display(description="undo")
    def take_it_back(self, obj: Change) -> SafeString | str:
        if obj.source == Change.Source.IMPORT:
            return self._to_run(obj)
        if obj.is_purged:
            return "This cannot be undone: the data it needs was permanently deleted."
        return format_html(
            '<button class="bigagi-button" type="submit" form="bigagi-post" formaction="{}">Undo this change</button>',
            reverse("admin:stores_change_act", args=(obj.pk, "undo")),
        )

    @staticmethod
    def _to_run(obj: Change) -> SafeString | str:
        if obj.run_id is None:
            return tell_run(obj)
        url = reverse("admin:stores_migrationrun_undo", args=(obj.run_id,))
        return format_html(
            'An import is undone as a whole, by its run. <a class="bigagi-link" href="{}">Undo run {}</a>',
            *(url, obj.run_id),
        )

    @admin.display(description="as curl")
    def call_as_curl(self, obj: Any) -> SafeString | str:
        call = call_of(obj, getattr(obj, "base_url", ""))
        if call is None:
            return "No single API request does the same."
        notes = ["The change was not made over the API; this request does the same."] if call.is_equivalent else []
        return format_html(
            '<div class="bigagi-call"><pre class="bigagi-block" id="call" tabindex="0" aria-label="The call">{}</pre>'
            '<p><button class="bigagi-button" type="button" data-copy="call">Copy</button> '
            '<span class="bigagi-note" role="status" data-copied></span></p>{}</div>',
            format_text(call.text),
            format_html_join("", '<p class="bigagi-note">{}</p>', ((note,) for note in [*notes, *call.notes])),
        )

    @admin.display(description="request id")
    def request_link(self, obj: Change) -> SafeString | str:
        if not obj.request_id:
            return NOTHING
        return link_to_list("stores", "change", obj.request_id, q=obj.request_id)

    @admin.display(description="undone by")
    def undone_by(self, obj: Change) -> SafeString | str:
        links = ((link_to(change, f"Change {change.pk}"),) for change in obj.undone_by.order_by("pk"))
        return format_html_join(", ", "{}", links) or NOTHING

    @admin.display(description="all records")
    def record_list(self, obj: Change) -> SafeString | str:
        return link_to_list("stores", "changedrecord", f"List of {obj.record_count}", change__id__exact=obj.pk)

    @admin.display(description="undoes")
    def undoes_link(self, obj: Change) -> SafeString | str:
        return link_to(obj.undoes)


@admin.register(ChangedRecord)
class ChangedRecordAdmin(ReadOnlyAdmin):
    """The list is not counted: an import brings as many as it has records."""

    empty_text = "Every record that a change creates, updates or deletes is listed here."
    list_display = ["__str__", KIND, "action", column("change", link_to)]
    list_filter = [by_choice("action", "what happened")]
    search_fields = ["=uid"]
    search_help_text = "The whole id of the record"
    ordering = ["-id"]
    sortable_by = ["__str__"]
    list_defer = ("body",)
    list_select_related = ["change"]
    paginator = InfinitePaginator
    downloads = {"body": "json"}
    fieldsets = [
        (None, {"fields": [column("change", link_to), KIND, record_link, "action", "difference"]}),
        folded("Internals", whole("body", label="data for undo"), "position", "hash_before", "hash_after"),
    ]

    @admin.display(description="difference")
    def difference(self, obj: ChangedRecord) -> SafeString | str:
        return show_records([obj])


@admin.register(StoreCounter)
class StoreCounterAdmin(ReadOnlyAdmin):
    empty_text = "Stores that are kept as rows, such as app-chats, get a counter here with their first change."
    list_display = ["name", number("revision")]
    search_fields = ["name"]
    search_help_text = "Name, such as app-chats"
    fields = ["name", "revision"]


_BADGES = {"created": "good", "updated": "busy", "deleted": "bad"}


def show_records(records: list[ChangedRecord]) -> SafeString | str:
    """Return records of a change, each with a link to its page and what happened to it."""
    links = link_to_records((record.kind, record.uid) for record in records)
    bodies, room = mask([_decode(record.body) for record in records]), Room()
    sections = (
        (
            name_kind(record.kind),
            links[record.kind, record.uid],
            _BADGES.get(record.action, "idle"),
            record.action,
            _links_of(record),
            show_difference(record, body, room),
        )
        for record, body in zip(records, bodies, strict=True)
    )
    shown = format_html_join(
        "",
        '<section class="bigagi-record"><h2>{} {} <span class="bigagi-badge bigagi-{}">{}</span></h2>{}{}</section>',
        sections,
    )
    return format_html('<div class="bigagi-records" x-ignore hx-disable>{}</div>', shown) if shown else NOTHING


def _links_of(record: ChangedRecord) -> SafeString | str:
    """Return links to the record's history, and to its part of the change as a file."""
    history = link_to_list("stores", "change", "History", q=record.uid)
    if record.body is None:
        return format_html('<p class="bigagi-note">{}</p>', history)
    url = reverse("admin:stores_changedrecord_download", args=(record.pk, "body"))
    return format_html(
        '<p class="bigagi-note">{} · <a class="bigagi-link" href="{}" download>Download (JSON)</a></p>', history, url
    )


def _decode(text: str | None) -> Any:
    try:
        return None if text is None else decode(text)
    except UndecodableJSON:
        return text
