"""Walks through an OpenAPI description."""

from collections.abc import Iterator
from typing import Any


def operations_of(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield path, method in small letters, and description of each operation."""
    for path, operations in schema.get("paths", {}).items():
        for method, operation in operations.items():
            yield path, method, operation


def references_in(value: Any) -> Iterator[str]:
    """Yield the names of the shapes that a part of the description refers to."""
    for part in parts_of(value):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"].rpartition("/")[2]


def parts_of(value: Any) -> Iterator[dict[str, Any]]:
    """Yield each object in a part of the description, and itself."""
    if isinstance(value, dict):
        yield value
        for inner in list(value.values()):
            yield from parts_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from parts_of(inner)
