"""Damaged list items: kept as raw text with their position, and put back there when the list is exported."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from stores.models import MigrationRun, Quarantine
from stores.records import jsontext
from stores.records.codecs import Damaged, storable


def quarantined_members(store: str, collection: str, owner: int | None) -> list[Quarantine]:
    """Return the damaged members of one list that can stand in its JSON, by position."""
    rows = Quarantine.objects.filter(store=store, collection=collection, owner=owner, is_json=True)
    return list(rows.order_by("position", "pk"))


def load_quarantined(store: str, collection: str, owners: Collection[int]) -> Iterator[tuple[int, int, Any]]:
    """Yield owner, position and JSON of the damaged members that can stand in the lists of these owners."""
    rows = Quarantine.objects.filter(store=store, collection=collection, owner__in=list(owners), is_json=True)
    for owner, position, raw in rows.values_list("owner", "position", "raw"):
        assert owner is not None
        yield owner, position, jsontext.decode(raw)


def merge_quarantined(
    members: Iterable[tuple[int, str]], quarantined: Iterable[tuple[int, str]]
) -> Iterator[tuple[int, str]]:
    """Yield members and damaged members, both as position and JSON text, in one order."""
    waiting = list(quarantined)
    for position, text in members:
        while waiting and waiting[0][0] <= position:
            yield waiting.pop(0)
        yield position, text
    yield from waiting


def save_quarantine(
    store: str, damaged: Iterable[Damaged], run: MigrationRun | None, *, owner: int | None = None
) -> None:
    """Write damaged members, whose raw text has references in the place of secrets."""
    # Damage can be in a key, and so in what tells the place.
    Quarantine.objects.bulk_create(
        Quarantine(
            store=store,
            collection=member.collection,
            owner=owner if member.owner is None else member.owner,
            position=member.position,
            kind=member.kind,
            uid=storable(member.uid)[:200],
            place=storable(member.place or f"{store}: {member.collection}[{member.position}]")[:500],
            reason=storable(member.reason)[:500],
            raw=member.raw,
            raw_digest=jsontext.digest(member.raw),
            is_json=member.is_json,
            run=run,
        )
        for member in damaged
    )
