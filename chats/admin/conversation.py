"""The admin of conversations: a conversation's page reads as a chat."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Case, CharField, Count, F, IntegerField, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.http import urlencode

from chats.admin.filters import ArchivedFilter, ChangedFilter, FolderFilter, RunFilter
from chats.exports.chat_files import MOST_IDS
from chats.generations.abandoned import close_abandoned_in
from chats.links import chat_page_path
from chats.models import Conversation, Folder, Message
from chats.pages.chat import find_chat
from chats.personas import find_title, read_names
from chats.querysets import branches_of, root_of
from chats.services import conversations as services
from chats.services.pins import pin_one
from chats.transcript import page_at, read_page
from stores.admin.display import moment, number
from stores.admin.filters import by_value
from stores.admin.writes import ActingAdmin, admin_origin, named, read_form, tell_change
from stores.importers.provenance import provenance_of
from stores.records.formatting import NOTHING, format_json, format_moment
from stores.records.ids import href
from stores.records.secrets import mask
from stores.records.units import format_count
from workspace.models import LiveFile, WorkspaceFile

EXPORTS = [("html", "Web page"), ("markdown", "Markdown"), ("json", "JSON"), ("zip", "Zip with the images")]


class TitleForm(forms.Form):
    """Rename a chat. Without a title from the owner, the automatic one is shown."""

    title = forms.CharField(label="Title", max_length=500, required=False)


@admin.register(Conversation)
class ConversationAdmin(ActingAdmin):
    empty_text = "Chats appear here when you import a big-AGI backup, or write your first message on the chat page."
    list_display = [
        *("title", "persona", number("number_of_messages", label="messages")),
        *(moment("updated", label="last change"), moment("created"), "archived"),
    ]
    list_filter = [ArchivedFilter, FolderFilter, ChangedFilter, RunFilter, by_value("system_purpose_id", "persona")]
    search_fields = ["user_title", "auto_title", "uid", "system_purpose_id"]
    search_help_text = "Title, persona or id"
    list_defer = ("extra",)
    actions: Any = ["export_chats", "pin_chats", "unpin_chats", "archive_chats", "unarchive_chats", "delete_chats"]

    @admin.action(description="Export as a zip", permissions=["view"])
    def export_chats(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        uids = list(queryset.order_by("position", "pk").values_list("uid", flat=True)[: MOST_IDS + 1])
        if len(uids) > MOST_IDS:
            messages.error(request, f"Up to {MOST_IDS} chats can be exported at once. Export all from the chat page.")
            return None
        asked = urlencode([("as", "zip"), *(("id", uid) for uid in uids)])
        return HttpResponseRedirect(f"{reverse('chats:conversation-export')}?{asked}")

    @admin.action(description="Pin", permissions=["view"])
    def pin_chats(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._change_many(request, queryset, "pin", partial(pin_one, is_pinned=True))

    @admin.action(description="Unpin", permissions=["view"])
    def unpin_chats(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._change_many(request, queryset, "unpin", partial(pin_one, is_pinned=False))

    @admin.action(description="Archive", permissions=["view"])
    def archive_chats(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._change_many(request, queryset, "archive", partial(services.archive_one, is_archived=True))

    @admin.action(description="Unarchive", permissions=["view"])
    def unarchive_chats(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._change_many(request, queryset, "unarchive", partial(services.archive_one, is_archived=False))

    @admin.action(description="Delete", permissions=["view"])
    def delete_chats(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._change_many(request, queryset, "delete", services.delete_one)

    def _change_many(
        self, request: HttpRequest, queryset: QuerySet, action: str, change: Callable[[Any, Conversation], None]
    ) -> None:
        uids = list(queryset.order_by("position", "pk").values_list("uid", flat=True))
        if action == "delete":
            close_abandoned_in(uids)
        entry, missing = services.change_many(admin_origin(request), f"{action} chats", uids, change)
        count = entry.record_count if entry else 0
        tell_change(request, entry, f"{_DONE[action]} {count} of {format_count(len(uids), 'chat')}")
        if missing:
            messages.warning(request, f"{len(missing)} of them were already deleted.")

    def rename(self, request: HttpRequest, chat: Conversation) -> str:
        """Set or remove the owner's title of the chat."""
        patch = {"userTitle": read_form(TitleForm(request.POST))["title"] or None}
        written = services.patch_chat(admin_origin(request), chat.uid, patch)
        tell_change(request, written.change, f"Renamed to {named(written.row.title)}")
        return self.page_of(chat)

    def archive(self, request: HttpRequest, chat: Conversation, *, is_archived: bool = True) -> str:
        """Archive or unarchive the chat."""
        written = services.patch_chat(admin_origin(request), chat.uid, {"isArchived": is_archived})
        done = "Archived" if is_archived else "Unarchived"
        tell_change(request, written.change, f"{done}: {named(chat.title)}")
        return self.page_of(chat)

    def unarchive(self, request: HttpRequest, chat: Conversation) -> str:
        """Unarchive the chat."""
        return self.archive(request, chat, is_archived=False)

    def delete(self, request: HttpRequest, chat: Conversation) -> str:
        """Delete the chat; the journal keeps it."""
        close_abandoned_in([chat.uid])
        change = services.delete_chat(admin_origin(request), chat.uid)
        tell_change(request, change, f"Deleted {named(chat.title)}")
        return self.list_page()

    acts = {"rename": rename, "archive": archive, "unarchive": unarchive, "delete": delete}

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.find_view)
        return [path("of/<str:chat>/", view, name="chats_conversation_of"), *super().get_urls()]

    def find_view(self, request: HttpRequest, chat: str) -> HttpResponse:
        """Lead to the page of the chat with this id: the chat page knows no other key of it."""
        return redirect(self.page_of(find_chat(chat)))

    def get_list_queryset(self, queryset: QuerySet) -> QuerySet:
        own = Message.objects.filter(conversation=OuterRef("pk")).order_by().values("conversation")
        counted = Subquery(own.annotate(number=Count("pk")).values("number"), output_field=IntegerField())
        names = [When(system_purpose_id=uid, then=Value(name)) for uid, name in read_names().items()]
        named = Case(*names, default=F("system_purpose_id"), output_field=CharField())
        return queryset.annotate(number_of_messages=Coalesce(counted, 0), persona_name=named)

    @admin.display(description="title", ordering=Coalesce("user_title", "auto_title"))
    def title(self, obj: Conversation) -> str:
        return f"{obj.user_symbol} {obj.title}" if obj.user_symbol else obj.title

    @admin.display(description="persona", ordering="persona_name")
    def persona(self, obj: Any) -> str:
        return obj.persona_name or NOTHING

    @admin.display(description="archived", ordering="is_archived")
    def archived(self, obj: Conversation) -> str:
        return "archived" if obj.is_archived else "–"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        conversation = self.get_object(request, unquote(object_id))
        if conversation is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if request.method not in ("GET", "HEAD") or not self.has_view_permission(request, conversation):
            raise PermissionDenied
        page = read_page(conversation, _asked_page(request))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": conversation,
            "title": "Chat",
            "subtitle": conversation.title,
            "chat_url": chat_page_path(conversation.uid),
            "conversation": conversation,
            "persona": mask(find_title(conversation.system_purpose_id)),
            "page": page,
            "created": format_moment(conversation.created),
            "updated": format_moment(conversation.updated),
            "extra": format_json(conversation.extra) if conversation.extra else "",
            "folders": Folder.objects.filter(memberships__conversation_uid=conversation.uid).only("title", "color"),
            "files": _files_of(conversation),
            "root": root_of(conversation),
            "branches": branches_of(conversation),
            "provenance": provenance_of("conversation", conversation.uid),
            "export_address": href("chats", conversation.uid, "export"),
            "exports": EXPORTS,
            **(extra_context or {}),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/chats/conversation/chat.html", context)


_DONE = {"archive": "Archived", "unarchive": "Unarchived", "delete": "Deleted", "pin": "Pinned", "unpin": "Unpinned"}


def _asked_page(request: HttpRequest) -> int:
    """Return the requested page, by its number or by a message's position."""
    at, number = request.GET.get("at", ""), request.GET.get("page", "")
    if at.isdecimal() and len(at) < 12:
        return page_at(int(at))
    return int(number) if number.isdecimal() and len(number) < 12 else 1


def _files_of(conversation: Conversation) -> list[tuple[str, LiveFile | None]]:
    """Return the ids in the conversation's workspace with their files; None where the file is missing."""
    listed = WorkspaceFile.objects.filter(workspace__uid=conversation.uid).order_by("position")
    uids = list(listed.values_list("file_uid", flat=True)[:500])
    found = {file.uid: file for file in LiveFile.objects.filter(uid__in=uids).only("uid", "name")}
    return [(uid, found.get(uid)) for uid in uids]
