"""The personas that the person makes: big-AGI keeps them in one store, as a list with the newest first."""

import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from chats.personas import BUILT_IN, KEY, STORE, find_persona, is_persona, name_of
from stores.models import Change
from stores.records import editing, jsontext
from stores.records.codecs import JSONObject, is_id
from stores.records.errors import Conflict, Missing, Taken, at
from stores.records.journal.recorder import Entry, Origin
from stores.records.json_values import text_or_empty
from stores.records.merge_patch import merge
from stores.records.preconditions import ANY, Precondition
from stores.services.states import edit_state

MOST = 100
"""Personas that big-AGI keeps; it drops the oldest beyond that."""
VERSION = 1
"""The version of the store that big-AGI writes."""

_ALPHABET = string.ascii_lowercase + string.digits


@dataclass(frozen=True)
class PersonaWritten:
    """A persona as it is kept, and the journal's entry; None where nothing was changed."""

    persona: JSONObject
    change: Change | None
    lost_keys: list[str] = field(default_factory=list)


def etag_of_persona(persona: JSONObject) -> str:
    """Return the ETag of one persona, which no change of another one changes."""
    return f'"{jsontext.content_hash(persona)}"'


def create_persona(origin: Origin, persona: JSONObject) -> PersonaWritten:
    """Put a new persona in front of the others, under its own id or a new one. Raises `Taken` and `Conflict`."""
    made: JSONObject = {}

    def add(entry: Entry, personas: list[Any]) -> list[Any]:
        _check_room(personas)
        uid = persona.get("id") or _new_id(personas)
        if not is_id(uid) or uid in BUILT_IN:
            raise at("/id", "Must be a string of 1 to 200 characters, and not the id of one of big-AGI's own personas.")
        if find_persona(uid, list(filter(is_persona, personas))):
            raise Taken(f"The id {uid} is taken by another persona.")
        taken_in = editing.take_in(entry, persona, None, uid)
        made.update({"creationDate": _now(), "inputText": ""} | taken_in | {"id": uid})
        return [made, *personas]

    return _written(_edit(origin, "create persona", add), made)


def copy_persona(origin: Origin, uid: str) -> PersonaWritten:
    """Put a copy of a persona in front of the others. Raises `Missing` and `Conflict`."""
    made: JSONObject = {}

    def copy(entry: Entry, personas: list[Any]) -> list[Any]:
        _check_room(personas)
        stored = personas[_place_of(personas, uid)]
        made.update(stored | {"id": _new_id(personas), "name": f"{name_of(stored)} (copy)", "creationDate": _now()})
        return [made, *personas]

    return _written(_edit(origin, "copy persona", copy), made)


def patch_persona(origin: Origin, uid: str, patch: JSONObject, precondition: Precondition = ANY) -> PersonaWritten:
    """Change members of a persona (JSON Merge Patch). Raises `Missing`, `Invalid` and `Stale`."""
    made: JSONObject = {}

    def change(entry: Entry, personas: list[Any]) -> list[Any]:
        place = _place_of(personas, uid)
        stored = personas[place]
        precondition.check(etag_of_persona(stored))
        if patch.get("id", uid) != uid:
            raise at("/id", "The id of a persona cannot be changed.")
        made.update(merge(stored, editing.take_in(entry, patch, stored, uid)))
        if not text_or_empty(made.get("systemPrompt")).strip():
            raise at("/systemPrompt", "A persona must have a system prompt.", "required")
        return [*personas[:place], made, *personas[place + 1 :]]

    return _written(_edit(origin, "patch persona", change), made)


def delete_persona(origin: Origin, uid: str, precondition: Precondition = ANY) -> Change | None:
    """Delete a persona. Chats that have it keep its id, and are sent with the default prompt. Raises `Missing` and
    `Stale`."""

    def without(entry: Entry, personas: list[Any]) -> list[Any]:
        place = _place_of(personas, uid)
        precondition.check(etag_of_persona(personas[place]))
        return [*personas[:place], *personas[place + 1 :]]

    return _edit(origin, "delete persona", without).change


def _edit(origin: Origin, action: str, edit: Callable[[Entry, list[Any]], list[Any]]) -> Entry:
    def edit_personas(entry: Entry, state: Any) -> Any:
        personas = state.get(KEY, []) if isinstance(state, dict) else None
        if not isinstance(personas, list):
            raise Conflict(
                f"The store {STORE} does not hold a list of personas. Restore a revision of it, or delete it."
            )
        return state | {KEY: edit(entry, personas)}

    return edit_state(origin, action, STORE, edit_personas, new={"state": {KEY: []}, "version": VERSION})


def _place_of(personas: list[Any], uid: str) -> int:
    for place, persona in enumerate(personas):
        if is_persona(persona) and persona["id"] == uid:
            return place
    raise Missing(f"There is no persona {uid}.")


def _check_room(personas: list[Any]) -> None:
    if len(personas) >= MOST:
        raise Conflict(f"There are {len(personas)} personas already; big-AGI keeps at most {MOST}. Delete one first.")


def _new_id(personas: list[Any]) -> str:
    taken = {persona["id"] for persona in personas if is_persona(persona)}
    while (uid := "".join(secrets.choice(_ALPHABET) for _ in range(8))) in taken:
        pass
    return uid


def _now() -> str:
    """Return the time as browsers write it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _written(entry: Entry, persona: JSONObject) -> PersonaWritten:
    return PersonaWritten(persona, entry.change, entry.lost_keys)
