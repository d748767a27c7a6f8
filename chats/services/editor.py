"""The one writer of a stored chat: its messages, its header, the hash over both, and the difference for the journal.

What a write costs grows with the number of messages, whose hashes are read, and not with their texts."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.utils import timezone

from chats.bigagi import rows as table
from chats.bigagi.conversation import CONVERSATION, CONVERSATIONS, STORE, chat_to_json, hash_conversation
from chats.bigagi.message import MessageRow, message_to_row
from chats.bigagi.rows import load_messages
from chats.models import Conversation
from stores.records import editing, jsontext
from stores.records.clock import now_ms
from stores.records.codecs import JSONObject, Unreadable
from stores.records.errors import Invalid, Missing, Taken
from stores.records.journal.delta import Delta, diff
from stores.records.journal.recorder import Entry
from stores.records.quarantine import load_quarantined, save_quarantine
from stores.records.sql import fetch, update_row


@dataclass(slots=True)
class MessageSlot:
    """The place of a message in its chat, or of a damaged member in the place of one (`pk` is None)."""

    position: int
    pk: int | None
    uid: str
    content_hash: str


def read_slots(chat: Conversation) -> list[MessageSlot]:
    """Return the places in the chat's list of messages, in order."""
    statement = (
        "SELECT position, id, uid, content_hash FROM {chats.Message} WHERE conversation_id = %s ORDER BY position"
    )
    slots = [MessageSlot(*row) for row in fetch(statement, [chat.pk])]
    if table.has_damage():
        for _, position, damaged in load_quarantined(STORE, "messages", [chat.pk]):
            slots.append(MessageSlot(position, None, "", jsontext.content_hash(damaged)))
        slots.sort(key=lambda slot: slot.position)
    return slots


class ConversationEditor:
    """Changes a chat whose row is locked, inside an open entry. Messages are written at once, the chat by `save`.

    `header` is the chat's JSON without its messages; whoever changes it assigns another one.
    """

    def __init__(self, entry: Entry, chat: Conversation) -> None:
        self.chat = chat
        self._entry = entry
        self._stored_header = chat_to_json(chat)
        del self._stored_header["messages"]
        self.header = self._stored_header
        self._delta: Delta = []

    @cached_property
    def slots(self) -> list[MessageSlot]:
        """The places in the chat's list of messages, in order."""
        return read_slots(self.chat)

    @property
    def next_position(self) -> int:
        """The position of a message that is appended."""
        return self.slots[-1].position + 1 if self.slots else 0

    def index_of(self, uid: str) -> int:
        """Return the place of a message in `slots`. Raises `Missing`."""
        for index, slot in enumerate(self.slots):
            if slot.uid == uid and slot.pk is not None:
                return index
        raise Missing(f"The chat has no message {uid}.")

    def load(self, uid: str) -> JSONObject:
        """Return the stored JSON of a message. Raises `Missing`."""
        [(_, _, message)] = load_messages([self.slots[self.index_of(uid)].pk or 0], by="id")
        return message

    def append(self, message: JSONObject) -> int:
        """Add a message that has an id at the end; return its position. Raises `Taken` and `Invalid`."""
        return self._add(len(self.slots), self.next_position, message)

    def prepend(self, message: JSONObject) -> int:
        """Add a message that has an id in front of the others; return its position. Raises `Taken` and `Invalid`."""
        if self.slots and self.slots[0].position == 0:
            # No message can stand before the position 0.
            table.shift_messages(self.chat.pk)
            for slot in self.slots:
                slot.position += 1
        return self._add(0, 0, message)

    def _add(self, index: int, position: int, message: JSONObject) -> int:
        uid = message["id"]
        if any(slot.uid == uid for slot in self.slots):
            raise Taken(f"The id {uid} is taken by another message of this chat.")
        row = _to_row(message, position)
        editing.refuse_damage(row.damaged)
        self._note([[["messages"], "splice", index, [], [message]]])
        self.slots.insert(index, MessageSlot(row.position, self._insert(row), row.uid, row.content_hash))
        return row.position

    def replace(self, uid: str, message: JSONObject, stored: JSONObject) -> bool:
        """Put another message in the place of one; return whether that changed it. Raises `Missing` and `Invalid`.

        `stored` is what the journal knows of it: its JSON, or of an answer that streams the message it began as.
        """
        index = self.index_of(uid)
        slot = self.slots[index]
        row = _to_row(message, slot.position, uid)
        if row.damaged:
            editing.refuse_damage(row.damaged, _to_row(stored, slot.position, uid).damaged)
        if row.content_hash == slot.content_hash:
            return False
        table.delete_messages([slot.pk or 0])
        slot.pk, slot.content_hash = self._insert(row), row.content_hash
        self._note([[["messages", index, *path], *rest] for path, *rest in diff(stored, message)])
        return True

    def delete(self, uid: str) -> tuple[int, JSONObject]:
        """Delete a message, and return its position and JSON. Those behind it keep theirs. Raises `Missing`."""
        index, stored = self.index_of(uid), self.load(uid)
        slot = self.slots.pop(index)
        table.delete_messages([slot.pk or 0])
        self._note([[["messages"], "splice", index, [stored], []]])
        return slot.position, stored

    def save(self) -> None:
        """Write the chat's row, and the difference into the journal, if anything was changed."""
        chat, header = self.chat, self.header
        content_hash = hash_conversation(header, [slot.content_hash for slot in self.slots])
        if content_hash == chat.content_hash:
            return
        columns, extra = CONVERSATION.split(header)
        if extra.get("id") == chat.uid:
            del extra["id"]
        values = columns | {"extra": extra or None}
        changed = {name: value for name, value in values.items() if not _is_same(getattr(chat, name), value)}
        changed |= {"content_hash": content_hash, "updated_at": timezone.now()}
        update_row(Conversation, chat.pk, changed, raises="revision")
        delta = [*diff(self._stored_header, header), *self._delta]
        self._entry.updated(CONVERSATIONS.kind, chat.uid, chat.content_hash, content_hash, delta)
        chat.revision += 1

    def _note(self, delta: Delta) -> None:
        self._delta += delta
        self.header = self.header | {"updated": now_ms()}

    def _insert(self, row: MessageRow) -> int:
        [pk] = table.insert_messages([(self.chat.pk, row)])
        for damaged in row.damaged:
            damaged.place = f"chat {self.chat.uid}, message {row.position}, fragment {damaged.position}"
        if row.damaged:
            save_quarantine(STORE, row.damaged, None, owner=pk)
        return pk


def _to_row(message: JSONObject, position: int, uid: str = "") -> MessageRow:
    try:
        return message_to_row(message, position, uid)
    except Unreadable as error:
        raise Invalid(f"Cannot be stored: {error.reason}.") from error


def _is_same(one: Any, other: Any) -> bool:
    """Tell whether two values of a column are one and the same in JSON, where 1, 1.0 and true are three, and 0.0 and
    -0.0 are two."""
    return type(one) is type(other) and not isinstance(one, dict | list) and repr(one) == repr(other)
