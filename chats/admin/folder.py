"""The admin of folders and of the chats in them."""

import re
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from chats.models import Conversation, Folder, FolderMembership
from chats.plain_titles import without_markdown
from chats.services import folders as services
from stores.admin.base import ReadOnlyAdmin
from stores.admin.display import (
    ROW_FACTS,
    column,
    folded,
    link_to,
    link_to_list,
    link_to_page,
    number,
    pretty,
    show_table,
)
from stores.admin.writes import ActingAdmin, admin_origin, named, read_form, tell_change


class FolderForm(forms.Form):
    """Rename a folder."""

    title = forms.CharField(label="Title", max_length=500)


def _show_colour(value: str) -> SafeString | str:
    # An attribute of SVG: a style would need a hole in the content security policy.
    mark = '<svg class="bigagi-swatch" aria-hidden="true"><rect width="100%" height="100%" fill="{}"/></svg>{}'
    return format_html(mark, value, value) if _HEX.fullmatch(value) else value


_HEX = re.compile(r"#[0-9a-fA-F]{3,8}")
COLOUR = column("color", _show_colour, label="colour")


def _with_conversation(queryset: QuerySet) -> QuerySet:
    """Add key and titles of the chat that a membership names, which may be missing."""
    named = Conversation.objects.filter(uid=OuterRef("conversation_uid"))
    return queryset.annotate(
        conversation_pk=Subquery(named.values("pk")[:1]),
        conversation_user_title=Subquery(named.values("user_title")[:1]),
        conversation_auto_title=Subquery(named.values("auto_title")[:1]),
    )


def _link_to_chat(row: Any) -> SafeString | str:
    title = without_markdown(row.conversation_user_title or row.conversation_auto_title or "")
    if row.conversation_pk is not None:
        title = title or "(untitled)"
    return link_to_page("chats", "conversation", row.conversation_pk, title or row.conversation_uid)


@admin.register(Folder)
class FolderAdmin(ActingAdmin):
    empty_text = "Folders appear here when you import a backup or make one on the chat page."
    list_display = ["__str__", "chats_number", COLOUR, number("position", label="place")]
    search_fields = ["title", "uid"]
    search_help_text = "Title or id"
    list_defer = ("extra",)
    change_form_outer_before_template = "admin/chats/folder/acts.html"
    fieldsets = [
        (None, {"fields": ["title", COLOUR, "all_chats", "chats"]}),
        folded("Internals", "uid", "position", pretty("extra"), *ROW_FACTS),
    ]

    def rename(self, request: HttpRequest, folder: Folder) -> str:
        """Give the folder another title."""
        patch = {"title": read_form(FolderForm(request.POST))["title"]}
        written = services.patch_folder(admin_origin(request), folder.uid, patch)
        tell_change(request, written.change, f"Renamed to {named(str(written.row))}")
        return self.page_of(folder)

    def delete(self, request: HttpRequest, folder: Folder) -> str:
        """Delete the folder; its chats stay."""
        change = services.delete_folder(admin_origin(request), folder.uid)
        tell_change(request, change, f"Deleted the folder {named(str(folder))}; its chats were kept")
        return self.list_page()

    acts = {"rename": rename, "delete": delete}

    def get_list_queryset(self, queryset: QuerySet) -> QuerySet:
        return queryset.annotate(number_of_chats=Count("memberships"))

    @admin.display(description="chats", ordering="number_of_chats")
    def chats_number(self, obj: Any) -> SafeString | str:
        return link_to_list("chats", "conversation", obj.number_of_chats, folder=obj.pk)

    @admin.display(description="as a list")
    def all_chats(self, obj: Folder) -> SafeString | str:
        return link_to_list("chats", "conversation", "The chats of this folder", folder=obj.pk)

    @admin.display(description="chats")
    def chats(self, obj: Folder) -> SafeString | str:
        rows = _with_conversation(obj.memberships.order_by("position"))[:1000]
        return show_table("Chats, in order", ["Place", "Chat"], [(row.position, _link_to_chat(row)) for row in rows])


CHAT_ID = column("conversation_uid", str, label="id of the chat", ordering=True)


@admin.register(FolderMembership)
class FolderMembershipAdmin(ReadOnlyAdmin):
    empty_text = (
        "Which chats a folder has, in their order. They come with an import, or when you move a chat to a folder."
    )
    list_display = ["chat", "folder_link", number("position", label="place"), CHAT_ID]
    list_display_links = [CHAT_ID]
    list_filter = ["folder"]
    search_fields = ["conversation_uid", "folder__title"]
    search_help_text = "Id of the chat, or title of the folder"
    list_select_related = ["folder"]
    ordering = ["-id"]
    fields = ["folder_link", "chat", CHAT_ID, number("position", label="place")]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return _with_conversation(super().get_queryset(request))

    @admin.display(description="chat")
    def chat(self, obj: FolderMembership) -> SafeString | str:
        return _link_to_chat(obj)

    @admin.display(description="folder")
    def folder_link(self, obj: FolderMembership) -> SafeString | str:
        return link_to(obj.folder)
