"""Whether the server can do its work: what `/api/ready` and `manage.py check --database` ask."""

import os
from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from stores.secrets import why_unreadable


def check_database() -> str:
    """Return why the database cannot be used, or nothing."""
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return "The database is not migrated. Start the server again, or run: manage.py migrate"
    except DatabaseError as error:
        return f"The database does not answer: {str(error).strip().splitlines()[0]}"
    return ""


def check_data_folder() -> str:
    """Return why the data folder cannot be written, or nothing."""
    if os.access(settings.DATA_DIR, os.W_OK | os.X_OK):
        return ""
    return f"The data folder {settings.DATA_DIR} cannot be written. Make it writable for the server's user."


def check_secrets() -> str:
    """Return why stored API keys cannot be read, or nothing."""
    try:
        return why_unreadable()
    except DatabaseError:
        return ""


CHECKS: dict[str, Callable[[], str]] = {
    "database": check_database,
    "data_folder": check_data_folder,
    "secrets": check_secrets,
}


def find_faults() -> dict[str, str]:
    """Return what is wrong, by check; nothing where all is well."""
    return {name: fault for name, check in CHECKS.items() if (fault := check())}
