"""Cursor pagination in both directions, at a cost that does not grow with the list."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.db import models
from django.db.models import F, Q
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from stores.api.problems import bad_parameter
from stores.records.codecs import INT64, is_storable

PAGE_SIZE = 50
MAX_PAGE_SIZE = 200


@dataclass(frozen=True)
class Cursor:
    """Where a page begins: after or before the row with this value and this key."""

    direction: Literal["after", "before"]
    ordering: str
    value: int | str | None
    pk: int


class CursorPagination(BasePagination):
    """Pages by `(a field, primary key)`. The view's `orderings` are allowed; the first is the default. Its
    `sort_expressions` say what stands for a field that can be missing: a whole number, never NULL.

    DRF's own cursor uses an offset for rows of equal value and does not support NULL.
    """

    names = ("cursor", "page_size", "ordering", "count")

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.request = request
        self.ordering = read_choice(request, "ordering", view.orderings)
        self.field = self.ordering.lstrip("-")
        self.expression = getattr(view, "sort_expressions", {}).get(self.field)
        if self.expression is not None:
            self.field = f"sorted_{self.field}"
            queryset = queryset.annotate(**{self.field: self.expression})
        size = _read_page_size(request)
        cursor = _read_cursor(request, self.ordering)
        if cursor is not None and not self.fits(queryset, cursor.value):
            raise _bad_cursor()
        self.count = self.count_rows(queryset) if read_choice(request, "count", ("0", "1")) == "1" else None
        backward = cursor is not None and cursor.direction == "before"
        rows = self.fetch(queryset, cursor, size + 1, backward=backward)
        more, rows = len(rows) > size, rows[:size]
        if backward:
            rows.reverse()
        has_next, has_previous = (True, more) if backward else (more, cursor is not None)
        self.next = self._link("after", rows[-1]) if rows and has_next else None
        self.previous = self._link("before", rows[0]) if rows and has_previous else None
        return rows

    def fits(self, queryset: Any, value: int | str | None) -> bool:
        """Tell whether a cursor's value can be one of the list's field."""
        if self.expression is not None:
            return isinstance(value, int)
        column = queryset.model._meta.get_field(self.field)
        if value is None:
            return bool(column.null)
        return isinstance(value, int) == isinstance(column, models.IntegerField)

    def count_rows(self, queryset: Any) -> int:
        """Return how many rows the whole list has."""
        return int(queryset.count())

    def fetch(self, queryset: Any, cursor: Cursor | None, limit: int, *, backward: bool) -> list[Any]:
        """Return the first rows beyond the cursor; backward, those before it from its place on."""
        is_nullable = self.expression is None and queryset.model._meta.get_field(self.field).null
        descending = self.ordering.startswith("-") != backward
        return list(_page(queryset, self.field, cursor, descending=descending, is_nullable=is_nullable)[:limit])

    def _link(self, direction: Literal["after", "before"], row: Any) -> str:
        value = getattr(row, self.field)
        text = json.dumps([direction, self.ordering, value, row.pk], separators=(",", ":"))
        cursor = base64.urlsafe_b64encode(text.encode()).decode("ascii").rstrip("=")
        return replace_query_param(self.request.build_absolute_uri(), "cursor", cursor)

    def get_paginated_response(self, data: Any) -> Response:
        page = {"next": self.next, "previous": self.previous, "results": data}
        return Response(page if self.count is None else {"count": self.count} | page)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "count": {"type": "integer", "description": "Total number of rows, with `?count=1`."},
                "next": link,
                "previous": link,
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        size = {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE, "default": PAGE_SIZE}
        ordering = {"type": "string", "enum": list(view.orderings), "default": view.orderings[0]}
        shapes = {
            "cursor": (
                {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"},
                "A position in the list, taken from `next` or `previous`.",
            ),
            "page_size": (size, "Rows per page."),
            "ordering": (ordering, "The order of the list."),
            "count": ({"type": "integer", "enum": [0, 1], "default": 0}, "1 adds the total number of rows."),
        }
        return [
            {"name": name, "in": "query", "required": False, "schema": shape, "description": description}
            for name, (shape, description) in shapes.items()
        ]


class NamePagination(CursorPagination):
    """Pages of a short list that is in memory, sorted by name."""

    def fits(self, queryset: Any, value: int | str | None) -> bool:
        return isinstance(value, str)

    def count_rows(self, queryset: Any) -> int:
        return len(queryset)

    def fetch(self, queryset: list[Any], cursor: Cursor | None, limit: int, *, backward: bool) -> list[Any]:
        if cursor is None:
            return queryset[:limit]
        if backward:
            return [row for row in reversed(queryset) if row.name < str(cursor.value)][:limit]
        return [row for row in queryset if row.name > str(cursor.value)][:limit]


def _page(
    queryset: models.QuerySet[Any], field: str, cursor: Cursor | None, *, descending: bool, is_nullable: bool
) -> models.QuerySet[Any]:
    # NULL is the smallest value, as SQLite has it, so that an index serves both directions there.
    ends = {"nulls_last" if descending else "nulls_first": True} if is_nullable else {}
    by_value = F(field).desc(**ends) if descending else F(field).asc(**ends)
    queryset = queryset.order_by(by_value, "-pk" if descending else "pk")
    if cursor is None:
        return queryset
    return queryset.filter(_beyond(field, cursor.value, cursor.pk, descending, is_nullable))


def _beyond(field: str, value: int | str | None, pk: int, descending: bool, is_nullable: bool) -> Q:
    further = "lt" if descending else "gt"
    same_but_further = Q(**{f"pk__{further}": pk})
    if value is None:
        nulls = Q(**{f"{field}__isnull": True}) & same_but_further
        return nulls if descending else nulls | Q(**{f"{field}__isnull": False})
    # Only the first condition limits the index scan; the second removes rows of the previous page.
    beyond = Q(**{f"{field}__{further}e": value}) & (Q(**{f"{field}__{further}": value}) | same_but_further)
    return beyond | Q(**{f"{field}__isnull": True}) if descending and is_nullable else beyond


def read_choice(request: Request, name: str, choices: Sequence[str]) -> str:
    """Return a choice of the query, by default the first one. Raises `Problem`."""
    value = request.query_params.get(name) or choices[0]
    if value not in choices:
        raise bad_parameter(name, f"{name} must be one of: {', '.join(choices)}.")
    return value


def _read_page_size(request: Request) -> int:
    text = request.query_params.get("page_size") or str(PAGE_SIZE)
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MAX_PAGE_SIZE):
        raise bad_parameter("page_size", f"page_size must be a number from 1 to {MAX_PAGE_SIZE}.")
    return int(text)


def _read_cursor(request: Request, ordering: str) -> Cursor | None:
    text = request.query_params.get("cursor")
    if not text:
        return None
    try:
        plain = base64.b64decode(text + "=" * (-len(text) % 4), altchars="-_", validate=True).decode()
        cursor = Cursor(*json.loads(plain))
    except (binascii.Error, ValueError, TypeError, RecursionError) as error:
        raise _bad_cursor() from error
    is_value = cursor.value is None or _is_int64(cursor.value) or _is_text(cursor.value)
    is_place = cursor.direction in ("after", "before") and _is_int64(cursor.pk)
    if not is_value or not is_place or cursor.ordering != ordering:
        raise _bad_cursor()
    return cursor


def _is_int64(value: Any) -> bool:
    return type(value) is int and -INT64 <= value < INT64


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and is_storable(value)


def _bad_cursor() -> Exception:
    return bad_parameter("cursor", "The cursor does not belong to this list. Use the address in next or previous.")
