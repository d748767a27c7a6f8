"""Views of the owner's own that build on ours or on our tables, and what to do where they are in a migration's way."""

import re
from collections.abc import Sequence

from django.db import connection

from bigagi_site.sql_views.definitions import VIEWS
from stores.records.faults import chain_of

_POSTGRESQL_REFUSES = ("0A000", "2BP01")
"""feature_not_supported, as to change the type of a column that a view shows; dependent_objects_still_exist."""
_SQLITE_REFUSES = re.compile(r"error in view (.+?)(?: after \w+)?: ")

_DEPENDENTS = """
    WITH RECURSIVE built(oid) AS (
        SELECT oid FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relname = ANY(%s)
        UNION
        SELECT r.ev_class FROM built b
            JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = b.oid
            JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
    )
    SELECT oid::regclass::text FROM built WHERE oid NOT IN (
        SELECT oid FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relname = ANY(%s)
    ) ORDER BY 1
"""


def find_dependents(names: Sequence[str]) -> list[str]:
    """Return the views of the owner's that build on these views and tables. SQLite binds none to what it names."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(_DEPENDENTS, [list(names), [*names, *VIEWS]])
        return [name for (name,) in cursor.fetchall()]


def describe_blocked(error: BaseException) -> str:
    """Return which views of the owner's were in a migration's way and what to do, if that was its error."""
    blocking: list[str] = []
    for each in chain_of(error):
        if getattr(each, "sqlstate", None) in _POSTGRESQL_REFUSES:
            with connection.cursor() as cursor:
                blocking = find_dependents([*VIEWS, *connection.introspection.table_names(cursor)])
        elif match := _SQLITE_REFUSES.match(str(each)):
            blocking = [match[1]]
    if not blocking:
        return ""
    return (
        f"it cannot be migrated while views of your own build on what changes: {', '.join(blocking)}. "
        "Note their definitions, drop them, start again, and create them again."
    )
