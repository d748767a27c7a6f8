"""Copies of chats that big-AGI keeps beside those it shows: `app-chats-v3` from before an update, and chats in
localStorage where IndexedDB has its own (`bigagi-format.md` § 1)."""

from collections.abc import Container, Iterator
from typing import Any

from stores.collections import Collection
from stores.jsontext import UndecodableJSON, decode
from stores.models import ImportedRecord

CHATS = "app-chats"
"""The store of the chats that big-AGI shows."""


def read_chats(text: str) -> list[Any]:
    """Return the chats in the text of a copy; none where it cannot be read."""
    try:
        value = decode(text)
        value = decode(value) if isinstance(value, str) else value
    except UndecodableJSON:
        return []
    state = value.get("state", value) if isinstance(value, dict) else None
    chats = state.get("conversations") if isinstance(state, dict) else None
    return chats if isinstance(chats, list) else []


def find_lost(collection: Collection, chats: list[Any], shown: Container[str]) -> Iterator[tuple[str, Any]]:
    """Yield id and JSON of the chats of a copy that are nowhere else: neither among those `shown`, nor here."""
    uids = [collection.identify(chat) for chat in chats]
    named = [uid for uid in uids if uid is not None and uid not in shown]
    imported = ImportedRecord.objects.filter(kind=collection.kind, uid__in=named)
    known = {*collection.find(named), *imported.values_list("uid", flat=True)}
    for uid, chat in zip(uids, chats, strict=True):
        if uid in named and uid not in known:
            known.add(uid)
            yield uid, chat
