"""Making the views, dropping them before tables change, and finding those that are missing."""

from collections.abc import Iterable, Sequence
from typing import Any

import structlog
from django.db import DatabaseError, connection, transaction
from django.db.migrations import Migration

from bigagi_site.sql_views.definitions import VIEWS
from bigagi_site.sql_views.dependents import find_dependents
from bigagi_site.sql_views.expressions import POSTGRESQL, SQLITE
from stores.backups import versions

logger = structlog.get_logger("api")


def keep_views() -> list[str]:
    """Make the views that are missing or differ from this version's; return their names.

    Nothing is made in a database of another version: its tables are not those that the views name."""
    if not find_missing_views() or versions.find_missing() or versions.find_unknown():
        return []
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Two processes can start at once.
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('bigagi.sql_views'))")
        taken = find_taken_names()
        return [name for name in find_missing_views() if name not in taken and _make(name)]


def _make(name: str) -> bool:
    """Make the view; False where one on which views of the owner's build cannot become it."""
    dependents = find_dependents([name])
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in _statements(name, replaces=bool(dependents)):
                cursor.execute(statement)
    except DatabaseError as error:
        if not dependents:
            raise
        logger.warning("a view could not be updated", view=name, dependents=dependents, reason=str(error))
        return False
    return True


def keep_after_migration(**kwargs: Any) -> None:
    """Make the views anew once all tables are this version's."""
    keep_views()


def make_way(plan: Sequence[tuple[Migration, bool]], **kwargs: Any) -> None:
    """Drop the views before a migration: SQLite refuses to rebuild a table that a view names, and PostgreSQL to change
    the type of a column. One on which views of the owner's build stays, and is in the way only of such a change."""
    if plan:
        drop_views()


def drop_views(names: Iterable[str] = tuple(VIEWS)) -> None:
    """Drop views of ours on which no other view builds."""
    taken = find_taken_names()
    with transaction.atomic(), connection.cursor() as cursor:
        for name in names:
            if name not in taken and not find_dependents([name]):
                cursor.execute(f"DROP VIEW IF EXISTS {name}")


def find_missing_views() -> list[str]:
    """Return the names of views that are missing or differ from this version's."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT c.relname, d.description FROM pg_class c"
                " JOIN pg_description d ON d.objoid = c.oid AND d.objsubid = 0 AND d.classoid = 'pg_class'::regclass"
                " WHERE c.relkind = 'v' AND c.relnamespace = current_schema()::regnamespace"
            )
        else:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'view'")
        found = dict(cursor.fetchall())
    return [name for name in VIEWS if found.get(name) != _create(name)]


def find_taken_names() -> list[str]:
    """Return the names of views that a table of somebody else's has."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
    return [name for name in VIEWS if name in tables]


def _statements(name: str, *, replaces: bool) -> list[str]:
    """Return what makes the view. `replaces`: it stays the same one, which can only get more columns at its end."""
    create = _create(name)
    statements = [f"DROP VIEW IF EXISTS {name}", create]
    if replaces:
        statements = [create.replace("CREATE VIEW", "CREATE OR REPLACE VIEW", 1)]
    if connection.vendor == "postgresql":
        # PostgreSQL keeps a view in words of its own: the comment tells an older one.
        quoted = create.replace("'", "''")
        statements.append(f"COMMENT ON VIEW {name} IS '{quoted}'")
    return statements


def _create(name: str) -> str:
    dialect = POSTGRESQL if connection.vendor == "postgresql" else SQLITE
    return f"CREATE VIEW {name} AS {VIEWS[name].select(dialect)}"
