"""The owner's preferences for the chat page, and the personas, from their stores."""

from typing import Any

from chats.models import Conversation
from stores.defaults import DEFAULTS
from stores.models import Store
from stores.records.secrets import mask

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

_BUILT_IN = {
    "Generic": "Default",
    "Developer": "Developer",
    "DeveloperPreview": "Developer preview",
    "Scientist": "Scientist",
    "Catalyst": "Catalyst",
    "Executive": "Executive",
    "Designer": "Designer",
    "YouTubeTranscriber": "YouTube transcriber",
    "Custom": "Custom",
}


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


def read_personas(current: str | None) -> list[tuple[str, str, bool]]:
    """Return id, name and whether it is the current one of the personas that a chat can have."""
    names = {"Generic": _BUILT_IN["Generic"]}
    personas = mask(read_state("app-app-personas").get("simplePersonas"))
    for persona in personas if isinstance(personas, list) else ():
        if isinstance(persona, dict) and isinstance(persona.get("id"), str):
            name = persona.get("name")
            names[persona["id"]] = name if isinstance(name, str) and name else "Unnamed persona"
    used = Conversation.objects.exclude(system_purpose_id=None).order_by()
    for uid in used.values_list("system_purpose_id", flat=True).distinct()[:20]:
        names.setdefault(uid or "", _BUILT_IN.get(uid or "", uid or ""))
    if current:
        names.setdefault(current, _BUILT_IN.get(current, current))
    return [(uid, name, uid == (current or "Generic")) for uid, name in names.items() if uid]
