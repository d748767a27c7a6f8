"""The settings of django-unfold: colours as on the other pages (`colors.css`), and the navigation of the admin."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy

_TEAL = {
    "50": "#f0f8f6",
    "100": "#e2efec",
    "200": "#c2e0da",
    "300": "#9ad8d1",
    "400": "#7cc7bf",
    "500": "#5aafa6",
    "600": "#24635f",
    "700": "#1b4d4a",
    "800": "#17403d",
    "900": "#143432",
    "950": "#0b2120",
}

_NAVIGATION: dict[str, list[tuple[str, ...]]] = {
    "Chats": [
        ("Conversations", "forum", "chats_conversation"),
        ("Messages", "chat_bubble", "chats_message"),
        ("Fragments", "segment", "chats_fragment"),
        ("Generations", "bolt", "chats_generation"),
        ("Generation events", "stream", "chats_generationevents"),
        ("Images and audio", "image", "chats_asset"),
        ("Pinned chats", "keep", "chats_pinnedchat"),
        ("Folders", "folder", "chats_folder"),
        ("Folder memberships", "folder_open", "chats_foldermembership"),
    ],
    "Models": [
        ("Services", "hub", "llms_service"),
        ("Models", "neurology", "llms_model"),
        ("Assignments", "assignment_turned_in", "llms_assignment"),
        ("Refused parameters", "block", "llms_refusedparameter"),
    ],
    "Usage": [
        ("Totals by service", "functions", "metrics_usagebaseline"),
        ("Totals from other browsers", "devices", "metrics_otherbaseline"),
        ("Calls", "receipt_long", "metrics_usageevent"),
        ("Usage by day", "calendar_month", "metrics_usageday"),
        ("Usage by day in detail", "calendar_view_day", "metrics_usagedaydetail"),
        ("Usage by quarter-hour", "schedule", "metrics_usagequarter"),
        ("Budgets", "savings", "metrics_budget"),
        ("Count resets", "restart_alt", "metrics_countingstart"),
        ("Time zone", "public", "metrics_zoneoffset"),
    ],
    "Workspace": [
        ("Workspaces", "workspaces", "workspace_workspace"),
        ("Live files", "draft", "workspace_livefile"),
        ("Files in workspaces", "attach_file", "workspace_workspacefile"),
    ],
    "Imports": [
        ("Migration runs", "move_to_inbox", "stores_migrationrun"),
        ("Imported records", "fact_check", "stores_importedrecord"),
        ("Quarantine", "report", "stores_quarantine"),
    ],
    "Changes": [
        ("Change journal", "history_edu", "stores_change"),
        ("Recently deleted", "restore_from_trash", "stores_change", "?happened=gone"),
        ("Changed records", "edit_note", "stores_changedrecord"),
    ],
    "Stores": [
        ("Stores", "database", "stores_store"),
        ("Revisions", "history", "stores_revision"),
        ("Secrets", "key", "stores_secret"),
        ("Key fingerprints", "fingerprint", "stores_keyfingerprint"),
        ("Store revisions", "tag", "stores_storecounter"),
        ("Idempotency keys", "repeat_one", "stores_idempotencykey"),
    ],
    "API": [
        ("Tokens", "vpn_key", "bigagi_site_token"),
        ("API requests", "swap_vert", "metrics_apirequest"),
        ("Warnings and errors", "warning", "metrics_logentry"),
        ("Dashboard figures", "monitoring", "bigagi_site_statistic"),
    ],
}


def build_navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the sidebar: the pages of the site, then the records of each app."""
    pages = [
        {"title": "Overview", "icon": "dashboard", "link": reverse_lazy("admin:index")},
        # Without `active`, unfold marks it on every page that has "/import" in its path.
        {"title": "How to import", "icon": "upload_file", "link": reverse_lazy("import"), "active": False},
    ]
    groups = [
        {
            "title": title,
            "separator": True,
            "collapsible": False,
            "items": [
                _link(request, name, icon, reverse(f"admin:{model}_changelist"), *query)
                for name, icon, model, *query in items
            ],
        }
        for title, items in _NAVIGATION.items()
    ]
    return [{"items": pages}, *groups]


def _link(request: HttpRequest, name: str, icon: str, address: str, query: str = "") -> dict[str, Any]:
    """Return an item of the sidebar. One with a query is a part of a list, and marked where it is that part alone."""
    item = {"title": name, "icon": icon, "link": address + query}
    return item | {"active": request.get_full_path() == item["link"]} if query else item


def site_colors(request: HttpRequest) -> str:
    """Return the address of the colours of all pages."""
    return static("bigagi/colors.css")


def admin_styles(request: HttpRequest) -> str:
    """Return the address of the style sheet of all admin pages."""
    return static("stores/admin.css")


def theme_script(request: HttpRequest) -> str:
    """Return the address of the script that applies the theme on all pages."""
    return static("bigagi/theme.js")


def site_icon(request: HttpRequest) -> str:
    """Return the address of the icon."""
    return static("bigagi/icon.svg")


UNFOLD = {
    "SITE_TITLE": "bigagi",
    "SITE_HEADER": "bigagi",
    "SITE_SUBHEADER": "every record",
    "SITE_URL": "/",
    "SITE_ICON": site_icon,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": site_icon}],
    # Nothing is edited here, so that there is no history of edits and nothing to view elsewhere.
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "COLORS": {"primary": _TEAL},
    "STYLES": [site_colors, admin_styles],
    "SCRIPTS": [theme_script],
    # One choice for all pages, under Settings.
    "THEME": "bigagi_site.display.admin_theme",
    "DASHBOARD_CALLBACK": "bigagi_site.dashboard.board.add_overview",
    "SIDEBAR": {"show_search": True, "show_all_applications": False, "navigation": build_navigation},
    "ACCOUNT": {
        "navigation": [
            {"title": "Account", "link": reverse_lazy("account")},
            {"title": "Theme and settings", "link": reverse_lazy("settings")},
        ]
    },
}
