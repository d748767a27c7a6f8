"""The admin of stores and their revisions."""

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.paginator import InfinitePaginator

from stores.admin.base import ReadOnlyAdmin
from stores.admin.display import (
    ROW_FACTS,
    column,
    folded,
    instant,
    link_to,
    link_to_list,
    number,
    pretty,
    size_of,
    whole,
)
from stores.admin.filters import by_choice, by_value
from stores.admin.record_links import KIND, record_link
from stores.models import (
    Revision,
    Store,
)
from stores.querysets import read_as_text
from stores.records import secrets
from stores.records.formatting import NOTHING


@admin.register(Store)
class StoreAdmin(ReadOnlyAdmin):
    empty_text = (
        "big-AGI keeps its settings and other data in stores, such as app-ui. They come with an import, or when you "
        "change a setting here."
    )
    list_display = ["name", "shape", number("version"), number("revision"), instant("updated_at", label="last change")]
    list_filter = [by_choice("shape", "kind of value")]
    search_fields = ["name"]
    search_help_text = "Name, such as app-ui"
    list_defer = ("data", "extra")
    downloads = {"data": "json"}
    fieldsets = [
        (None, {"fields": ["name", whole("data"), "revisions"]}),
        folded("Internals", "shape", number("version"), pretty("extra"), number("revision"), *ROW_FACTS),
    ]

    @admin.display(description="earlier versions")
    def revisions(self, obj: Store) -> SafeString | str:
        return link_to_list("stores", "revision", "Earlier versions of this store", kind="store", uid=obj.name)


@admin.register(Revision)
class RevisionAdmin(ReadOnlyAdmin):
    empty_text = (
        "When a store changes, or an import finds a newer or different state of a record, the earlier one is kept here "
        "whole."
    )
    list_display = [
        *("__str__", KIND, "reason", size_of("size"), column("run", link_to, label="import", ordering=True)),
        instant("created_at", label="kept since"),
    ]
    list_filter = [by_choice("reason", "why it is kept"), by_value("kind", "kind of record")]
    search_fields = ["uid"]
    search_help_text = "Id of the record, or a part of it"
    list_defer = ("body",)
    list_select_related = ["run"]
    paginator = InfinitePaginator
    downloads = {"body": "json"}
    fieldsets = [
        (None, {"fields": [KIND, record_link, "reason", "as_text", instant("created_at", label="kept since")]}),
        ("As JSON", {"fields": [size_of("size"), whole("body")]}),
        folded("Internals", "content_hash", column("run", link_to, label="import")),
    ]

    @admin.display(description="as text")
    def as_text(self, obj: Revision) -> SafeString | str:
        """Show what a person reads in it: a chat that is kept aside can be read here."""
        text = read_as_text(obj)
        return format_html('<pre class="bigagi-text" x-ignore>{}</pre>', secrets.mask(text)) if text else NOTHING
