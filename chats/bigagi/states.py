"""What of a chat a person can read, and what states of it have in common. Pure."""

from collections import Counter
from typing import Any

from chats.bigagi.conversion import is_old_message
from chats.bigagi.message import TEXT_PATHS, why_damaged_fragment
from stores.records import jsontext
from stores.records.codecs import JSONObject

PENDING = "pendingIncomplete"
"""The member of a message that somebody still writes."""
VOLATILE = frozenset({"updated", "tokenCount", PENDING})
"""Members of chats and messages that big-AGI changes by itself."""


def contains_chat(stored: Any, incoming: Any) -> bool:
    """Tell whether all messages and titles of the other state, and what a person gave it, are in the stored one."""
    if not isinstance(stored, dict) or not isinstance(incoming, dict):
        return False
    for key, value in incoming.items():
        if key not in VOLATILE and key != "messages" and not (key in stored and jsontext.same(stored[key], value)):
            return False
    rest = Counter(map(_kept, incoming["messages"])) - Counter(map(_kept, stored["messages"]))
    return all(any(_has_all(one, jsontext.decode(text)) for one in stored["messages"]) for text in rest.elements())


def _has_all(stored: Any, incoming: Any) -> bool:
    """Tell whether a message has all that another state of it says, and maybe reasoning that the other has not."""
    if not isinstance(stored, dict) or not isinstance(incoming, dict) or stored.get("id") != incoming.get("id"):
        return False
    mine, theirs = stored.get("fragments"), incoming.get("fragments")
    if not isinstance(mine, list) or not isinstance(theirs, list):
        return False
    return not Counter(map(jsontext.canonical, theirs)) - Counter(map(jsontext.canonical, mine)) and all(
        key in VOLATILE or key == "fragments" or (key in stored and jsontext.same(stored[key], value))
        for key, value in incoming.items()
    )


def seen_content(message: Any) -> str:
    """Return text that is the same for messages in which a person reads the same. Reasoning, which big-AGI drops by
    itself, does not count, nor do ids and flags."""
    if not isinstance(message, dict) or not isinstance(message.get("fragments"), list):
        return jsontext.canonical(message)
    seen = [
        {key: fragment[key] for key in ("ft", "title", "part") if key in fragment}
        for fragment in message["fragments"]
        if isinstance(fragment, dict) and fragment.get("ft") != "void"
    ]
    return jsontext.canonical([message.get("role"), seen])


def seen_messages(chat: Any) -> list[str]:
    """Return what a person reads in each message of the chat that can be read."""
    return [seen_content(message) for message in _messages(chat) if not why_unreadable_message(message)]


def count_unreadable(chat: Any) -> dict[str, int]:
    """Return how many messages of the chat nobody can read, and how many fragments of those that can be read."""
    messages = fragments = 0
    for message in _messages(chat):
        if why_unreadable_message(message):
            messages += 1
        else:
            fragments += sum(1 for fragment in message.get("fragments", ()) if why_damaged_fragment(fragment))
    return {"message": messages, "fragment": fragments}


def read_text(chat: Any) -> str:
    """Return the chat's messages as plain text: who wrote each, and what can be read in it."""
    turns = []
    for message in _messages(chat):
        if isinstance(message, dict):
            role = message.get("role")
            texts = "\n".join(filter(None, map(_text_of, message.get("fragments") or ())))
            turns.append(f"{str(role).capitalize() if isinstance(role, str) else 'Message'}:\n{texts}")
    return "\n\n".join(turns)


def read_message(message: Any) -> str:
    """Return one message as plain text; nothing for what is none."""
    is_message = isinstance(message, dict) and isinstance(message.get("fragments"), list)
    return read_text({"messages": [message]}) if is_message else ""


def _text_of(fragment: Any) -> str:
    held = fragment.get("part") if isinstance(fragment, dict) else None
    pt = held.get("pt") if isinstance(held, dict) else None
    path = TEXT_PATHS.get(pt, ()) if isinstance(pt, str) else ()
    for key in path:
        held = held.get(key) if isinstance(held, dict) else None
    return held if path and isinstance(held, str) else ""


def why_unreadable_message(message: Any) -> str:
    """Say why nothing of the message can be read, or nothing."""
    if not isinstance(message, dict):
        return "a message that is no object"
    if is_old_message(message):
        return ""
    return "" if isinstance(message.get("fragments"), list) else "a message without its list of fragments"


def _messages(chat: Any) -> list[Any]:
    messages = chat.get("messages") if isinstance(chat, dict) else None
    return messages if isinstance(messages, list) else []


def _kept(message: Any) -> str:
    if isinstance(message, dict):
        message = {key: value for key, value in message.items() if key not in VOLATILE}
    return jsontext.canonical(message)


def settle_chat(stored: JSONObject, before: JSONObject) -> JSONObject:
    """Return what an undo makes of a chat, its state before, in which no message that has ended is pending again:
    nobody would ever end it."""

    def uid_of(message: Any) -> str | None:
        uid = message.get("id") if isinstance(message, dict) else None
        return uid if isinstance(uid, str) else None

    ended = {uid_of(message) for message in stored["messages"] if uid_of(message) and not message.get(PENDING)}
    messages = [
        {name: value for name, value in message.items() if name != PENDING or not value}
        if uid_of(message) in ended
        else message
        for message in before["messages"]
    ]
    return before | {"messages": messages}
