"""The table browser: which tables and views there are, how each is built, and its rows, page by page. Works on every
database.

Rows are shown of open tables alone (`policy.py`); of the others it is told what columns they have, and why no more.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, models
from django.db.migrations.recorder import MigrationRecorder

from bigagi_site.docs.database import FOREIGN_TABLES, Column, describe_table
from bigagi_site.docs.views import describe_view
from bigagi_site.inspection.policy import OTHER_OPEN_TABLES, all_models, why_closed
from bigagi_site.inspection.sql_box import finish_cell
from bigagi_site.inspection.view_rows import read_view_rows
from bigagi_site.inspection.worker import CELL_CHARACTERS, OVERLAP, shape_cell
from bigagi_site.sql_views.definitions import VIEWS, View

ROWS_A_PAGE = 50
COUNTED_IN_LIST = 50_000
COUNTED_IN_DETAIL = 1_000_000
"""Rows that are counted at most: beyond, that there are more is told, since counting all takes its time."""

NO_MODEL = "it does not belong to a model"
OF_VIEWS = "views"
"""The group of the views with plain names; it comes first."""
OTHERS = "others"
"""The group of tables of no app: the search's, and what somebody made by hand."""


@dataclass(frozen=True)
class KnownTable:
    """A table or view of the database; `closed` says why its rows are not shown."""

    name: str
    app: str
    meaning: str
    closed: str
    model: type[models.Model] | None
    view: View | None = None


def known_tables() -> dict[str, KnownTable]:
    """Return all tables and views of the database by name, those for the owner's own queries first."""
    with connection.cursor() as cursor:
        names = connection.introspection.table_names(cursor, include_views=True)
        tables = connection.introspection.table_names(cursor)
    described = {
        view.name: KnownTable(view.name, OF_VIEWS, view.meaning, "", None, view)
        for view in VIEWS.values()
        if view.name in names and view.name not in tables
    }
    described |= {table.name: table for table in _described() if table.name in names}
    others = {
        name: KnownTable(name, OTHERS, "", "" if name in OTHER_OPEN_TABLES else NO_MODEL, None)
        for name in sorted(set(names) - set(described))
    }
    return described | others


def _described() -> Iterator[KnownTable]:
    for model in sorted(all_models(), key=lambda model: (model._meta.app_label, model._meta.db_table)):
        meta = model._meta
        doc = " ".join((model.__doc__ or "").replace("`", "").split())
        meaning = FOREIGN_TABLES.get(meta.db_table) or ("" if doc.startswith(f"{model.__name__}(") else doc)
        yield KnownTable(meta.db_table, meta.app_label, meaning, why_closed(model), model)
    migration = MigrationRecorder.Migration
    yield KnownTable("django_migrations", "migrations", FOREIGN_TABLES["django_migrations"], "", migration)


def list_tables() -> list[dict[str, Any]]:
    """Return {app, tables} of each app; each table with its row count as {count, is_exact}."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for table in known_tables().values():
        described = {"name": table.name, "meaning": table.meaning, "closed": table.closed}
        groups.setdefault(table.app, []).append(described | {"rows": count_rows(table.name, COUNTED_IN_LIST)})
    # What can be read comes first.
    ordered = sorted(groups.items(), key=lambda group: all(table["closed"] for table in group[1]))
    return [{"app": app, "tables": tables} for app, tables in ordered]


def count_rows(name: str, most: int) -> dict[str, Any]:
    """Return {count, is_exact}: how many rows the table has, or `most` where there are more."""
    table = connection.ops.quote_name(name)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM (SELECT 1 FROM {table} LIMIT %s) AS counted", [most + 1])
        count = cursor.fetchone()[0]
    return {"count": min(count, most), "is_exact": count <= most}


def describe(table: KnownTable) -> dict[str, Any]:
    """Return how a table is built: columns, indexes, triggers, its own statement where the database keeps it."""
    with connection.cursor() as cursor:
        found = connection.introspection.get_table_description(cursor, table.name)
        rules = connection.introspection.get_constraints(cursor, table.name)
        statements = _statements(cursor, table.name)
        key = connection.introspection.get_primary_key_column(cursor, table.name)
    columns = describe_table(table.model).columns if table.model else []
    if table.view:
        columns = describe_view(table.view).columns
    known = {column.name: column for column in columns}
    return {
        "name": table.name,
        "app": table.app,
        "meaning": table.meaning,
        "closed": table.closed,
        "rows": count_rows(table.name, COUNTED_IN_DETAIL),
        "columns": [_describe_column(column, known.get(column.name), key) for column in found],
        "indexes": sorted(_describe_rules(rules, statements.get("index", {})), key=lambda rule: rule["name"]),
        "triggers": [{"name": name, "sql": sql} for name, sql in sorted(statements.get("trigger", {}).items())],
        "sql": statements.get("view" if table.view else "table", {}).get(table.name, ""),
    }


def _describe_column(found: Any, known: Column | None, key: str | None) -> dict[str, Any]:
    declared = found.type_code if isinstance(found.type_code, str) else ""
    return {
        "name": found.name,
        "type": known.type if known else declared,
        "is_nullable": bool(found.null_ok),
        "is_key": found.name == key,
        "default": found.default,
        "refers_to": known.target if known else "",
        "meaning": known.meaning if known else "",
    }


def _describe_rules(rules: dict[str, Any], statements: dict[str, str]) -> Iterator[dict[str, Any]]:
    for name, rule in rules.items():
        if rule["primary_key"]:
            kind = "primary key"
        elif rule["foreign_key"]:
            kind = "refers to " + ".".join(rule["foreign_key"])
        elif rule["unique"]:
            kind = "unique"
        else:
            kind = "check" if rule["check"] else "index"
        columns = [column or "(expression)" for column in rule["columns"] or []]
        # Django makes up a name where SQLite keeps none.
        own = "" if name.startswith("__") or (rule["foreign_key"] and connection.vendor == "sqlite") else name
        yield {"name": own, "kind": kind, "columns": columns, "sql": statements.get(name, "")}


def _statements(cursor: Any, name: str) -> dict[str, dict[str, str]]:
    """Return the SQL of the table, its indexes and its triggers, by kind and name."""
    if connection.vendor == "sqlite":
        cursor.execute("SELECT type, name, sql FROM sqlite_master WHERE tbl_name = %s AND sql IS NOT NULL", [name])
    elif connection.vendor == "postgresql":
        cursor.execute(
            "SELECT 'index', indexname, indexdef FROM pg_indexes WHERE tablename = %s AND schemaname = current_schema()"
            " UNION ALL SELECT 'trigger', tgname, pg_get_triggerdef(oid) FROM pg_trigger"
            " WHERE tgrelid = %s::regclass AND NOT tgisinternal",
            [name, connection.ops.quote_name(name)],
        )
    else:
        return {}
    found: dict[str, dict[str, str]] = {}
    for kind, own, sql in cursor.fetchall():
        found.setdefault(kind, {})[own] = sql
    return found


def read_rows(table: KnownTable, after: str = "") -> dict[str, Any]:
    """Return {columns, rows, next} of an open table in the order of its key; `next` is the key to go on after, or null.
    Of a view, it is the number of rows to pass over.

    Of long texts and of bytes only what is shown is fetched. Raises `ValueError` for a key that is none.
    """
    if table.view:
        return read_view_rows(table.view, after, ROWS_A_PAGE)
    model = table.model
    if model is None or table.closed:
        raise PermissionError(f"Rows of {table.name} are not shown: {table.closed}.")
    quote = connection.ops.quote_name
    fields = list(model._meta.concrete_fields)
    key = quote(str(model._meta.pk.column))
    shown = ", ".join(expression for field in fields for expression in _expressions(field))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {key}, {shown} FROM {quote(table.name)} {f'WHERE {key} > %s' if after else ''}"
            f" ORDER BY {key} LIMIT {ROWS_A_PAGE + 1}",
            [_as_key(model, after)] if after else [],
        )
        found = cursor.fetchall()
    page = found[:ROWS_A_PAGE]
    return {
        "columns": [str(field.column) for field in fields],
        "rows": [_cells(fields, row[1:]) for row in page],
        "next": str(page[-1][0]) if len(found) > ROWS_A_PAGE else None,
    }


def _as_key(model: type[models.Model], text: str) -> Any:
    try:
        key = model._meta.pk.to_python(text)
    except ValidationError as error:
        raise ValueError(f"{text[:50]} is not a key of this table.") from error
    if isinstance(key, int) and abs(key) >= 2**63:
        raise ValueError("This key is too large.")
    return key


def _expressions(field: "models.Field[Any, Any]") -> list[str]:
    column = connection.ops.quote_name(str(field.column))
    if isinstance(field, models.BinaryField):
        return [f"length({column})"]
    if isinstance(field, models.CharField | models.TextField):
        return [f"substr({column}, 1, {CELL_CHARACTERS + OVERLAP})", f"length({column})"]
    return [column]


def _cells(fields: list[Any], values: Sequence[Any]) -> list[Any]:
    """Return the cells of one row, whose values are those of each field's expressions in turn."""
    cells = []
    rest = iter(values)
    for field in fields:
        value = next(rest)
        if isinstance(field, models.BinaryField):
            value = None if value is None else {"blob": value}
        elif isinstance(field, models.CharField | models.TextField):
            length = next(rest)
            if length is not None and length > CELL_CHARACTERS:
                value = {"text": value, "length": length}
        elif not isinstance(value, int | float | None):
            value = str(value)
        cells.append(finish_cell(value if isinstance(value, dict) else shape_cell(value)))
    return cells
