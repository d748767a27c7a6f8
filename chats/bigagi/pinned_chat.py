"""Pinned chats as records of the journal. No file of big-AGI has them, and no dump of a store."""

from chats.models import PinnedChat
from stores.records.table_collections import TableCollection


class PinnedChats(TableCollection):
    store, key, kind, model = "bigagi-pins", "pins", "pinned chat", PinnedChat
    shape = "map"
    paths = {"pinned": "pinned"}


PINNED_CHATS = PinnedChats()
