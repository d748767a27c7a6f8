"""JSON of unknown shape, read as what it should be: what is of another type counts as absent. Pure."""

from collections.abc import Mapping
from typing import Any, TypeGuard

MAX_COUNT = 2**53
"""Above this, JavaScript no longer counts exactly."""


def is_number(value: Any) -> TypeGuard[int | float]:
    """Tell whether it is a JSON number: true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def number_or_none(value: Any) -> int | float | None:
    return value if is_number(value) else None


def number_in(value: Any, key: str) -> int | float | None:
    """Return the number under the key of an object; None where there is none."""
    return number_or_none(value.get(key)) if isinstance(value, Mapping) else None


def count_or_none(value: Any) -> int | None:
    """Return a count of things; None where it is no number, negative, or beyond all counting."""
    return int(value) if is_number(value) and 0 <= value < MAX_COUNT else None


def text_or_empty(value: Any) -> str:
    return value if isinstance(value, str) else ""


def object_or_empty(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def object_in(value: Any, key: str) -> dict[str, Any]:
    """Return the object under the key of an object; an empty one where there is none."""
    return object_or_empty(value.get(key)) if isinstance(value, Mapping) else {}


def objects_of(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list; none where it is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
