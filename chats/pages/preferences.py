"""The owner's preferences for the chat page, from their store."""

from typing import Any

from stores.defaults import DEFAULTS
from stores.models import Store

HONOURED: dict[str, dict[str, set[Any]]] = {
    "app-ui": {
        "enterIsNewline": {True, False},
        "doubleClickToEdit": {True, False},
        "contentScaling": {"xs", "sm", "md"},
        "centerMode": {"narrow", "wide", "full"},
        "renderCodeSoftWrap": {True, False},
    },
    "app-ux-labs": {"labsScreenWakeLock": {True, False}},
}
"""Members of big-AGI's preferences that the page honours, and the values that it knows."""


def read_state(name: str) -> dict[str, Any]:
    """Return a store's state; nothing where there is no such store."""
    row = Store.objects.filter(name=name).first()
    data = row.data if row is not None and isinstance(row.data, dict) else {}
    state = data.get("state", data)
    return state if isinstance(state, dict) else {}


def read_ui() -> dict[str, Any]:
    """Return the preferences that the page honours; what is absent or odd is as big-AGI's defaults have it."""
    preferences: dict[str, Any] = {}
    for store, members in HONOURED.items():
        state, defaults = read_state(store), DEFAULTS[store]["state"]
        for name, known in members.items():
            preferences[name] = next(value for value in (state.get(name), defaults[name]) if is_one_of(value, known))
    return preferences


def is_one_of(value: Any, known: set[Any]) -> bool:
    return isinstance(value, str | bool) and value in known
