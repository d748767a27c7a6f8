"""The dashboard's slow figures, and how they are calculated. Each is plain JSON."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import Count, Sum

from metrics.days import DAY, start_of, today
from metrics.ledger.rollups import find_differences
from metrics.ledger.triggers import find_missing_triggers
from metrics.models import UsageEvent
from metrics.reconciliation import counts_anything, reconcile
from metrics.repricing import reprice

MOST = 8


@dataclass(frozen=True)
class Finder:
    """How figures are found, and how old they may grow while somebody looks."""

    find: Callable[[], Any]
    every: timedelta


def find_expensive_chats() -> list[dict[str, Any]]:
    """Return the chats that cost most in all, with their calls; not their titles, which would stay behind here when a
    chat is deleted for good."""
    events = UsageEvent.objects.exclude(source=UsageEvent.Source.TEST).exclude(conversation="")
    rows = (
        events.values("conversation")
        .order_by()
        .annotate(nano_usd=Sum("cost_nano_usd"), calls=Sum("calls"))
        .filter(nano_usd__gt=0)
        .order_by("-nano_usd")[:MOST]
    )
    return [dict(row) for row in rows]


_TABLE_SIZES = {
    "sqlite": "SELECT coalesce(m.tbl_name, d.name), sum(d.pgsize) FROM dbstat d"
    " LEFT JOIN sqlite_master m ON m.name = d.name WHERE d.aggregate = TRUE GROUP BY 1",
    "postgresql": "SELECT relname, pg_total_relation_size(oid) FROM pg_class"
    " WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace",
}


def find_table_sizes() -> dict[str, Any]:
    """Return bytes by table, indexes included, and by app."""
    with connection.cursor() as cursor:
        cursor.execute(_TABLE_SIZES[connection.vendor])
        sizes: dict[str, int] = dict(cursor.fetchall())
    owners = {model._meta.db_table: model._meta.app_label for model in apps.get_models(include_auto_created=True)}
    tables: list[dict[str, Any]] = [
        {"table": table, "app": owners.get(table, "other"), "bytes": size}
        for table, size in sorted(sizes.items(), key=lambda item: -item[1])
    ]
    by_app: dict[str, int] = {}
    for row in tables:
        by_app[row["app"]] = by_app.get(row["app"], 0) + row["bytes"]
    return {"tables": tables, "apps": dict(sorted(by_app.items(), key=lambda item: -item[1]))}


def find_integrity() -> dict[str, Any]:
    """Return what is wrong with the ledger; empty lists where all is well."""
    return {
        "triggers": find_missing_triggers(),
        "sums": [str(difference) for difference in find_differences(10)],
    }


def find_accounts() -> list[dict[str, Any]]:
    """Return by service what big-AGI counted, what messages explain of it, and what came since, in nano-dollars. Where
    `explains`, these are the imported messages, until that time if there is one."""
    return [
        {
            "service": report.service,
            "counted": report.counted.cost_nano_usd,
            "explained": report.explained.cost_nano_usd,
            "explains": counts_anything(report.devices),
            "until": report.counted_until,
            "gap": report.gap.cost_nano_usd,
            "since": (report.own + report.later).cost_nano_usd,
            "total": report.total.cost_nano_usd,
            "calls": report.total.calls,
            "explanation": report.explanation,
            "alarms": list(report.alarms),
        }
        for report in sorted(reconcile(), key=lambda report: -report.total.cost_nano_usd)
    ]


def find_prices() -> dict[str, Any]:
    """Return what the calls of the past year cost as recorded, by the lists of their days, and today, in nano-dollars,
    and the models of which calls are unpriced."""
    start = start_of(today() - 365 * DAY)
    models = reprice(start)
    return {
        "start": start,
        "calls": sum(one.calls for one in models),
        "recorded": sum(one.recorded.cost_nano_usd for one in models),
        "listed": sum(one.listed.cost_nano_usd for one in models),
        "today": sum(one.today.cost_nano_usd for one in models),
        "unpriced": sum(one.recorded.unpriced for one in models),
        "models": [
            {"model": one.model, "unpriced": one.recorded.unpriced, "can_be_set": bool(one.set_price)}
            for one in sorted(models, key=lambda one: -one.recorded.unpriced)
            if one.recorded.unpriced
        ][:MOST],
    }


def find_rows() -> dict[str, int]:
    """Return the number of rows of each table that people look at."""
    counted = [model for model in apps.get_models() if model._meta.app_label in APPS]
    return {model._meta.db_table: model._base_manager.aggregate(rows=Count("*"))["rows"] for model in counted}


APPS = ("stores", "chats", "llms", "metrics", "workspace")

FINDERS = {
    "expensive_chats": Finder(find_expensive_chats, timedelta(minutes=1)),
    "accounts": Finder(find_accounts, timedelta(minutes=1)),
    "prices": Finder(find_prices, timedelta(minutes=30)),
    "table_sizes": Finder(find_table_sizes, timedelta(minutes=10)),
    "rows": Finder(find_rows, timedelta(minutes=10)),
    "integrity": Finder(find_integrity, timedelta(hours=12)),
}
