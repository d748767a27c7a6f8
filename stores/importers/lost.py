"""What is only in a copy of older chats: in no chat here."""

from collections.abc import Callable, Container, Iterator, Sequence
from itertools import count
from typing import Any

from stores.models import ImportedRecord
from stores.records.collections import Collection
from stores.records.iteration import batched

BATCH = 20
"""Chats that are held at a time."""


def find_lost(
    collection: Collection,
    chats: Sequence[Any],
    seal: Callable[[Any], Any],
    *,
    in_file: Container[str],
    restores_deleted: bool = False,
) -> Iterator[tuple[str, bool, Any]]:
    """Yield those chats of a copy of which something is nowhere else: the id, whether a chat with that id is here or
    `in_file`, and the JSON. What was deleted here counts only with `restores_deleted`."""
    for some in batched(chats, BATCH):
        sealed = [seal(chat) for chat in some]
        uids = [collection.identify(chat) for chat in sealed]
        named = [uid for uid in uids if uid is not None]
        rows = collection.find(named)
        deleted = set(ImportedRecord.objects.filter(kind=collection.kind, uid__in=named).values_list("uid", flat=True))
        for uid, chat, value in zip(uids, some, sealed, strict=True):
            if uid is None or not collection.is_readable(value, uid):
                continue
            if uid in rows:
                if not _is_seen(collection, uid, value):
                    yield uid, True, chat
            elif uid in in_file:
                # Of a file that is only looked at, what its chats say is not known any more.
                continue
            elif uid not in deleted or restores_deleted:
                yield uid, False, chat


def _is_seen(collection: Collection, uid: str, value: Any) -> bool:
    """Tell whether each message of the chat can be read in the chats here that have, or had, its id, or in
    their branches."""
    left = set(collection.parts.seen(collection.convert(value, uid)[0]))
    for number in count(0):
        own = uid if not number else collection.identify_twin(uid, number)
        rows = collection.find([own]) if own is not None else {}
        if not left or not rows:
            return not left
        branches = collection.find_branches(rows)
        for loaded in collection.load([*rows.values(), *(row for some in branches.values() for row in some)]):
            left -= set(collection.parts.seen(loaded))
    return not left
