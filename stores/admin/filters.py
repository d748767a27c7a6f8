"""Filters of lists, called by words that people know and not by columns."""

from typing import Any

from django.contrib.admin import (
    AllValuesFieldListFilter,
    BooleanFieldListFilter,
    ChoicesFieldListFilter,
    DateFieldListFilter,
)
from django.contrib.admin.filters import FieldListFilter


def by_choice(field: str, title: str) -> tuple[str, type[FieldListFilter]]:
    """Return a filter by a field's choices."""
    return field, _named(ChoicesFieldListFilter, title)


def by_value(field: str, title: str) -> tuple[str, type[FieldListFilter]]:
    """Return a filter by the values that a field has."""
    return field, _named(AllValuesFieldListFilter, title)


def by_yes_no(field: str, title: str) -> tuple[str, type[FieldListFilter]]:
    """Return a filter by whether something is so."""
    return field, _named(BooleanFieldListFilter, title)


def by_date(field: str, title: str) -> tuple[str, type[FieldListFilter]]:
    """Return a filter by how long ago something was."""
    return field, _named(DateFieldListFilter, title)


def _named(base: type[FieldListFilter], title: str) -> type[FieldListFilter]:
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        super(made, self).__init__(*args, **kwargs)
        self.title = title

    # Of the same name: unfold shows filters by the names of their classes.
    made: type[FieldListFilter] = type(base.__name__, (base,), {"__init__": __init__})
    return made
