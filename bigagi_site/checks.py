"""System checks for settings; `start` and `manage.py check` run them."""

import logging
import stat
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DEFAULT_DB_ALIAS

TAG = "bigagi"
LOOPBACK = {"127.0.0.1", "localhost", "[::1]", "testserver"}
SHORTEST_SECRET_KEY = 32


@register(TAG)
def check_database(**kwargs: Any) -> list[CheckMessage]:
    """Allow only SQLite and PostgreSQL."""
    engine = settings.DATABASES["default"]["ENGINE"]
    if engine in ("stores.sqlite", "django.db.backends.postgresql"):
        return []
    hint = "Set DATABASE_URL to postgres://user:password@host/name, or leave it out for SQLite."
    return [Error(f"DATABASE_URL names a database that bigagi does not support ({engine}).", hint, id="bigagi.E001")]


@register(TAG)
def check_logs(**kwargs: Any) -> list[CheckMessage]:
    """Refuse log settings that would be silently ignored."""
    found: list[CheckMessage] = []
    if settings.LOG_FORMAT not in ("console", "json"):
        found.append(
            Error(
                f"LOG_FORMAT must be console or json, not {settings.LOG_FORMAT!r}.",
                "Leave it out for console.",
                id="bigagi.E002",
            )
        )
    if settings.LOG_LEVEL not in logging.getLevelNamesMapping():
        found.append(
            Error(
                f"LOG_LEVEL must be a level such as INFO or WARNING, not {settings.LOG_LEVEL!r}.",
                "Leave it out for WARNING.",
                id="bigagi.E003",
            )
        )
    return found


@register(TAG)
def check_time_zone(**kwargs: Any) -> list[CheckMessage]:
    """Refuse an unknown time zone."""
    try:
        ZoneInfo(settings.OWNER_TIME_ZONE)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        hint = "Set it to a name such as Europe/Berlin, or leave it out for UTC."
        found = f"BIGAGI_TIME_ZONE must be the name of a time zone, not {settings.OWNER_TIME_ZONE!r}."
        return [Error(found, hint, id="bigagi.E008")]
    return []


@register(TAG)
def check_secret_key(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a SECRET_KEY that can be guessed."""
    if len(settings.SECRET_KEY) >= SHORTEST_SECRET_KEY:
        return []
    hint = "Leave SECRET_KEY out: `start` creates a key file in the data folder."
    return [Error(f"SECRET_KEY must have at least {SHORTEST_SECRET_KEY} characters.", hint, id="bigagi.E004")]


@register(TAG)
def check_debug(**kwargs: Any) -> list[CheckMessage]:
    """Refuse DEBUG where others can reach the server: its error pages show settings and texts."""
    if not settings.DEBUG or set(settings.ALLOWED_HOSTS) <= LOOPBACK and not settings.HTTPS:
        return []
    return [Error("DEBUG must be off on a server that others can reach.", "Unset DEBUG.", id="bigagi.E005")]


@register(TAG)
def check_data_folder(**kwargs: Any) -> list[CheckMessage]:
    """Warn of data where a `git clean` deletes it, and of keys that other users of the machine can read."""
    found: list[CheckMessage] = []
    if settings.DATA_DIR.is_relative_to(settings.BASE_DIR):
        hint = "Set BIGAGI_DATA_DIR to a folder outside the checkout: `git clean` would delete it."
        found.append(Warning(f"The data folder {settings.DATA_DIR} is inside the checkout.", hint, id="bigagi.W001"))
    for path in (settings.KEY_FILE, settings.SECRET_KEY_FILE):
        if path.exists() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            found.append(Warning(f"Other users can read {path}.", f"Run: chmod 600 {path}", id="bigagi.W002"))
    return found


@register(Tags.database)
def check_ledger(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Find missing triggers of the ledger: `check --database default`."""
    # Models can be imported only when this is asked.
    from bigagi_site.readiness import State, check_migrations, check_triggers

    # Without its migrations it has none yet: `migrate`, which asks this first, makes them.
    if DEFAULT_DB_ALIAS not in (databases or ()) or check_migrations().state is not State.OK:
        return []
    found = check_triggers()
    return [] if found.state is State.OK else [Error(found.detail, id="bigagi.E009")]


@register(Tags.database)
def check_sql_views(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Warn of missing views for the owner's own queries: `check --database default`."""
    # Models can be imported only when this is asked.
    from bigagi_site.readiness import State, check_migrations, check_views

    # They are made when all migrations are applied.
    if DEFAULT_DB_ALIAS not in (databases or ()) or check_migrations().state is not State.OK:
        return []
    found = check_views()
    return [] if found.state is State.OK else [Warning(found.detail, id="bigagi.W003")]
