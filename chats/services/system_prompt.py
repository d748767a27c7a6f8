"""The system prompt of a chat: a system message at its start, where big-AGI has it (`bigagi-format.md` § 3)."""

from typing import Any

from chats.bigagi.conversation import CONVERSATIONS
from chats.services import ids
from chats.services.editor import ConversationEditor
from chats.services.messages import open_chat
from chats.system_messages import read_system_messages, text_of
from llms.pricing.estimator import estimate_tokens
from stores.records import editing
from stores.records.clock import now_ms
from stores.records.codecs import JSONObject
from stores.records.journal.recorder import Origin, record_change
from stores.records.preconditions import ANY, Precondition
from stores.records.written import Written


def set_system_prompt(origin: Origin, chat_uid: str, text: str, precondition: Precondition = ANY) -> Written:
    """Store the text as the chat's own system prompt. It takes the place of the system messages at the chat's start.

    Raises `Missing`, `Stale` and `Conflict`."""
    with record_change(origin, "set system prompt") as entry:
        editor = open_chat(entry, chat_uid, precondition)
        found = read_system_messages(editor.chat)
        text = editing.take_in(entry, {"text": text}, None, within=(CONVERSATIONS, editor.chat))["text"]
        if [text_of(message) for message in found.prompt] != [text]:
            _put(editor, [message["id"] for message in found.prompt or found.stale[:1]], text)
            editor.save()
    return Written(text, editor.chat, entry.change, entry.lost_keys)


def clear_system_prompt(origin: Origin, chat_uid: str, precondition: Precondition = ANY) -> Written:
    """Delete the chat's own system prompt: the persona's is sent again. Raises `Missing`, `Stale` and `Conflict`."""
    with record_change(origin, "clear system prompt") as entry:
        editor = open_chat(entry, chat_uid, precondition)
        for message in read_system_messages(editor.chat).prompt:
            editor.delete(message["id"])
        editor.save()
    return Written(None, editor.chat, entry.change)


def _put(editor: ConversationEditor, held: list[str], text: str) -> None:
    """Write the text into the first of the messages of these ids, and delete the others; without ids into a new one."""
    now = now_ms()
    # By the time of its edit big-AGI knows that it is not to put the persona's text in its place.
    members: JSONObject = {"tokenCount": estimate_tokens(text), "updated": now}
    if isinstance(persona := editor.header.get("systemPurposeId"), str):
        members["purposeId"] = persona
    if not held:
        new = {"id": ids.new_message_id(), "role": "system", "fragments": [], "created": now}
        editor.prepend(_with_text(new, text) | members)
        return
    first, *others = held
    stored = editor.load(first)
    editor.replace(first, _with_text(stored, text) | members, stored)
    for uid in others:
        editor.delete(uid)


def _with_text(message: JSONObject, text: str) -> JSONObject:
    """Return the message with this text in the place of its own; its other fragments stay."""
    fragments = list(message["fragments"])
    places = [place for place, fragment in enumerate(fragments) if _is_text(fragment)]
    part = {"pt": "text", "text": text}
    if places:
        first = fragments[places[0]]
        fragments[places[0]] = first | {"part": first["part"] | part}
        fragments = [fragment for place, fragment in enumerate(fragments) if place not in places[1:]]
    else:
        fragments.insert(0, {"ft": "content", "fId": ids.new_fragment_id(), "part": part})
    return message | {"fragments": fragments}


def _is_text(fragment: Any) -> bool:
    part = fragment.get("part") if isinstance(fragment, dict) else None
    return isinstance(part, dict) and part.get("pt") == "text"
