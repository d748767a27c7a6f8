"""Making the views, dropping them before tables change, and finding those that are missing."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.migrations import Migration

from bigagi_site.sql_views.definitions import VIEWS
from bigagi_site.sql_views.expressions import POSTGRESQL, SQLITE
from stores.backups import versions


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
        made = [name for name in find_missing_views() if name not in taken]
        for name in made:
            for statement in _statements(name):
                cursor.execute(statement)
    return made


def keep_after_migration(**kwargs: Any) -> None:
    """Make the views anew once all tables are this version's."""
    keep_views()


def make_way(plan: Sequence[tuple[Migration, bool]], **kwargs: Any) -> None:
    """Drop the views before a migration: SQLite refuses to rebuild a table that a view names, and PostgreSQL to change
    the type of a column."""
    if plan:
        drop_views()


def drop_views(names: Iterable[str] = tuple(VIEWS)) -> None:
    """Drop views of ours."""
    taken = find_taken_names()
    with transaction.atomic(), connection.cursor() as cursor:
        for name in names:
            if name not in taken:
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


def _statements(name: str) -> list[str]:
    create = _create(name)
    statements = [f"DROP VIEW IF EXISTS {name}", create]
    if connection.vendor == "postgresql":
        # PostgreSQL keeps a view in words of its own: the comment tells an older one.
        quoted = create.replace("'", "''")
        statements.append(f"COMMENT ON VIEW {name} IS '{quoted}'")
    return statements


def _create(name: str) -> str:
    dialect = POSTGRESQL if connection.vendor == "postgresql" else SQLITE
    return f"CREATE VIEW {name} AS {VIEWS[name].select(dialect)}"
