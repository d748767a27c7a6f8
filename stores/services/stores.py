"""Whole stores: created, replaced, patched, deleted; defaults and revisions. A store that is kept as rows is split
into its records, and only records that differ are written."""

import secrets
import string
from typing import Any

from django.db import connection

from stores.defaults import DEFAULTS
from stores.models import Change, Revision, Store
from stores.querysets import find_store, has_rows
from stores.records import editing, jsontext, registry
from stores.records.codecs import JSONObject, is_id
from stores.records.collections import Collection
from stores.records.dump import StoreNotFound, dump_store
from stores.records.envelope import Envelope, close_envelope, open_envelope
from stores.records.errors import Conflict, Invalid, Missing, Taken, at
from stores.records.iteration import batched
from stores.records.journal.lists import replace_damaged
from stores.records.journal.purge import record_deletion
from stores.records.journal.recorder import Entry, Origin, record_change
from stores.records.merge_patch import merge
from stores.records.opaque_stores import OPAQUE_STORES
from stores.records.preconditions import ANY, Precondition, counter_of, etag_of
from stores.records.registry import StoreSpec
from stores.services.members import CONTAINERS, patch_map, write_members

DELETE_BATCH = 50
"""Records of a store that one transaction deletes."""
_ID_CHARACTERS = string.ascii_letters + string.digits


def is_here(name: str) -> bool:
    """Tell whether the store exists."""
    return Store.objects.filter(name=name).exists() or has_rows(name)


def create_store(origin: Origin, name: str, value: Any) -> Entry:
    """Create a store. Raises `Taken` and `Invalid`."""
    if not is_id(name):
        raise at("/name", "The name must be a string of 1 to 200 characters.")
    with record_change(origin, "create store", name) as entry:
        if is_here(name):
            raise Taken(f"The store {name} already exists.")
        _write(entry, name, value)
    return entry


def replace_store(origin: Origin, name: str, value: Any, precondition: Precondition = ANY) -> Entry:
    """Replace the store. Raises `Missing` and `Invalid`."""
    with record_change(origin, "replace store", name) as entry:
        _open(name, precondition)
        _write(entry, name, value)
    return entry


def patch_store(origin: Origin, name: str, patch: JSONObject, precondition: Precondition = ANY) -> Entry:
    """Change members of the store (JSON Merge Patch). A list of records is replaced, a map of them is patched.

    Raises `Missing` and `Invalid`."""
    with record_change(origin, "patch store", name) as entry:
        store = _open(name, precondition)
        spec = registry.get(name)
        stored = _value_of(store, spec)
        if not isinstance(stored, dict):
            raise Conflict(f"The store {name} holds a bare value, which cannot be patched. Replace it with PUT.")
        held, rest = _split(spec, patch, stored)
        # Only what came is looked through for secrets: a reference of ours would be taken for one that looks like it.
        merged = merge(stored, rest if store is None else editing.take_in(entry, rest, stored, name))
        merged = editing.guard_keys(entry, OPAQUE_STORES, stored, merged, rest)
        _check_envelope(spec, merged, store)
        for collection in spec.collections:
            if collection.key in held:
                left = merged["state"].get(collection.key)
                merged["state"][collection.key] = _patch_collection(entry, collection, held[collection.key], left)
        _write_left_over(entry, spec, store, merged, is_taken_in=True)
    return entry


def delete_store(
    origin: Origin, name: str, precondition: Precondition = ANY, *, confirmed: bool = False, purge: bool = False
) -> Change | None:
    """Delete the store with all its records. Raises `Missing`, and `Conflict` without confirmation where it is kept as
    rows."""
    whole: Change | None = None
    spec = registry.get(name)
    if spec.collections and not confirmed:
        _open(name, ANY)
        raise Conflict(f"This deletes every record of {name}. To confirm, add ?confirm=true.", "not-confirmed")
    with record_deletion(origin, "delete store", name, purge=purge) as entry:
        store = _open(name, precondition)
        for collection in spec.collections:
            replace_damaged(entry, collection, [])
        if store is not None:
            editing.delete(entry, OPAQUE_STORES, store)
    whole = entry.change
    for collection in spec.collections:
        for some in batched(list(collection.rows().values_list("pk", flat=True)), DELETE_BATCH):
            with record_deletion(origin, "delete store", name, into=whole, purge=purge) as entry:
                for row in collection.rows().select_for_update().filter(pk__in=some):
                    editing.delete(entry, collection, row)
            whole = entry.change or whole
    return whole


def init_stores(origin: Origin) -> tuple[Entry, list[str]]:
    """Create missing default stores and return their names. Existing stores are left alone."""
    made = []
    with record_change(origin, "create default stores") as entry:
        for name, value in DEFAULTS.items():
            if is_here(name):
                continue
            if name == "app-device":
                device = "".join(secrets.choice(_ID_CHARACTERS) for _ in range(10))
                value = value | {"state": {"localDeviceId": device}}
            _write(entry, name, value)
            made.append(name)
        entry.summary = ", ".join(made)
    return entry, made


def restore_revision(origin: Origin, name: str, number: int, precondition: Precondition = ANY) -> Entry:
    """Restore a revision of the store. Raises `Missing`, and `Conflict` for a store that is kept as rows:
    its revisions do not contain the records."""
    with record_change(origin, "restore revision", name) as entry:
        store = _open(name, precondition)
        revision = Revision.objects.filter(kind="store", uid=name, pk=number).first()
        if revision is None or store is None:
            raise Missing(f"The store {name} has no revision {number}.")
        if registry.is_relational(name):
            raise Conflict(f"{name} is kept as records, without revisions. Undo single changes at /api/changes.")
        [stored] = OPAQUE_STORES.load([store])
        # Its secrets are references already. An original is of an old version, and is converted once more.
        value, _ = OPAQUE_STORES.convert(jsontext.decode(revision.body), name)
        editing.overwrite(
            entry, OPAQUE_STORES, store, stored, editing.guard_keys(entry, OPAQUE_STORES, stored, value, {})
        )
    return entry


def etag_of_store(name: str, store: Store | None, *, for_update: bool = False) -> str:
    """Return the store's ETag: of one that is kept as rows, its counter's."""
    if store is None or registry.is_relational(name):
        return etag_of(counter_of(name, for_update=for_update))
    return etag_of(store)


def _open(name: str, precondition: Precondition) -> Store | None:
    try:
        find_store(name)
    except StoreNotFound:
        raise Missing(f"There is no store {name}.") from None
    if connection.features.has_select_for_update:
        # Rows before the counter, in the same order as single-record writes, to prevent deadlocks.
        for collection in registry.get(name).collections:
            list(collection.rows().select_for_update().values_list("pk"))
    store: Store | None = OPAQUE_STORES.find_for_write(name)
    precondition.check(etag_of_store(name, store, for_update=True))
    return store


# --- writing ---------------------------------------------------------------------------------------------------------


def _write(entry: Entry, name: str, value: Any) -> None:
    spec = registry.get(name)
    store = OPAQUE_STORES.find_for_write(name)
    if spec.collections and _is_odd(spec, value) and is_here(name) and _is_what_is_here(name, value):
        return
    _check_envelope(spec, value, store)
    if spec.collections:
        value = _write_collections(entry, spec, value, _value_of(store, spec))
    _write_left_over(entry, spec, store, value)


def _value_of(store: Store | None, spec: StoreSpec) -> Any:
    """Return the part of the store that is not in its rows."""
    return OPAQUE_STORES.load([store])[0] if store else {"state": {}, "version": spec.newest_version}


def _write_left_over(
    entry: Entry, spec: StoreSpec, store: Store | None, value: Any, *, is_taken_in: bool = False
) -> None:
    """Write the store, of one that is kept as rows what is left over of it."""
    stored = _value_of(store, spec)
    if spec.collections:
        value = _without_implied_keys(spec, value, stored)
    if store is not None and is_taken_in:
        value, originals = OPAQUE_STORES.convert(value, spec.name)
        if editing.overwrite(entry, OPAQUE_STORES, store, stored, value):
            editing.keep_originals(originals)
    elif store is not None:
        editing.replace(entry, OPAQUE_STORES, store, value, stored=stored)
    elif not has_rows(spec.name) or not jsontext.same(value, stored):
        editing.create(entry, OPAQUE_STORES, value, spec.name)


def _without_implied_keys(spec: StoreSpec, value: Any, stored: Any) -> Any:
    """Return the left-over value without the keys of lists and maps that the rows alone bring into the store."""
    state = value.get("state") if isinstance(value, dict) else None
    if not isinstance(state, dict) or not isinstance(stored, dict) or not isinstance(stored.get("state"), dict):
        return value
    implied = {
        collection.key
        for collection in spec.collections
        if collection.key not in stored["state"]
        and state.get(collection.key) in ([], {})
        and collection.rows().exists()
    }
    return value | {"state": {key: item for key, item in state.items() if key not in implied}} if implied else value


def _is_odd(spec: StoreSpec, value: Any) -> bool:
    """Tell whether a store that is kept as rows could not be taken apart into them."""
    envelope = open_envelope(value)
    if envelope.shape == Store.Shape.VALUE or not isinstance(envelope.data, dict):
        return True
    return envelope.version is not None and envelope.version > spec.newest_version


def _is_what_is_here(name: str, value: Any) -> bool:
    return jsontext.same(jsontext.decode("".join(dump_store(name))), value)


def _check_envelope(spec: StoreSpec, value: Any, store: Store | None) -> None:
    """Raise `Invalid` for a value that is not what the browser would hold under this name, nor what is here."""
    envelope = open_envelope(value)
    if envelope.shape == Store.Shape.VALUE:
        if spec.collections or (store is not None and store.shape == Store.Shape.ENVELOPE):
            raise at("/state", f"The store {spec.name} must be an object with a state.", "required")
        return
    if spec.collections and not isinstance(envelope.data, dict):
        raise at("/state", f"The state of {spec.name} must be an object.", "type")
    odd = envelope.extra.get("version")
    if "version" in envelope.extra and not (
        store is not None and "version" in (store.extra or {}) and jsontext.same(store.extra["version"], odd)
    ):
        raise at("/version", "The version must be a whole number.", "type")
    if spec.collections and envelope.version is not None and envelope.version > spec.newest_version:
        raise at("/version", f"The version of {spec.name} must be at most {spec.newest_version}.")


def _write_collections(entry: Entry, spec: StoreSpec, value: Any, stored: Any) -> Any:
    """Write the store's lists and maps of records, and return what is left over of it. Raises `Invalid`."""
    envelope = open_envelope(value)
    state, version = envelope.data, envelope.version
    if "version" not in envelope.extra:
        state, version = registry.convert(spec, state, version)
        if state is not envelope.data or version != envelope.version:
            editing.keep_originals([("store", spec.name, editing.take_in(entry, value, stored, spec.name))])
    left = dict(state)
    for collection in spec.collections:
        held = state.get(collection.key, CONTAINERS[collection.shape]())
        if isinstance(held, CONTAINERS[collection.shape]):
            rest = write_members(entry, collection, held)
            if collection.key in state:
                left[collection.key] = rest
        elif not _holds(stored, collection.key, held):
            raise _no_container(collection)
    return close_envelope(Envelope(envelope.shape, left, version, envelope.extra))


def _split(spec: StoreSpec, patch: JSONObject, stored: JSONObject) -> tuple[JSONObject, JSONObject]:
    """Return the patches of the store's lists and maps, and the patch of all else. Raises `Invalid`."""
    if not spec.collections or "state" not in patch:
        return {}, patch
    state = patch["state"]
    if not isinstance(state, dict):
        raise at("/state", f"The state of {spec.name} must be an object.", "type")
    if not isinstance(stored.get("state"), dict):
        raise Conflict(f"The state of {spec.name} is not an object and cannot be patched. Replace it with PUT.")
    held = {collection.key: state[collection.key] for collection in spec.collections if collection.key in state}
    for collection in spec.collections:
        if collection.key in held and not isinstance(held[collection.key], CONTAINERS[collection.shape]):
            raise _no_container(collection)
    return held, patch | {"state": {key: item for key, item in state.items() if key not in held}}


def _patch_collection(entry: Entry, collection: Collection, held: Any, left: Any) -> Any:
    """Patch a map of records, or replace a list of them; return what is left of it in the state."""
    if collection.shape == "map":
        return patch_map(entry, collection, held, left if isinstance(left, dict) else {})
    return write_members(entry, collection, held)


def _holds(stored: Any, key: str, held: Any) -> bool:
    state = stored.get("state") if isinstance(stored, dict) else None
    return isinstance(state, dict) and key in state and jsontext.same(state[key], held)


def _no_container(collection: Collection) -> Invalid:
    return at(f"/state/{collection.key}", f"Must be {'a list' if collection.shape == 'list' else 'an object'}.", "type")
