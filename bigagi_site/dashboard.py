"""What the admin's first page shows."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from bigagi_site.overview import describe_data
from chats.models import Conversation, Folder
from stores.admin_display import format_moment
from stores.models import Quarantine, Store
from workspace.models import LiveFile

NEWEST = 8
"""Chats that the page lists."""


def add_overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Return the context of the admin's first page: what is here, where it lies, and the last import."""
    overview = describe_data()
    context["title"] = "Overview"
    context["overview"] = overview
    context["tiles"] = [
        ("chats", overview.chats, reverse("admin:chats_conversation_changelist")),
        ("messages", overview.messages, reverse("admin:chats_message_changelist")),
        ("images", overview.images, reverse("admin:chats_asset_changelist")),
        ("folders", Folder.objects.count(), reverse("admin:chats_folder_changelist")),
        ("services", overview.services, reverse("admin:llms_service_changelist")),
        ("models", overview.models, reverse("admin:llms_model_changelist")),
        ("live files", LiveFile.objects.count(), reverse("admin:workspace_livefile_changelist")),
        ("stores", Store.objects.count(), reverse("admin:stores_store_changelist")),
        ("changes", overview.journal.entries, reverse("admin:stores_change_changelist")),
        ("quarantined", Quarantine.objects.count(), reverse("admin:stores_quarantine_changelist")),
    ]
    context["newest"] = [
        (chat, format_moment(chat.updated or chat.created))
        for chat in Conversation.objects.only(
            "user_title", "auto_title", "user_symbol", "updated", "created", "system_purpose_id"
        )[:NEWEST]
    ]
    return context
