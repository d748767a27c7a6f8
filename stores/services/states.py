"""Changes in the state of a store that is kept as JSON, made out of what it holds at that moment."""

from collections.abc import Callable
from typing import Any

from stores.records import editing
from stores.records.codecs import JSONObject
from stores.records.envelope import close_envelope, open_envelope
from stores.records.journal.recorder import Entry, Origin, record_change
from stores.records.opaque_stores import OPAQUE_STORES


def edit_state(origin: Origin, action: str, name: str, edit: Callable[[Entry, Any], Any], *, new: JSONObject) -> Entry:
    """Put what `edit` makes of the store's state in its place; where there is no store, it is made out of `new`.

    The store is locked meanwhile, so that two who change different parts of it keep one another's. `edit` takes in what
    clients sent (`editing.take_in`), and changes nothing in the state that it gets. Raises what it raises, and `Taken`.
    """
    with record_change(origin, action, name) as entry:
        store = OPAQUE_STORES.find_for_write(name)
        stored = new if store is None else OPAQUE_STORES.load([store])[0]
        envelope = open_envelope(stored)
        envelope.data = edit(entry, envelope.data)
        value = close_envelope(envelope)
        if store is None:
            editing.insert(entry, OPAQUE_STORES, editing.to_rows(OPAQUE_STORES, value, name))
        else:
            editing.overwrite(entry, OPAQUE_STORES, store, stored, value)
    return entry
