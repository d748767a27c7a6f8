"""Ids that are derived, for what has none of its own. Pure: the same input gives the same id at each import."""

import hashlib
from typing import Any

from stores.records import jsontext
from stores.records.codecs import is_id


def derived_id(*parts: object, length: int = 21) -> str:
    """Return an id made from what it is derived from, so that a conversion can be repeated."""
    return hashlib.sha256("\n".join(map(str, parts)).encode("utf-8", "replace")).hexdigest()[:length]


def chat_uid(record: Any) -> str | None:
    """Return the id that a chat goes by: its own, or one derived from the number in its place, or from when it began.

    None for what is no object: that is no chat.
    """
    if not isinstance(record, dict):
        return None
    uid = record.get("id")
    if is_id(uid):
        return str(uid)
    if uid is not None and uid != "":
        return derived_id("chat", jsontext.canonical(uid))
    created = record.get("created")
    if created is not None:
        # What else it has can change: its messages, its title.
        return derived_id("chat without id", jsontext.canonical(created))
    messages = record.get("messages")
    first = messages[0] if isinstance(messages, list) and messages else None
    return derived_id("chat without id or time", jsontext.canonical(first))


def twin_uid(uid: str, number: int) -> str:
    """Return the id of a chat whose own id another chat of its list has; `number` counts such chats from 1."""
    return derived_id("twin", uid, number)
