"""Replaces lists and maps of records inside a store; only records that differ are written."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from stores.models import Quarantine
from stores.records import editing, jsontext
from stores.records.codecs import Damaged, Unreadable, is_id
from stores.records.collections import Collection
from stores.records.errors import at, below, pointer_of
from stores.records.iteration import batched
from stores.records.journal.lists import move, replace_damaged
from stores.records.journal.recorder import Entry
from stores.records.merge_patch import merge
from stores.records.quarantine import merge_quarantined, quarantined_members
from stores.records.secrets import MARKER, mask

BATCH = 50
"""Records that are loaded at a time."""

CONTAINERS: dict[str, type] = {"list": list, "map": dict}


@dataclass(frozen=True)
class StoreMember:
    """A record that came, and where."""

    uid: str
    value: Any
    pointer: str
    position: int = 0


def write_members(entry: Entry, collection: Collection, held: Any) -> Any:
    """Replace the list or map; return what remains of it in the store's state. Raises `Invalid`."""
    if collection.shape == "list":
        _write_list(entry, collection, held)
        return []
    return _write_map(entry, collection, held)


def patch_map(entry: Entry, collection: Collection, patches: dict[str, Any], left: dict[str, Any]) -> dict[str, Any]:
    """Change members of a map (JSON Merge Patch); return what is left of it in the store's state. Raises `Invalid`.

    `left` are the members there that no row can hold."""
    left = dict(left)
    for some in batched(patches, BATCH):
        rows = collection.find(uid for uid in some if is_id(uid))
        for uid in some:
            patch, row = patches[uid], rows.get(uid)
            if patch is None:
                left.pop(uid, None)
                if row is not None:
                    editing.delete(entry, collection, row)
            else:
                _patch_member(entry, collection, row, StoreMember(uid, patch, _pointer(collection, uid)), left)
    return left


def _patch_member(entry: Entry, collection: Collection, row: Any, patch: StoreMember, left: dict[str, Any]) -> None:
    if row is not None:
        stored = collection.load([row])[0]
        if not collection.is_readable(merge(stored, patch.value), patch.uid):
            raise at(patch.pointer, f"Must be a valid {collection.kind}.")
        with below(patch.pointer):
            editing.patch(entry, collection, row, patch.value)
        return
    before = left.pop(patch.uid, None)
    value = merge(before, patch.value)
    if not is_id(patch.uid) or not collection.is_readable(value, patch.uid) or MARKER in jsontext.encode(before):
        raise at(patch.pointer, f"Must be a valid {collection.kind}. To store it as it is, replace the store with PUT.")
    with below(patch.pointer):
        editing.create(entry, collection, value, patch.uid)


def _pointer(collection: Collection, uid: str) -> str:
    return pointer_of("state", collection.key, uid)


def _put(entry: Entry, collection: Collection, members: Iterable[StoreMember]) -> None:
    for some in batched(members, BATCH):
        rows = collection.find(member.uid for member in some)
        stored = dict(zip(rows, collection.load(list(rows.values())), strict=True))
        for member in some:
            with below(member.pointer):
                if member.uid not in rows:
                    editing.create(entry, collection, member.value, member.uid, member.position)
                elif not collection.is_same(stored[member.uid], member.value):
                    editing.replace(entry, collection, rows[member.uid], member.value, stored=stored[member.uid])


def _delete(entry: Entry, collection: Collection, uids: Iterable[str]) -> None:
    for some in batched(uids, BATCH):
        for row in collection.find(some).values():
            editing.delete(entry, collection, row)


def _write_map(entry: Entry, collection: Collection, held: dict[str, Any]) -> dict[str, Any]:
    left = {uid: value for uid, value in held.items() if not is_id(uid) or not collection.is_readable(value, uid)}
    here = collection.rows().values_list("uid", flat=True)
    _delete(entry, collection, [uid for uid in here if uid not in held or uid in left])
    _put(
        entry,
        collection,
        (StoreMember(uid, value, _pointer(collection, uid)) for uid, value in held.items() if uid not in left),
    )
    return left


# --- lists -----------------------------------------------------------------------------------------------------------


def _write_list(entry: Entry, collection: Collection, held: list[Any]) -> None:
    """Replace the list: in the given order, with damaged items kept in place."""
    quarantined = _Quarantined(quarantined_members(collection.store, collection.key, None))
    here = [(position, f"uid {uid}") for uid, position in collection.rows().values_list("uid", "position")]
    places: dict[str, list[int]] = defaultdict(list)
    for position, token in merge_quarantined(here, [(member.position, f"raw {member.raw}") for member in quarantined]):
        places[token].append(position)
    incoming: dict[str, int] = {}
    damaged: dict[int, Damaged] = {}
    twins: dict[str, int] = defaultdict(int)
    for index, member in enumerate(held):
        uid = collection.identify(member)
        if uid in incoming:
            twins[uid] += 1
            uid = collection.identify_twin(uid, twins[uid]) or uid
        if reason := _why_damaged(collection, member, uid, incoming):
            kept = quarantined.take(member)
            if kept is None:
                raise at(f"/state/{collection.key}/{index}", f"Cannot be read: {reason}.")
            damaged[index] = kept
        else:
            assert uid is not None
            incoming[uid] = index
    by_index = {index: f"uid {uid}" for uid, index in incoming.items()}
    by_index |= {index: f"raw {member.raw}" for index, member in damaged.items()}
    tokens = [by_index[index] for index in range(len(held))]
    positions = place([places[token].pop(0) if places[token] else None for token in tokens])
    for index, member in damaged.items():
        member.position = positions[index]
    _delete(entry, collection, [uid for _, token in here if (uid := token.removeprefix("uid ")) not in incoming])
    stayed = {token for _, token in here}
    _put(
        entry,
        collection,
        (
            StoreMember(uid, held[index], f"/state/{collection.key}/{index}", positions[index])
            for uid, index in incoming.items()
        ),
    )
    replace_damaged(entry, collection, list(damaged.values()))
    move(
        entry,
        collection,
        {uid: positions[index] for uid, index in incoming.items() if f"uid {uid}" in stayed},
    )


def _why_damaged(collection: Collection, member: Any, uid: str | None, known: Iterable[str]) -> str:
    if uid is None:
        return f"a {collection.kind} without an id that can be used"
    if uid in known:
        return f"a {collection.kind} with an id that another one has"
    try:
        collection.to_rows(member, uid)
    except Unreadable as error:
        return error.reason
    return ""


class _Quarantined:
    """The stored damaged items, to be matched with those that were sent."""

    def __init__(self, members: Sequence[Quarantine]) -> None:
        self.members = members
        self._by_text: dict[str, list[Quarantine]] = defaultdict(list)
        for member in members:
            try:
                shown = mask(jsontext.decode(member.raw))
            except jsontext.UndecodableJSON:
                # Nobody can send it either.
                continue
            self._by_text[jsontext.canonical(shown)].append(member)

    def __iter__(self) -> Iterator[Quarantine]:
        return iter(self.members)

    def take(self, member: Any) -> Damaged | None:
        """Return what is kept of a member that came as it was given, each one once; its secrets are not known else."""
        found = self._by_text.get(jsontext.canonical(member))
        if not found:
            return None
        kept = found.pop(0)
        return Damaged(kept.collection, kept.position, kept.kind, kept.reason, kept.raw, uid=kept.uid, place=kept.place)


def place(known: Sequence[int | None]) -> list[int]:
    """Return positions for the members of a list, in their order. Those that have one keep it where that can be."""
    kept = [position for position in known if position is not None]
    numbered = list(range(len(known)))
    if not kept or any(one >= other for one, other in pairwise(kept)):
        return numbered
    positions: list[int] = []
    waiting = 0
    for position in known:
        if position is None:
            waiting += 1
            continue
        if positions and position - positions[-1] <= waiting:
            return numbered
        # What is new stands right above what it was put above.
        positions += [*range(position - waiting, position), position]
        waiting = 0
    return positions + [positions[-1] + 1 + new for new in range(waiting)]
