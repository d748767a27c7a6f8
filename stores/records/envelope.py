"""The envelope in which big-AGI keeps a store: `{"state": …, "version": …}`. Pure."""

from dataclasses import dataclass
from typing import Any

from stores.models import Store
from stores.records.codecs import INT64, JSONObject


@dataclass
class Envelope:
    """A store's value taken apart. Of a bare value, `data` is all of it. `version` is None where it is absent or no
    integer; what it was instead is in `extra`."""

    shape: str
    data: Any
    version: int | None
    extra: JSONObject


def open_envelope(value: Any) -> Envelope:
    """Take a store's value apart."""
    if not isinstance(value, dict) or "state" not in value:
        return Envelope(Store.Shape.VALUE, value, None, {})
    extra = {key: item for key, item in value.items() if key != "state"}
    version = extra.get("version")
    if type(version) is int and -INT64 <= version < INT64:
        del extra["version"]
    else:
        version = None
    return Envelope(Store.Shape.ENVELOPE, value["state"], version, extra)


def close_envelope(envelope: Envelope) -> Any:
    """Return the value that `open_envelope` took apart."""
    if envelope.shape == Store.Shape.VALUE:
        return envelope.data
    version = {} if envelope.version is None else {"version": envelope.version}
    return {"state": envelope.data, **version, **envelope.extra}


def envelope_of(store: Store) -> Envelope:
    """Return the envelope of a stored store; of one that is kept as rows, with what is left over."""
    return Envelope(store.shape, store.data, store.version, store.extra or {})
