"""Exports stores as big-AGI's JSON text. Rows are streamed: memory does not grow with the store."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.db import models

from stores.models import Revision, Store
from stores.records import registry, secrets
from stores.records.codecs import is_id
from stores.records.collections import Collection
from stores.records.envelope import Envelope, close_envelope, envelope_of, open_envelope
from stores.records.jsontext import decode, encode
from stores.records.quarantine import merge_quarantined, quarantined_members
from stores.records.registry import StoreSpec
from stores.records.secrets import show_text

BATCH = 100
"""Records that are held in memory at a time."""

Shown = Callable[[Any], Any]
"""What becomes of references to secrets: `secrets.mask` or `secrets.reveal`."""


class StoreNotFound(LookupError):
    """There is no store with this name, and no rows of it."""


class NothingConverted(LookupError):
    """No conversion changed anything in this store."""


def dump_store(name: str, shown: Shown = secrets.mask) -> Iterator[str]:
    """Yield the JSON text of a store piece by piece; of a copy that an import only keeps (`app-chats-v3`), as it came.
    Raises `StoreNotFound` before the first piece."""
    spec = registry.get(name)
    try:
        left_over = _left_over(spec)
    except StoreNotFound:
        copies = Revision.objects.filter(kind="store", uid=name, reason=Revision.Reason.SOURCE)
        copy = copies.first() if is_id(name) else None
        if copy is None:
            raise
        return iter([show_text(copy.body, shown)])
    return _pieces(left_over, spec, shown)


def dump_original(name: str, shown: Shown = secrets.mask) -> Iterator[str]:
    """Yield the store as it was before what is old in it was converted.

    Raises `StoreNotFound` or `NothingConverted` before the first piece.
    """
    spec = registry.get(name)
    left_over = _left_over(spec)
    one_by_one = any(collection.converts_records for collection in spec.collections)
    original = Revision.objects.filter(kind="store", uid=name, reason=Revision.Reason.ORIGINAL).first()
    if original is not None:
        left_over = open_envelope(decode(original.body))
        if not one_by_one:
            return iter([encode(shown(close_envelope(left_over)))])
    elif not any(collection.has_originals() for collection in spec.collections):
        raise NothingConverted(name)
    return _pieces(left_over, spec, shown, is_original=True)


def _left_over(spec: StoreSpec) -> Envelope:
    """Return what is here of a store beside its rows. Raises `StoreNotFound`."""
    store = Store.objects.filter(name=spec.name).first() if is_id(spec.name) else None
    if store is not None:
        return envelope_of(store)
    if not any(collection.rows().exists() for collection in spec.collections):
        raise StoreNotFound(spec.name)
    return Envelope(Store.Shape.ENVELOPE, {}, spec.newest_version, {})


def _pieces(left_over: Envelope, spec: StoreSpec, shown: Shown, *, is_original: bool = False) -> Iterator[str]:
    state = left_over.data
    if left_over.shape == Store.Shape.VALUE or not isinstance(state, dict) or not spec.collections:
        yield encode(shown(close_envelope(left_over)))
        return
    # A store of a version that is not known yet is kept whole; rows are here of an earlier one, or of chats, which are
    # rows always.
    is_whole = left_over.version is not None and left_over.version > spec.newest_version
    by_key = {collection.key: collection for collection in spec.collections}
    yield '{"state":{'
    comma = ""
    for key in [*state, *(key for key in by_key if key not in state)]:
        held = state.get(key)
        collection = by_key.get(key)
        is_odd = (
            collection is not None and key in state and type(held) is not {"list": list, "map": dict}[collection.shape]
        )
        if collection is None or is_odd or (is_whole and held):
            yield f"{comma}{_member(key, held, shown)}"
        elif key in state or collection.rows().exists():
            yield f"{comma}{encode(key)}:"
            yield from dump_collection(collection, shown, left_over=held or {}, is_original=is_original)
        else:
            continue
        comma = ","
    yield "}"
    version = {} if left_over.version is None else {"version": left_over.version}
    for key, value in (version | left_over.extra).items():
        yield f",{_member(key, value, shown)}"
    yield "}"


def _member(key: str, value: Any, shown: Shown) -> str:
    return encode(shown({key: value}))[1:-1]


def dump_collection(
    collection: Collection, shown: Shown, left_over: Any, *, is_original: bool = False
) -> Iterator[str]:
    """Yield the JSON text of a list or map of records, damaged members in their places."""
    records = records_of(collection, collection.load_originals if is_original else collection.load)
    comma = ""
    if collection.shape == "map":
        yield "{"
        for record, value in records:
            yield f"{comma}{_member(record.uid, value, shown)}"
            comma = ","
        for key, value in left_over.items():
            yield f"{comma}{_member(key, value, shown)}"
            comma = ","
        yield "}"
        return
    yield "["
    rows = ((record.position, encode(shown(value))) for record, value in records)
    quarantined = quarantined_members(collection.store, collection.key, None)
    damaged = ((member.position, show_text(member.raw, shown)) for member in quarantined)
    for _, text in merge_quarantined(rows, damaged):
        yield comma + text
        comma = ","
    yield "]"


def records_of(
    collection: Collection, load: Callable[[Sequence[Any]], list[Any]] | None = None
) -> Iterator[tuple[Any, Any]]:
    """Yield each row with its JSON, in order; memory does not grow with the collection."""
    last: tuple[int, int] | None = None
    while batch := list(_rows_after(collection, last)[:BATCH]):
        yield from zip(batch, (load or collection.load)(batch), strict=True)
        last = (getattr(batch[-1], "position", 0), batch[-1].pk)


def _rows_after(collection: Collection, last: tuple[int, int] | None) -> models.QuerySet[Any]:
    # By keyset rather than by a cursor: other writes may come between, and no snapshot is held open.
    rows = collection.rows()
    if last is None:
        return rows
    position, pk = last
    if collection.shape == "map":
        return rows.filter(pk__gt=pk)
    return rows.filter(models.Q(position__gt=position) | models.Q(position=position, pk__gt=pk))
