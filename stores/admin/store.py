"""The admin of stores and their revisions."""

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.paginator import InfinitePaginator

from stores.admin.base import ReadOnlyAdmin
from stores.admin.display import ROW_FACTS, column, instant, link_to, link_to_list, pretty, size_of, whole
from stores.admin.record_links import record_link
from stores.models import (
    Revision,
    Store,
)
from stores.querysets import read_as_text
from stores.records import secrets
from stores.records.formatting import NOTHING


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
        *("__str__", "kind", "reason", size_of("size"), column("run", link_to, ordering=True), instant("created_at")),
    ]
    list_filter = ["reason", "kind"]
    search_fields = ["uid"]
    list_defer = ("body",)
    list_select_related = ["run"]
    paginator = InfinitePaginator
    downloads = {"body": "json"}
    fields = [
        *("kind", record_link, "reason", "as_text", whole("body"), size_of("size"), "content_hash", "run"),
        instant("created_at"),
    ]

    @admin.display(description="as text")
    def as_text(self, obj: Revision) -> SafeString | str:
        """Show what a person reads in it: a chat that is kept aside can be read here."""
        text = read_as_text(obj)
        return format_html('<pre class="bigagi-text" x-ignore>{}</pre>', secrets.mask(text)) if text else NOTHING
