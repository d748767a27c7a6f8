"""Copies of chats that big-AGI keeps beside those it shows: `app-chats-v3` from before an update, and chats in
localStorage where IndexedDB has its own (`bigagi-format.md` § 1)."""

from typing import Any

from stores.importers.items import RecoveryCopy, StoreItem
from stores.records import registry
from stores.records.collections import Collection
from stores.records.jsontext import UndecodableJSON, decode

CHATS, OLDER_CHATS = "app-chats", "app-chats-v3"
"""The store of the chats that big-AGI shows, and the copy that an update left."""

UNREADABLE = "a copy of chats that cannot be read"


def chat_list() -> Collection:
    """Return the collection that the store of chats has."""
    return registry.get(CHATS).collections[0]


def copy_in(item: StoreItem) -> RecoveryCopy:
    """Return a store as the copy of chats that it is."""
    return RecoveryCopy(item.name, item.value if isinstance(item.value, str) else item.text)


def read_chats(value: Any) -> list[Any] | None:
    """Return the chats in a store of chats, or in its text; None where it has no list of them."""
    try:
        while isinstance(value, str):
            value = decode(value)
    except UndecodableJSON:
        return None
    state = value.get("state", value) if isinstance(value, dict) else None
    chats = state.get("conversations") if isinstance(state, dict) else None
    return chats if isinstance(chats, list) else None


def unpack_chats(value: Any) -> Any:
    """Return a store of chats as the object that its text is of, where it is text."""
    return decode(value) if isinstance(value, str) and read_chats(value) is not None else value
