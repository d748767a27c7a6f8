"""Stores out of the database, as big-AGI's JSON text. Rows are streamed: memory does not grow with the store."""

from collections.abc import Callable, Iterator
from typing import Any

from stores import registry, secrets
from stores.collections import Collection, merge_quarantined
from stores.envelope import close_envelope, envelope_of
from stores.jsontext import encode
from stores.models import Revision, Store
from stores.secrets import show_text

Shown = Callable[[Any], Any]
"""What becomes of references to secrets: `secrets.mask`, `secrets.reveal`, or `as_references`."""


class StoreNotFound(LookupError):
    """There is no store of this name, and nothing that would stand in it."""


def as_references(value: Any) -> Any:
    """Leave the references."""
    return value


def dump_store(name: str, shown: Shown = secrets.mask) -> Iterator[str]:
    """Yield the JSON text of a store piece by piece. Raises `StoreNotFound` before the first piece."""
    spec = registry.get(name)
    store = Store.objects.filter(name=name).first()
    if store is None and not any(collection.rows().exists() for collection in spec.collections):
        raise StoreNotFound(name)
    return _pieces(store, spec.collections, spec.newest_version, shown)


def _pieces(
    store: Store | None, collections: tuple[Collection, ...], newest_version: int, shown: Shown
) -> Iterator[str]:
    if store is not None and not (store.shape == Store.Shape.ENVELOPE and isinstance(store.data, dict) and collections):
        yield encode(shown(close_envelope(envelope_of(store))))
        return
    state = store.data if store else {}
    # A store of a version that is not known yet is kept whole; rows are here of an earlier one, or of chats, which are
    # rows always.
    is_whole = store is not None and store.version is not None and store.version > newest_version
    by_key = {collection.key: collection for collection in collections}
    yield '{"state":{'
    comma = ""
    for key in [*state, *(key for key in by_key if key not in state)]:
        held = state.get(key)
        collection = by_key.get(key)
        is_odd = (
            collection is not None and key in state and type(held) is not {"list": list, "map": dict}[collection.shape]
        )
        if collection is None or is_odd or (is_whole and held):
            yield f"{comma}{encode(key)}:{encode(shown({key: held})[key])}"
        elif key in state or collection.rows().exists():
            yield f"{comma}{encode(key)}:"
            yield from dump_collection(collection, shown, left_over=held or {})
        else:
            continue
        comma = ","
    yield "}"
    rest = {"version": newest_version} if store is None else (store.extra or {})
    if store is not None and store.version is not None:
        rest = {"version": store.version} | rest
    for key, value in rest.items():
        yield f",{encode(key)}:{encode(shown({key: value})[key])}"
    yield "}"


def dump_collection(collection: Collection, shown: Shown, left_over: Any) -> Iterator[str]:
    """Yield the JSON text of a list or map of records, damaged members in their places."""
    comma = ""
    if collection.shape == "map":
        yield "{"
        members: Iterator[tuple[str, Any]] = ((record.uid, value) for record, value in collection.records())
        for uid, value in members:
            yield f"{comma}{encode(shown(uid))}:{encode(shown(value))}"
            comma = ","
        for key, value in left_over.items():
            yield f"{comma}{encode(shown(key))}:{encode(shown(value))}"
            comma = ","
        yield "}"
        return
    yield "["
    rows = ((record.position, encode(shown(value))) for record, value in collection.records())
    damaged = ((member.position, show_text(member.raw, shown)) for member in collection.quarantined())
    for _, text in merge_quarantined(rows, damaged):
        yield comma + text
        comma = ","
    yield "]"


def dump_original(name: str, shown: Shown = secrets.mask) -> Iterator[str]:
    """Yield the store as it was before its version was converted. Raises `StoreNotFound` where nothing was."""
    original = Revision.objects.filter(kind="store", uid=name, reason=Revision.Reason.ORIGINAL).first()
    if original is not None:
        from stores.jsontext import decode

        yield encode(shown(decode(original.body)))
        return
    raise StoreNotFound(name)
