"""Pinned chats: they stand on top of the list."""

from chats.bigagi.pinned_chat import PINNED_CHATS
from chats.models import Conversation
from stores.records import editing
from stores.records.clock import now_ms
from stores.records.journal.recorder import Entry


def pin_one(entry: Entry, row: Conversation, *, is_pinned: bool) -> None:
    """Pin the chat, or take it back."""
    pin = PINNED_CHATS.find_for_write(row.uid)
    if not is_pinned:
        if pin is not None:
            editing.delete(entry, PINNED_CHATS, pin)
    elif pin is None:
        record = {"id": row.uid, "pinned": now_ms()}
        editing.insert(entry, PINNED_CHATS, editing.to_rows(PINNED_CHATS, record, row.uid))
