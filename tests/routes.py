"""All routes of the site, walked through the URL configuration: none can be forgotten by a test that uses this."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

WRITING = ("POST", "PUT", "PATCH", "DELETE")
IDS = {
    "number": "1",
    "run": "1",
    "kind": "conversation",
    "label": "chats",
    "file": "one",
    "field": "body",
    "act": "undo",
    "section": "chat",
    "app_label": "chats",
}
"""What stands in a path for its groups, unless it is `one`, the id of every record that a test makes."""
BY_NUMBER = ("changes", "migrations", "revisions")


@dataclass(frozen=True)
class Route:
    """One route: a path that it takes, and the methods that its view has; None where the view decides itself."""

    path: str
    methods: frozenset[str] | None
    view: Any

    def __str__(self) -> str:
        return self.path

    @property
    def is_api(self) -> bool:
        return self.path == "/api" or self.path.startswith("/api/")

    @property
    def writing(self) -> list[str]:
        """The writing methods that the view has, or might have."""
        return [method for method in WRITING if self.methods is None or method in self.methods]


def all_routes() -> list[Route]:
    """Return all routes of the site."""
    return list(_walk(get_resolver().url_patterns))


def api_routes() -> list[Route]:
    """Return the routes under /api/."""
    return [route for route in all_routes() if route.is_api]


def _walk(patterns: Any, prefix: str = "") -> Iterator[Route]:
    for entry in patterns:
        regex = prefix + entry.pattern.regex.pattern.removeprefix("^").removeprefix(r"\A")
        if isinstance(entry, URLResolver):
            yield from _walk(entry.url_patterns, regex)
        elif isinstance(entry, URLPattern):
            yield Route(_path_of(regex), _methods_of(entry.callback), entry.callback)


def _path_of(regex: str) -> str:
    regex = regex.replace("^", "").removesuffix(r"\Z").removesuffix("$").removesuffix("/?")
    parts = regex.split("/")
    kind = parts[1] if parts[0] == "api" and len(parts) > 1 else ""

    def fill(match: re.Match[str]) -> str:
        name = match[1]
        if name == "id":
            return "1" if kind in BY_NUMBER else "m0" if "/messages/" in regex else "one"
        return IDS.get(name, "1" if name.endswith(("pk", "_id")) else "one")

    return "/" + re.sub(r"\\(.)", r"\1", re.sub(r"\(\?P<(\w+)>[^)]*\)", fill, regex))


def _methods_of(callback: Any) -> frozenset[str] | None:
    if actions := getattr(callback, "actions", None):
        return frozenset(method.upper() for method in actions)
    view_class = getattr(callback, "cls", None) or getattr(callback, "view_class", None)
    if view_class is None:
        return None
    return frozenset(name.upper() for name in view_class.http_method_names if hasattr(view_class, name))
