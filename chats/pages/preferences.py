"""The owner's preferences for the chat page, from their store."""

from typing import Any

from stores.defaults import DEFAULTS
from stores.models import Store

_HONOURED: dict[str, set[Any]] = {
    "enterIsNewline": {True, False},
    "doubleClickToEdit": {True, False},
    "contentScaling": {"xs", "sm", "md"},
    "centerMode": {"narrow", "wide", "full"},
}
"""Members of `app-ui` that the page honours, and the values that it knows."""


def read_state(name: str) -> dict[str, Any]:
    """Return a store's state; nothing where there is no such store."""
    row = Store.objects.filter(name=name).first()
    data = row.data if row is not None and isinstance(row.data, dict) else {}
    state = data.get("state", data)
    return state if isinstance(state, dict) else {}


def read_ui() -> dict[str, Any]:
    """Return the preferences that the page honours; what is absent or odd is as big-AGI's defaults have it."""
    state, defaults = read_state("app-ui"), DEFAULTS["app-ui"]["state"]
    return {
        name: next(value for value in (state.get(name), defaults[name]) if _is_one_of(value, known))
        for name, known in _HONOURED.items()
    }


def _is_one_of(value: Any, known: set[Any]) -> bool:
    return isinstance(value, str | bool) and value in known
