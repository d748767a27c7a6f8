"""The admin of pinned chats."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.safestring import SafeString

from chats.models import Conversation, PinnedChat
from chats.plain_titles import without_markdown
from stores.admin.base import ReadOnlyAdmin
from stores.admin.display import ROW_FACTS, link_to_page, moment, pretty

PINNED = moment("pinned")


@admin.register(PinnedChat)
class PinnedChatAdmin(ReadOnlyAdmin):
    empty_text = "Pin a chat from its menu on the chat page, and it is listed here."
    list_display: Any = ["chat", PINNED]
    # The chat is a link itself, and no link can stand in another one.
    list_display_links: Any = [PINNED]
    search_help_text = "Id of the chat"
    search_fields = ["uid"]
    ordering = ["-pinned"]
    list_defer = ("extra",)
    fields = ["chat", PINNED, "uid", pretty("extra"), *ROW_FACTS]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        chats = Conversation.objects.filter(uid=OuterRef("uid"))
        return (
            super()
            .get_queryset(request)
            .annotate(
                chat_pk=Subquery(chats.values("pk")[:1]),
                chat_user_title=Subquery(chats.values("user_title")[:1]),
                chat_auto_title=Subquery(chats.values("auto_title")[:1]),
            )
        )

    @admin.display(description="chat")
    def chat(self, obj: Any) -> SafeString | str:
        title = without_markdown(obj.chat_user_title or obj.chat_auto_title or "")
        if obj.chat_pk is not None:
            title = title or "(untitled)"
        return link_to_page("chats", "conversation", obj.chat_pk, title or obj.uid)
