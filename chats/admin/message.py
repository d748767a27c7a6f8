"""The admin of messages and fragments."""

from typing import Any
from urllib.parse import quote

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Substr
from django.forms import Media
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.paginator import InfinitePaginator

from chats.admin.filters import CreatedFilter, FlagFilter, FragmentTypeFilter, RoleFilter
from chats.links import chat_page_path
from chats.models import Fragment, Message
from chats.personas import find_title
from chats.transcript import FLAGS, STOPS, read_turns
from llms.models import Model
from stores.admin.base import ReadOnlyAdmin
from stores.admin.display import (
    column,
    folded,
    link_to,
    link_to_list,
    link_to_page,
    moment,
    number,
    pretty,
    show_table,
    whole,
)
from stores.records.formatting import NOTHING, shorten
from stores.records.secrets import mask


def link_to_message(message: Message, text: object) -> SafeString:
    """Return a link to the message where it stands in its chat."""
    url = reverse("admin:chats_conversation_change", args=(message.conversation_id,))
    return format_html(
        '<a class="bigagi-link" href="{}?at={}#m-{}">{}</a>', url, message.position, message.position, text
    )


def _name_persona(uid: str) -> str:
    return str(mask(find_title(uid)))


PERSONA = column("purpose_id", _name_persona, label="persona")
MODEL = column("model_id", str, label="model", ordering=True)
STARTS = 450
"""Characters that are read for an excerpt: a reference to a secret can be cut only after the part that is shown."""


def _describe(message: Message) -> dict[str, Any]:
    """Return what the page of a message says first: the message as it reads, and where it stands."""
    chat = message.conversation
    around = chat.messages.order_by("position").values_list("pk", flat=True)
    place = reverse("admin:chats_conversation_change", args=(chat.pk,))
    return {
        "turn": read_turns([message])[0],
        "chat_url": f"{chat_page_path(chat.uid)}#{quote(message.uid, safe='')}",
        "place_url": f"{place}?at={message.position}#m-{message.position}",
        "previous": around.filter(position__lt=message.position).last(),
        "next": around.filter(position__gt=message.position).first(),
    }


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    """The list is not counted and is sorted by indexed columns only: it can have millions of rows."""

    empty_text = "Messages appear here when you import a backup or write on the chat page."
    list_display = [
        *("excerpt", "role", "chat", number("position", label="place", ordering=False)),
        *(MODEL, moment("created"), "flags"),
    ]
    list_filter = [RoleFilter, FlagFilter, CreatedFilter]
    search_fields = ["=uid", "=model_id", "=conversation__uid", "conversation__user_title", "conversation__auto_title"]
    search_help_text = "Title of the chat, or a whole id"
    sortable_by = [list_display[5]]
    ordering = ["-created"]
    list_defer = ("metadata", "metrics", "extra")
    list_select_related = ["conversation"]
    paginator = InfinitePaginator
    change_form_outer_before_template = "admin/chats/message/said.html"
    fieldsets = [
        (
            "About this message",
            {
                "fields": [
                    *("chat", "role", PERSONA, "model_link", "flags", "end"),
                    *(
                        number("token_count", label="tokens"),
                        moment("created"),
                        moment("updated", label="last change"),
                    ),
                    *("calls", "earlier"),
                ]
            },
        ),
        folded("Parts", "fragment_table"),
        folded(
            "Internals",
            *("uid", "position", "user_flags", "stop_reason", "pending_incomplete", "generator_kind", "generator_name"),
            *("vendor_id", "model_id", pretty("metrics"), pretty("metadata"), pretty("extra"), "content_hash"),
        ),
    ]

    @property
    def media(self) -> Media:
        return super().media + Media(css={"all": ["chats/transcript.css", "chats/highlight.css"]})

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("conversation")

    def get_list_queryset(self, queryset: QuerySet) -> QuerySet:
        # Of an answer that failed, what went wrong.
        shown = ("text", "error")
        texts = Fragment.objects.filter(message=OuterRef("pk"), ft="content", pt__in=shown).order_by("position")
        return queryset.annotate(start=Subquery(texts.annotate(start=Substr("text", 1, STARTS)).values("start")[:1]))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, unquote(object_id)) if object_id and request.method in ("GET", "HEAD") else None
        said = {} if row is None else _describe(row)
        return super().changeform_view(request, object_id, form_url, said | (extra_context or {}))

    @admin.display(description="text")
    def excerpt(self, obj: Any) -> str:
        return shorten(obj.start or "", 100) or "(no text)"

    @admin.display(description="flags")
    def flags(self, obj: Message) -> str:
        return ", ".join(FLAGS.get(flag, flag) for flag in (obj.user_flags or "").split()) or NOTHING

    @admin.display(description="how it ended")
    def end(self, obj: Message) -> str:
        if obj.stop_reason:
            return STOPS.get(obj.stop_reason, obj.stop_reason)
        return "cut off" if obj.pending_incomplete else "complete"

    @admin.display(description="calls")
    def calls(self, obj: Message) -> SafeString | str:
        return link_to_list("metrics", "usageevent", "Tokens and cost of its calls", q=obj.uid)

    @admin.display(description="chat")
    def chat(self, obj: Message) -> SafeString:
        return link_to_message(obj, shorten(obj.conversation.title, 60))

    @admin.display(description="model")
    def model_link(self, obj: Message) -> SafeString | str:
        key = Model.objects.filter(uid=obj.model_id).values_list("pk", flat=True).first() if obj.model_id else None
        return link_to_page("llms", "model", key, obj.model_id or "")

    @admin.display(description="parts")
    def fragment_table(self, obj: Message) -> SafeString | str:
        rows = obj.fragments.order_by("position").defer("part", "extra", "text")[:1000]
        return show_table(
            "Parts of this message",
            ["Place", "Part", "Title"],
            [(row.position, link_to(row), row.title) for row in rows],
        )

    @admin.display(description="earlier versions")
    def earlier(self, obj: Message) -> SafeString | str:
        uid = f"{obj.conversation.uid}/{obj.uid}"
        return link_to_list("stores", "revision", "Earlier versions of this message", kind="message", uid=uid)


@admin.register(Fragment)
class FragmentAdmin(ReadOnlyAdmin):
    """The list is not counted: looking for a text reads all of it."""

    empty_text = "A message consists of parts: texts, images, attachments, errors. They come with their messages."
    list_display = [
        *("excerpt", "__str__", "message_link", number("position", label="place", ordering=False)),
        column("title", str, label="title"),
    ]
    list_display_links = ["excerpt"]
    list_filter = [FragmentTypeFilter]
    search_fields = ["text", "title"]
    search_help_text = "Words of any text (can take long)"
    sortable_by = ["__str__"]
    ordering = ["-id"]
    list_defer = ("part", "extra", "text")
    paginator = InfinitePaginator
    downloads = {"text": "txt", "part": "json"}
    fieldsets = [
        (None, {"fields": [whole("text"), "title", "message_link", "position", "ft", "pt"]}),
        folded("Internals", "fid", whole("part", label="rest of the part"), pretty("extra")),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("message__conversation")

    def get_list_queryset(self, queryset: QuerySet) -> QuerySet:
        return queryset.annotate(start=Substr("text", 1, STARTS))

    @admin.display(description="text")
    def excerpt(self, obj: Any) -> str:
        return shorten(obj.start or "", 100) or "(no text)"

    @admin.display(description="message")
    def message_link(self, obj: Fragment) -> SafeString:
        text = f"{obj.message.role or 'message'} {obj.message.position} of {obj.message.conversation.title}"
        return link_to_message(obj.message, shorten(text, 60))
