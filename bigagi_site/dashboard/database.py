"""The state of the database: its size, and the slowest routes. Cheap to calculate; the rest is in `heavy`."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db import connection
from django.db.models import Avg, Count, Max
from django.urls import reverse
from django.utils import timezone

from metrics.models import ApiRequest
from stores.backups.snapshots import database_size, is_sqlite

SLOWEST = 6
LATEST_REQUESTS = 20_000
"""Of an hour with more requests the newest are looked at."""


@dataclass(frozen=True)
class Database:
    """Sizes are in bytes; None where the database has no such thing."""

    size: int
    wal_size: int | None
    free_bytes: int | None
    """Pages of the file that hold nothing any more and are used again."""


def describe_sizes() -> Database:
    """Return the database's sizes."""
    if not is_sqlite():
        return Database(database_size(), None, None)
    path = Path(str(settings.DATABASES["default"]["NAME"]))
    wal = path.with_name(path.name + "-wal")
    with connection.cursor() as cursor:
        cursor.execute("SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size")
        free = int(cursor.fetchone()[0])
    return Database(database_size(), wal.stat().st_size if wal.exists() else 0, free)


def find_slowest_routes() -> list[dict[str, Any]]:
    """Return the routes of the last hour whose requests took longest, in ms, with links to them in the log."""
    since = timezone.now() - timedelta(hours=1)
    hour = ApiRequest.objects.filter(at__gte=since)
    newest = ApiRequest.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    routes = (
        hour.filter(pk__gt=newest - LATEST_REQUESTS)
        .order_by()
        .values("method", "route")
        .annotate(requests=Count("pk"), mean=Avg("duration_ms"), longest=Max("duration_ms"))
        .order_by("-mean")[:SLOWEST]
    )
    log = reverse("admin:metrics_apirequest_changelist")
    of_hour = {"at__gte": since.isoformat(timespec="seconds")}
    return [
        row | {"url": f"{log}?{urlencode({'route__exact': row['route'], 'method__exact': row['method']} | of_hour)}"}
        for row in routes
    ]
