"""The navigation of the admin: its sidebar, and the path to a page in its heading.

A list is called the same everywhere, by the plural name of its model."""

from functools import cache
from typing import Any

from django.apps import apps
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst

INTERNALS = "Internals"
"""What bigagi keeps for itself: closed until somebody opens it."""

GROUPS: dict[str, list[tuple[str, str]]] = {
    "Chats": [
        ("forum", "chats.Conversation"),
        ("chat_bubble", "chats.Message"),
        ("folder", "chats.Folder"),
        ("image", "chats.Asset"),
        ("draft", "workspace.LiveFile"),
    ],
    "Models": [
        ("hub", "llms.Service"),
        ("neurology", "llms.Model"),
        ("assignment_turned_in", "llms.Assignment"),
    ],
    "Usage": [
        ("receipt_long", "metrics.UsageEvent"),
        ("calendar_month", "metrics.UsageDay"),
        ("functions", "metrics.UsageBaseline"),
        ("savings", "metrics.Budget"),
        ("restart_alt", "metrics.CountingStart"),
    ],
    "Imports": [
        ("move_to_inbox", "stores.MigrationRun"),
        ("checklist", "stores.RunRecord"),
        ("fact_check", "stores.ImportedRecord"),
    ],
    "Changes": [
        ("history_edu", "stores.Change"),
        ("history", "stores.Revision"),
    ],
    "Settings": [
        ("database", "stores.Store"),
        ("key", "stores.Secret"),
        ("vpn_key", "bigagi_site.Token"),
    ],
    INTERNALS: [
        ("warning", "metrics.LogEntry"),
        ("swap_vert", "metrics.ApiRequest"),
        ("report", "stores.Quarantine"),
        ("edit_note", "stores.ChangedRecord"),
        ("segment", "chats.Fragment"),
        ("folder_open", "chats.FolderMembership"),
        ("keep", "chats.PinnedChat"),
        ("workspaces", "workspace.Workspace"),
        ("attach_file", "workspace.WorkspaceFile"),
        ("bolt", "chats.Generation"),
        ("stream", "chats.GenerationEvents"),
        ("block", "llms.RefusedParameter"),
        ("calendar_view_day", "metrics.UsageDayDetail"),
        ("schedule", "metrics.UsageQuarter"),
        ("devices", "metrics.OtherBaseline"),
        ("public", "metrics.ZoneOffset"),
        ("fingerprint", "stores.KeyFingerprint"),
        ("tag", "stores.StoreCounter"),
        ("repeat_one", "stores.IdempotencyKey"),
        ("monitoring", "bigagi_site.Statistic"),
    ],
}

DELETED = "?happened=gone"
"""The part of the list of changes that says what was deleted and can be restored."""


def build_navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the sidebar: the pages of the site, then the lists by what they are for."""
    pages = [
        {"title": "Dashboard", "icon": "dashboard", "link": reverse("admin:index")},
        # Without `active`, unfold marks each page whose address has this one in it.
        {"title": "Home", "icon": "home", "link": reverse("home"), "active": False},
        {"title": "Chat", "icon": "edit_square", "link": reverse("chat-page"), "active": False},
        {"title": "Import", "icon": "upload_file", "link": reverse("import"), "active": False},
    ]
    groups: list[dict[str, Any]] = [
        {
            "title": title,
            "separator": True,
            "collapsible": title == INTERNALS,
            "items": [_item(icon, label) for icon, label in items],
        }
        for title, items in GROUPS.items()
    ]
    deleted = reverse("admin:stores_change_changelist") + DELETED
    is_there = request.get_full_path() == deleted
    preferences = {"title": "Chat and site settings", "icon": "settings", "link": reverse("settings"), "active": False}
    trash = {"title": "Recently deleted", "icon": "restore_from_trash", "link": deleted, "active": is_there}
    for title, place, item in (("Settings", 0, preferences), ("Changes", 1, trash)):
        next(group for group in groups if group["title"] == title)["items"].insert(place, item)
    return [{"items": pages}, *groups]


def _item(icon: str, label: str) -> dict[str, Any]:
    options = apps.get_model(label)._meta
    link = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
    return {"title": capfirst(str(options.verbose_name_plural)), "icon": icon, "link": link}


@cache
def _groups_by_list() -> dict[str, str]:
    return {label.lower().replace(".", "_"): title for title, items in GROUPS.items() for _, label in items}


def find_group(url_name: str | None) -> str:
    """Return the group of the sidebar to which a page of a list or of a record belongs; empty: to none."""
    return _groups_by_list().get((url_name or "").rpartition("_")[0], "")
