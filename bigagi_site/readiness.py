"""The checks of `/api/ready`. A fault stops the server from working fully; a warning may become a fault, or
lead to data loss."""

import os
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import structlog
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Sum

from bigagi_site.sql_views.dependents import find_dependents
from bigagi_site.sql_views.keeping import find_missing_views, find_taken_names
from chats.models import Asset, Conversation
from metrics.ledger.triggers import find_missing_triggers
from stores.backups import data_check, versions
from stores.backups.creation import list_backups
from stores.backups.snapshots import database_size
from stores.models import Secret, Store
from stores.records.faults import fault_of
from stores.records.keys import tell_foreign, why_unreadable

MIB = 2**20

logger = structlog.get_logger("api")


class State(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Finding:
    """The result of a check, in a sentence that says how to fix it."""

    state: State
    detail: str


def ok(detail: str) -> Finding:
    return Finding(State.OK, detail)


def warning(detail: str) -> Finding:
    return Finding(State.WARNING, detail)


def fault(detail: str) -> Finding:
    return Finding(State.FAULT, detail)


def check_database() -> Finding:
    """Tell whether the database answers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM django_migrations")
    except DatabaseError as error:
        return database_fault(error)
    return ok("The database responds.")


def database_fault(error: DatabaseError) -> Finding:
    """Tell that the database does not answer, and why."""
    if (known := fault_of(error)) is not None:
        return fault(str(known))
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return fault(
        f"The database does not respond: {reason}. Restart the server; if that does not help, restore a backup."
    )


def check_migrations() -> Finding:
    """Tell whether the tables are those of this program."""
    if missing := versions.find_missing():
        return fault(f"The database is not migrated (to {missing[0]}). Restart the server, or run: manage.py migrate")
    if newer := versions.find_unknown():
        return fault(f"The database is newer than this program (it has {newer[-1]}). Update bigagi.")
    return ok("All migrations are applied.")


def check_triggers() -> Finding:
    """Tell whether the triggers are there that keep the ledger from being changed."""
    if missing := find_missing_triggers():
        mend = "Restart the server, or run: manage.py migrate --skip-checks"
        return fault(f"The database is missing triggers: {', '.join(missing)}. {mend}")
    return ok("All triggers exist.")


def check_views() -> Finding:
    """Tell whether the views for the owner's own queries are there; the server itself needs none."""
    if taken := find_taken_names():
        names = ", ".join(taken)
        return warning(f"These views cannot be made, because tables have their names: {names}. Rename the tables.")
    if missing := find_missing_views():
        if dependents := find_dependents(missing):
            return warning(
                f"The views {', '.join(missing)} are not of this version, because views of your own build on them: "
                f"{', '.join(dependents)}. Drop those, restart the server, and create them again."
            )
        mend = "Restart the server, or run: manage.py migrate"
        return warning(f"The database is missing views for your own queries: {', '.join(missing)}. {mend}")
    return ok("All views for your own queries exist.")


def check_data_folder() -> Finding:
    """Tell whether the data folder can be written."""
    if os.access(settings.DATA_DIR, os.W_OK | os.X_OK):
        return ok("The data folder is writable.")
    return fault(f"The data folder {settings.DATA_DIR} is not writable. Make it writable for the server's user.")


def check_disk_space() -> Finding:
    """Tell whether a backup of the database still fits beside it, and whether anything does."""
    least = settings.MIN_FREE_MIB * MIB
    free = shutil.disk_usage(settings.DATA_DIR).free
    text = f"{free // MIB:,} MiB are free in {settings.DATA_DIR}"
    mend = f"Free some space, or move the data folder. You can delete old backups in {settings.BACKUPS_DIR}."
    if free < least // 10:
        return fault(f"Only {text}, too little to keep writing. {mend}")
    # Backups share assets with each other, but not with the data: the next one copies those that are new.
    newest = next(iter(list_backups()), None)
    assets = Asset.objects.aggregate(size=Sum("size"))["size"] or 0
    needed = max(least, database_size() + max(0, assets - (newest.assets_size if newest else 0)))
    if free < needed:
        return warning(f"Only {text}; a backup needs {-(-needed // MIB):,} MiB. {mend}")
    return ok(f"{text}.")


def check_key_file() -> Finding:
    """Tell whether stored API keys can be read, and by nobody else. A server without them works, but calls no model."""
    if reason := why_unreadable():
        return fault(f"{reason} Chats still work.")
    path = settings.KEY_FILE
    if not path.exists():
        return ok("There is no key file, and no secret that needs one.")
    warnings = [tell_foreign()]
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        warnings.append(f"Other users can read {path}. Run: chmod 600 {path}")
    if any(warnings):
        return warning(" ".join(filter(None, warnings)))
    return ok("It decrypts the stored secrets." if Secret.objects.exists() else "The key file exists.")


def check_last_backup() -> Finding:
    """Tell whether there is a backup that is not too old, if there is anything to lose."""
    folder, days = settings.BACKUPS_DIR, settings.BACKUP_DAYS
    # A folder that cannot be read would look like one without backups.
    if folder.exists():
        os.listdir(folder)
    newest = next(iter(list_backups()), None)
    if newest is None:
        if Conversation.objects.exists() or Store.objects.exists():
            return warning(f"There is no backup in {folder}. Create one: uv run manage.py backup")
        return ok("There is no backup, and no data yet.")
    age = datetime.now(UTC) - newest.created_at
    text = f"The last backup was made on {newest.created_at:%Y-%m-%d}"
    if age > timedelta(days=days):
        return warning(f"{text}, more than {days} days ago. Create one: uv run manage.py backup")
    return ok(f"{text}.")


def check_stored_data() -> Finding:
    """Tell what the last check of the assets and of the database's pages found."""
    last = data_check.read_last()
    if last is None:
        return ok("The stored data has not been checked yet. The server does so soon after it starts.")
    text = f"Checked on {last.at:%Y-%m-%d}: {last.summary}"
    if last.is_good:
        return ok(text)
    return (fault if last.pages else warning)(f"{text} {last.advice}")


CHECKS: dict[str, Callable[[], Finding]] = {
    "database": check_database,
    "migrations": check_migrations,
    "triggers": check_triggers,
    "views": check_views,
    "data_folder": check_data_folder,
    "disk_space": check_disk_space,
    "key_file": check_key_file,
    "last_backup": check_last_backup,
    "stored_data": check_stored_data,
}


def look() -> dict[str, Finding]:
    """Return what each check found."""
    found: dict[str, Finding] = {}
    for name, check in CHECKS.items():
        found[name] = _look_at(check, has_database=not found or found["database"].state is State.OK)
    return found


def _look_at(check: Callable[[], Finding], *, has_database: bool) -> Finding:
    try:
        return check()
    except DatabaseError as error:
        return (
            database_fault(error)
            if has_database
            else Finding(State.UNKNOWN, "Unknown, because the database does not respond.")
        )
    except OSError as error:
        place = f" of {error.filename}" if error.filename else ""
        return fault(f"This check failed: {error.strerror}{place}. Make it readable for the server's user.")
    except Exception:
        logger.exception("a check of readiness failed")
        return fault("This check failed. The server log has the details.")
