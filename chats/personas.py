"""The personas that a chat can have: big-AGI's own, of which only the names are known here, and those that the person
made, which big-AGI keeps in the store `app-app-personas`."""

from dataclasses import dataclass
from typing import Any

from chats.models import Conversation
from stores.models import Store
from stores.records.codecs import JSONObject, is_id
from stores.records.envelope import envelope_of
from stores.records.json_values import text_or_empty
from stores.records.secrets import mask
from stores.records.sql import fetch

STORE, KEY = "app-app-personas", "simplePersonas"
DEFAULT = "Generic"

BUILT_IN = {
    DEFAULT: "Default",
    "Developer": "Developer",
    "DeveloperPreview": "Developer preview",
    "Scientist": "Scientist",
    "Catalyst": "Catalyst",
    "Executive": "Executive",
    "Designer": "Designer",
    "YouTubeTranscriber": "YouTube transcriber",
    "Custom": "Custom",
}
"""big-AGI's own personas by their ids."""

LISTED = 20
"""Personas that are offered because chats have them."""


@dataclass(frozen=True)
class PersonaChoice:
    """A persona that a chat can have."""

    uid: str
    name: str
    is_own: bool = False
    """Whether the person made it, so that its text is here."""


def is_persona(member: Any) -> bool:
    """Tell whether a member of the store's list is a persona that a chat can name."""
    return isinstance(member, dict) and is_id(member.get("id"))


def load_personas() -> list[JSONObject]:
    """Return the personas that the person made, in their order; secrets are references."""
    store = Store.objects.filter(name=STORE).first()
    state = envelope_of(store).data if store is not None else None
    held = state.get(KEY) if isinstance(state, dict) else None
    return [persona for persona in held if is_persona(persona)] if isinstance(held, list) else []


def find_persona(uid: Any, personas: list[JSONObject] | None = None) -> JSONObject | None:
    """Return the person's persona of this id; of several the first."""
    if personas is None:
        # Few make any, and every generation asks.
        if not isinstance(uid, str) or not fetch("SELECT 1 FROM {stores.Store} WHERE name = %s", [STORE]):
            return None
        personas = load_personas()
    return next((persona for persona in personas if persona["id"] == uid), None)


def prompt_of_persona(uid: Any) -> str:
    """Return the system prompt of a persona that the person made, or nothing; secrets are references."""
    return text_or_empty((find_persona(uid) or {}).get("systemPrompt"))


def name_of(persona: JSONObject) -> str:
    """Return what a persona that the person made is called."""
    return text_or_empty(persona.get("name")).strip() or "Unnamed persona"


def find_title(uid: str | None) -> str:
    """Return what the persona of a chat is called; secrets are references."""
    own = find_persona(uid)
    return name_of(own) if own else describe_unknown(uid or DEFAULT)


def read_names() -> dict[str, str]:
    """Return what the personas that are known are called, by their ids; secrets are masked."""
    return BUILT_IN | _read_own()


def _read_own() -> dict[str, str]:
    own: dict[str, str] = {}
    for persona in mask(load_personas()):
        own.setdefault(persona["id"], name_of(persona))
    return own


def list_choices(current: str | None) -> list[PersonaChoice]:
    """Return the personas to choose from, the default one first: those of the person, and those that chats have."""
    own = _read_own()
    names = {DEFAULT: BUILT_IN[DEFAULT]} | own
    used = Conversation.objects.exclude(system_purpose_id=None).order_by()
    for uid in used.values_list("system_purpose_id", flat=True).distinct()[:LISTED]:
        names.setdefault(uid or "", describe_unknown(uid or ""))
    if current:
        names.setdefault(current, describe_unknown(current))
    return [PersonaChoice(uid, name, uid in own) for uid, name in names.items() if uid]


def describe_unknown(uid: str) -> str:
    """Return what a persona is called that the person did not make."""
    return BUILT_IN.get(uid) or f"Unknown persona ({uid})"
