"""Two states of one chat, told apart by what they say. Pure.

Times do not tell: a rename here is later than what was written in a browser before it, and clocks can be wrong.
"""

from collections import Counter
from typing import Any

from chats.bigagi.conversion import is_old_message
from chats.bigagi.message import TEXT_PATHS, why_damaged_fragment
from stores import jsontext
from stores.codecs import JSONObject
from stores.collections import Age

VOLATILE = frozenset({"updated", "tokenCount", "pendingIncomplete"})
"""Members of chats and messages that big-AGI changes by itself."""


def compare_chats(ours: Any, theirs: Any) -> Age:
    """Tell which state is the older one: that whose messages are the beginning of the other's."""
    mine, others = (list(map(seen_content, _messages(chat))) for chat in (ours, theirs))
    if mine == others:
        return Age.UNKNOWN
    if others == mine[: len(others)]:
        return Age.OLDER
    return Age.NEWER if mine == others[: len(mine)] else Age.UNKNOWN


def join_chats(ours: JSONObject, theirs: JSONObject) -> JSONObject:
    """Return our chat with the messages by which the other state of it is longer.

    Ours stay as they are: the browser drops the reasoning of all answers but the last (`bigagi-format.md` § 11).
    """
    messages = [*ours["messages"], *theirs["messages"][len(ours["messages"]) :]]
    times = [chat["updated"] for chat in (ours, theirs) if _is_number(chat.get("updated"))]
    return ours | {"messages": messages} | ({"updated": max(times)} if times else {})


def contains_chat(ours: Any, theirs: Any) -> bool:
    """Tell whether all of the other state's messages and titles, and what else a person gave it, are in ours."""
    if not isinstance(ours, dict) or not isinstance(theirs, dict):
        return False
    for key, value in theirs.items():
        if key not in VOLATILE and key != "messages" and not (key in ours and jsontext.same(ours[key], value)):
            return False
    return not Counter(map(_kept, theirs["messages"])) - Counter(map(_kept, ours["messages"]))


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
    told = []
    for message in _messages(chat):
        if isinstance(message, dict):
            role = message.get("role")
            texts = "\n".join(filter(None, map(_text_of, message.get("fragments") or ())))
            told.append(f"{str(role).capitalize() if isinstance(role, str) else 'Message'}:\n{texts}")
    return "\n\n".join(told)


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


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
