"""The admin of messages and fragments."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Substr
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.paginator import InfinitePaginator

from chats.admin.filters import CreatedFilter, FlagFilter, FragmentTypeFilter, RoleFilter
from chats.models import Fragment, Message
from llms.models import Model
from stores.admin.base import ReadOnlyAdmin
from stores.admin.display import link_to, link_to_list, link_to_page, moment, pretty, show_table, whole
from stores.records.formatting import shorten


def link_to_message(message: Message, text: object) -> SafeString:
    """Return a link to the message where it stands in its chat."""
    url = reverse("admin:chats_conversation_change", args=(message.conversation_id,))
    return format_html(
        '<a class="bigagi-link" href="{}?at={}#m-{}">{}</a>', url, message.position, message.position, text
    )


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    """The list is not counted and is sorted by indexed columns only: it can have millions of rows."""

    list_display = ["__str__", "chat", "position", "role", "model_id", moment("created"), "user_flags"]
    list_filter = [RoleFilter, FlagFilter, CreatedFilter]
    search_fields = ["=uid", "=model_id", "=conversation__uid", "conversation__user_title", "conversation__auto_title"]
    sortable_by = [list_display[5]]
    ordering = ["-created"]
    list_defer = ("metadata", "metrics", "extra")
    list_select_related = ["conversation"]
    paginator = InfinitePaginator
    fieldsets = [
        (None, {"fields": ["uid", "chat", "role", "position", "purpose_id", "fragment_table"]}),
        ("State", {"fields": ["user_flags", "stop_reason", "pending_incomplete", "token_count"]}),
        ("Times", {"fields": [moment("created"), moment("updated")]}),
        ("Generator", {"fields": ["generator_kind", "generator_name", "vendor_id", "model_link", pretty("metrics")]}),
        ("Details", {"fields": [pretty("metadata"), pretty("extra"), "content_hash", "earlier"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("conversation")

    @admin.display(description="chat")
    def chat(self, obj: Message) -> SafeString:
        return link_to_message(obj, shorten(obj.conversation.title, 60))

    @admin.display(description="model")
    def model_link(self, obj: Message) -> SafeString | str:
        key = Model.objects.filter(uid=obj.model_id).values_list("pk", flat=True).first() if obj.model_id else None
        return link_to_page("llms", "model", key, obj.model_id or "")

    @admin.display(description="fragments")
    def fragment_table(self, obj: Message) -> SafeString | str:
        rows = obj.fragments.order_by("position").defer("part", "extra", "text")[:1000]
        return show_table(
            "Fragments",
            ["Place", "Fragment", "Title"],
            [(row.position, link_to(row), row.title) for row in rows],
        )

    @admin.display(description="earlier versions")
    def earlier(self, obj: Message) -> SafeString | str:
        uid = f"{obj.conversation.uid}/{obj.uid}"
        return link_to_list("stores", "revision", "Earlier versions of this message", kind="message", uid=uid)


@admin.register(Fragment)
class FragmentAdmin(ReadOnlyAdmin):
    """The list is not counted: looking for a text reads all of it."""

    list_display = ["__str__", "excerpt", "message_link", "position", "title"]
    list_filter = [FragmentTypeFilter]
    search_fields = ["text", "title"]
    search_help_text = "Searches every text: slow in a large database."
    sortable_by = ["__str__"]
    ordering = ["-id"]
    list_defer = ("part", "extra", "text")
    paginator = InfinitePaginator
    downloads = {"text": "txt", "part": "json"}
    fields = [
        *("message_link", "position", "ft", "pt", "title", "fid"),
        *(whole("text"), whole("part", label="rest of the part"), pretty("extra")),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("message__conversation")

    def get_list_queryset(self, queryset: QuerySet) -> QuerySet:
        # Long enough that a masked reference to a secret can be cut only after the shown part.
        return queryset.annotate(start=Substr("text", 1, 450))

    @admin.display(description="text")
    def excerpt(self, obj: Any) -> str:
        return shorten(obj.start or "", 100) or "–"

    @admin.display(description="message")
    def message_link(self, obj: Fragment) -> SafeString:
        text = f"{obj.message.role or 'message'} {obj.message.position} of {obj.message.conversation.title}"
        return link_to_message(obj.message, shorten(text, 60))
