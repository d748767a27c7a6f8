"""The ids of the messages in a chat that a client sends: made where missing, the same where they were shown."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from chats.bigagi.conversation import CONVERSATIONS
from chats.bigagi.message import find_message_uids
from chats.bigagi.rows import load_messages
from chats.models import Conversation
from chats.services import ids
from stores.records import jsontext
from stores.records.codecs import JSONObject
from stores.records.errors import at
from stores.records.secrets import mask


def with_message_ids(record: JSONObject, kept: Iterable[tuple[str, JSONObject]] = ()) -> JSONObject:
    """Return the chat that a client sent, each of its messages with an id that no other one has.

    `kept` are the chat's messages that have no id of their own: the id under which they are shown, and what is stored.
    One that comes back as it was shown stays what is stored. Raises `Invalid`.
    """
    messages = record.get("messages")
    if not isinstance(messages, list):
        return record
    stored: dict[str, list[JSONObject]] = defaultdict(list)
    for uid, message in kept:
        for shown in (mask(message), mask(message) | {"id": uid}):
            stored[jsontext.canonical(shown)].append(message)
    taken: set[str] = set()
    made: list[Any] = []
    for index, message in enumerate(messages):
        if not isinstance(message, dict):
            made.append(message)
            continue
        message = {name: value for name, value in message.items() if name != "_server"}
        if stored and (found := stored.get(jsontext.canonical(message))):
            made.append(found.pop())
            continue
        message = {"id": ids.new_message_id()} | message
        uid = ids.read_id(message, f"/messages/{index}")
        if uid in taken:
            raise at(f"/messages/{index}/id", "Must be unique in the chat.", "unique")
        taken.add(uid)
        made.append(message)
    return record | {"messages": made}


def messages_without_own_id(chat: Conversation) -> list[tuple[str, JSONObject]]:
    """Return the id and the stored JSON of each message of the chat whose id was derived."""
    rows = dict(chat.messages.filter(has_derived_uid=True).order_by("position").values_list("position", "uid"))
    keys = list(chat.messages.filter(has_derived_uid=True).values_list("pk", flat=True)) if rows else []
    return [(rows[position], message) for _, position, message in load_messages(keys, by="id")]


def show_uids(chat: Conversation, record: JSONObject) -> JSONObject:
    """Return the JSON that was just written of a chat, with the ids under which it and its messages are addressed."""
    shown = [message.get("id") if isinstance(message, dict) else "" for message in record["messages"]]
    if record.get("id") == chat.uid and shown == find_message_uids(record["messages"]):
        return record
    shown_record: JSONObject = CONVERSATIONS.load([chat], shows_uids=True)[0]
    return shown_record
