"""A chat's row: its header, and what its messages add to its hash."""

import time
from dataclasses import dataclass
from typing import Any

from django.db.models import F
from django.utils import timezone

from chats.bigagi.conversation import CONVERSATION, CONVERSATIONS, STORE, chat_to_json, hash_conversation
from chats.bigagi.rows import has_damage
from chats.models import Conversation
from stores import jsontext
from stores.codecs import JSONObject
from stores.journal.delta import Delta, diff
from stores.journal.recorder import Entry
from stores.quarantine import load_quarantined
from stores.sql import fetch


def now_ms() -> int:
    """Return the present time as big-AGI has it: milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


@dataclass(slots=True)
class Member:
    """A message, or a damaged member in the place of one (`pk` is None)."""

    position: int
    pk: int | None
    uid: str
    content_hash: str


def read_members(chat: Conversation) -> list[Member]:
    """Return the members of the chat's list of messages, in order."""
    statement = (
        "SELECT position, id, uid, content_hash FROM {chats.Message} WHERE conversation_id = %s ORDER BY position"
    )
    members = [Member(*row) for row in fetch(statement, [chat.pk])]
    if has_damage():
        for _, position, damaged in load_quarantined(STORE, "messages", [chat.pk]):
            members.append(Member(position, None, "", jsontext.content_hash(damaged)))
        members.sort(key=lambda member: member.position)
    return members


def header_of(chat: Conversation) -> JSONObject:
    """Return the chat's JSON without its messages."""
    header = chat_to_json(chat)
    del header["messages"]
    return header


def save_header(
    entry: Entry, chat: Conversation, before: JSONObject, after: JSONObject, members: list[Member], delta: Delta
) -> None:
    """Write the chat's row after its header, or its messages (what became of them is in `delta`), were changed."""
    delta = [*diff(before, after), *delta]
    content_hash = hash_conversation(after, [member.content_hash for member in members])
    if content_hash == chat.content_hash:
        return
    columns, extra = CONVERSATION.split(after)
    if extra.get("id") == chat.uid:
        del extra["id"]
    values = columns | {"extra": extra or None}
    Conversation.objects.filter(pk=chat.pk).update(
        **{name: value for name, value in values.items() if not _is_same(getattr(chat, name), value)},
        content_hash=content_hash,
        revision=F("revision") + 1,
        updated_at=timezone.now(),
    )
    entry.updated(CONVERSATIONS.kind, chat.uid, chat.content_hash, content_hash, delta)
    chat.revision += 1


def _is_same(one: Any, other: Any) -> bool:
    """Tell whether two values of a column are one and the same in JSON, where 1, 1.0 and true are three, and 0.0 and
    -0.0 are two."""
    return type(one) is type(other) and not isinstance(one, dict | list) and repr(one) == repr(other)
