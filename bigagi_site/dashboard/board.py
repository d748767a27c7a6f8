"""Builds the dashboard from its parts."""

from datetime import timedelta
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from bigagi_site.dashboard.charts import SPANS, chart_spending, chart_tokens, find_span
from bigagi_site.dashboard.counting import read_counting
from bigagi_site.dashboard.database import describe_sizes, find_slowest_routes
from bigagi_site.dashboard.speed import read_speeds
from bigagi_site.dashboard.spending import find_expensive_models, link_to_calls, link_to_list_of_calls, read_month
from bigagi_site.dashboard.statistics import FoundStatistic, read_statistics
from bigagi_site.overview import Overview, describe_data
from chats.models import Conversation, Folder
from chats.pages.status import name_services
from chats.personas import DEFAULT, read_names
from metrics.budgets import read_budgets
from metrics.days import DAY, month_of, today
from metrics.models import LogEntry
from metrics.names import find_services
from metrics.series import zone_name
from stores.models import Change, MigrationRun, Quarantine, Store
from stores.records.formatting import format_moment
from workspace.models import LiveFile

NEWEST = 8
"""Chats, changes and warnings that the page lists."""


def add_overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Return the context of the admin's first page."""
    return context | {"title": "Dashboard"} | build_board(request)


def build_board(request: HttpRequest) -> dict[str, Any]:
    """Return what the dashboard shows; `?span=` chooses the days of its charts."""
    statistics = read_statistics()
    return {"now": timezone.now(), "statistics": statistics} | read_usage(request.GET.get("span")) | _data(statistics)


def read_usage(asked: str | None) -> dict[str, Any]:
    """Return what was used: all that grows with the ledger."""
    span = find_span(asked)
    services = [name for name in find_services() if name]
    names = name_services(services)
    month = read_month()
    _, after = month_of(month.first)
    last_first, _ = month_of(month.first - DAY)
    this_month = month.first, after - DAY
    return {
        "span": span.days,
        "spans": SPANS,
        "span_words": span.words,
        "zone": zone_name(),
        "month": month,
        "month_url": link_to_calls(*this_month),
        "last_month_url": link_to_calls(last_first, month.first - DAY),
        "last_so_far_url": link_to_calls(last_first, month.same_day - DAY),
        "failed_url": link_to_calls(*this_month, outcome="failed"),
        "unpriced_url": link_to_calls(*this_month, price="unpriced"),
        "budgets": read_budgets(),
        "services": services,
        "service_names": names,
        "counting": read_counting(),
        "charts": [chart_spending(span, names), chart_tokens(span)],
        "expensive_models": find_expensive_models(span.first, today()),
        "speeds": read_speeds(span.first, today())[:NEWEST],
    }


def _data(statistics: dict[str, FoundStatistic]) -> dict[str, Any]:
    overview = describe_data()
    personas = read_names()
    day_ago = timezone.now() - timedelta(days=1)
    return {
        "overview": overview,
        "database": describe_sizes(),
        "expensive_chats": _expensive_chats(statistics),
        "accounts": _accounts(statistics),
        "unpriced_of_year_url": _link_to_unpriced(statistics),
        "tables": _tables(statistics),
        "routes": find_slowest_routes(),
        "changes": Change.objects.defer("call")[:NEWEST],
        "warnings": LogEntry.objects.filter(at__gte=day_ago).defer("details", "exception")[:NEWEST],
        "tiles": _tiles(overview),
        "newest": [
            (chat, format_moment(chat.updated or chat.created), personas.get(chat.system_purpose_id or DEFAULT))
            for chat in Conversation.objects.only(
                "user_title", "auto_title", "user_symbol", "updated", "created", "system_purpose_id"
            )[:NEWEST]
        ],
    }


def _tiles(overview: Overview) -> list[tuple[str, int, str]]:
    """Return what is here: its name in the right number, how many, and the address of its list.

    With the size of all data they are twelve, which fill whole rows of 2, 3, 4 and 6."""
    counts: list[tuple[str, int, str]] = [
        ("chat", overview.chats, "chats_conversation"),
        ("message", overview.messages, "chats_message"),
        ("image", overview.images, "chats_asset"),
        ("folder", Folder.objects.count(), "chats_folder"),
        ("service", overview.services, "llms_service"),
        ("model", overview.models, "llms_model"),
        ("live file", LiveFile.objects.count(), "workspace_livefile"),
        ("store", Store.objects.count(), "stores_store"),
        ("import", MigrationRun.objects.count(), "stores_migrationrun"),
        ("change", overview.journal.entries, "stores_change"),
        ("damaged part", Quarantine.objects.count(), "stores_quarantine"),
    ]
    return [
        (name if count == 1 else f"{name}s", count, reverse(f"admin:{model}_changelist"))
        for name, count, model in counts
    ]


def _expensive_chats(statistics: dict[str, FoundStatistic]) -> list[dict[str, Any]]:
    """Return the chats that cost most, with their titles; None for one that is not here any more."""
    rows = statistics["expensive_chats"].figures or []
    chats = Conversation.objects.filter(uid__in=[row["conversation"] for row in rows])
    titles = {chat.uid: chat.title for chat in chats.only("uid", "user_title", "auto_title")}
    return [
        row
        | {
            "title": titles.get(row["conversation"]),
            "url": link_to_list_of_calls(conversation=row["conversation"]),
        }
        for row in rows
    ]


def _accounts(statistics: dict[str, FoundStatistic]) -> list[dict[str, Any]]:
    """Return the accounts of the services, with links to the messages that explain them, if any do."""
    rows = statistics["accounts"].figures or []
    return [row | {"url": _link_to_explained(row) if row.get("explains") else ""} for row in rows]


def _link_to_explained(row: dict[str, Any]) -> str:
    when = {} if row["until"] is None else {"when": f"..{row['until']}"}
    return link_to_list_of_calls(service=row["service"], source__exact="import", **when)


def _link_to_unpriced(statistics: dict[str, FoundStatistic]) -> str:
    """Return the address of the list of the calls of which `prices` says that they are unpriced."""
    start = (statistics["prices"].figures or {}).get("start", "")
    return link_to_list_of_calls(when=f"{start}..", price="unpriced")


def _tables(statistics: dict[str, FoundStatistic]) -> list[dict[str, Any]]:
    """Return the tables by size, with their rows as last counted, and links to the lists of their records."""
    sizes, rows = statistics["table_sizes"].figures, statistics["rows"].figures or {}
    models = {model._meta.db_table: model for model in apps.get_models() if admin.site.is_registered(model)}
    found = []
    for table in sizes["tables"] if sizes else ():
        model = models.get(table["table"])
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist" if model else ""
        found.append(table | {"rows": rows.get(table["table"]), "url": reverse(name) if name else ""})
    return found
