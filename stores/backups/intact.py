"""Whether the database that a server or an import starts on is still what it was: not emptied, not damaged."""

import threading
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.db import connection

from stores.backups import snapshots
from stores.backups.creation import list_backups
from stores.backups.sqlite_files import SnapshotError

SECONDS = 2.0
"""How long a start waits for the quick check; a gigabyte that is in memory takes about one."""
PROBLEMS = 3


def describe_emptied_database() -> str:
    """Return in words that the database file has no bytes, beside data that belonged to it; or nothing.

    A crash of the disk leaves that, or a copy that was broken off. To make new tables in it would hide it."""
    path = _database_path()
    if path is None or not path.is_file() or path.stat().st_size > 0:
        return ""
    log = path.with_name(f"{path.name}-wal")
    if not (log.is_file() and log.stat().st_size) and not _has_own_data():
        return ""
    text = f"The database {path} is empty (0 bytes), but there is data beside it that belongs to one."
    return f"{text} {describe_way_back()}"


def describe_missing_database() -> str:
    """Return in words that there is no database file, beside data that belonged to one; or nothing."""
    path = _database_path()
    if path is None or path.exists() or not _has_own_data():
        return ""
    newest = next(iter(list_backups()), None)
    text = f"There was no database at {path}, so a new one was made, but there is data beside it from before."
    return f"{text} To restore the last backup: uv run manage.py restore {newest.path}" if newest else text


def find_damage() -> str:
    """Check the pages of the database for as long as a start may take; return in words what is wrong, or nothing.

    Nothing too where the time was not enough, or on PostgreSQL, which checks its pages itself."""
    path = _database_path()
    if path is None or not path.is_file():
        return ""
    found: list[str] = []
    is_late = threading.Event()
    # SQLite does not look at an interrupt within one table, which is why nobody waits for the thread.
    check = threading.Thread(target=_check, args=(found, is_late), name="quick-check", daemon=True)
    check.start()
    check.join(SECONDS)
    is_late.set()
    return f"The database {path} is damaged ({'; '.join(found[:PROBLEMS])}). {describe_way_back()}" if found else ""


def _check(found: list[str], is_late: threading.Event) -> None:
    def go_on(_: float) -> None:
        if is_late.is_set():
            raise TimeoutError

    # Interrupted, or in use: to open it for writing tells more.
    with suppress(SnapshotError):
        found += snapshots.find_damage(is_quick=True, pause=go_on)


def describe_way_back() -> str:
    """Return what to do about a database that cannot be used any more."""
    newest = next(iter(list_backups()), None)
    if newest is None:
        return (
            f"There is no backup in {settings.BACKUPS_DIR}. If you have one elsewhere: uv run manage.py restore PATH. "
            "To begin anew, move the database file away and start again."
        )
    return (
        f"Restore the last backup: uv run manage.py restore {newest.path}. "
        "To begin anew instead, move the database file away and start again."
    )


def _has_own_data() -> bool:
    # `server.json` is written by every start, once there are tables.
    if (settings.DATA_DIR / "server.json").exists() or list_backups():
        return True
    return next(settings.ASSETS_DIR.glob("*/*"), None) is not None


def _database_path() -> Path | None:
    return Path(connection.settings_dict["NAME"]) if connection.vendor == "sqlite" else None
