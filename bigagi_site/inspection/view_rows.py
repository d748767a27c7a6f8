"""Rows of the views with plain names, for the table browser."""

from collections.abc import Iterator
from typing import Any

from django.db import connection

from bigagi_site.inspection.sql_box import finish_cell
from bigagi_site.inspection.worker import CELL_CHARACTERS, OVERLAP, shape_cell
from bigagi_site.sql_views.definitions import TEXT, View, ViewColumn

MOST_SKIPPED = 10**7


def read_view_rows(view: View, after: str, count: int) -> dict[str, Any]:
    """Return {columns, rows, next} of a view; a view has no key, so `after` is how many rows to pass over.

    Of long texts only what is shown is fetched. Raises `ValueError` for an `after` that is no number."""
    if after and not (after.isascii() and after.isdigit() and int(after) <= MOST_SKIPPED):
        raise ValueError(f"{after[:50]} is not a number of rows.")
    skipped = int(after or 0)
    shown = ", ".join(expression for column in view.columns for expression in _expressions(column))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {shown} FROM {view.name} ORDER BY {', '.join(view.order)} LIMIT {count + 1} OFFSET {skipped}"
        )
        found = cursor.fetchall()
    return {
        "columns": [column.name for column in view.columns],
        "rows": [list(_cells(view, row)) for row in found[:count]],
        "next": str(skipped + count) if len(found) > count else None,
    }


def _expressions(column: ViewColumn) -> list[str]:
    if column.type == TEXT:
        return [f"substr({column.name}, 1, {CELL_CHARACTERS + OVERLAP})", f"length({column.name})"]
    return [column.name]


def _cells(view: View, row: Any) -> Iterator[Any]:
    values = iter(row)
    for column in view.columns:
        value = next(values)
        length = next(values) if column.type == TEXT else None
        if length is not None and length > CELL_CHARACTERS:
            value = {"text": value, "length": length}
        elif not isinstance(value, int | float | str | None):
            # PostgreSQL's exact numbers.
            value = float(value)
        yield finish_cell(value if isinstance(value, dict) else shape_cell(value))
