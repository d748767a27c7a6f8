"""Images and sound: taken in with their bytes, and deleted."""

from typing import Any

from chats.assets import NotBase64, StoredBytes, store_base64
from chats.bigagi.asset import ASSETS
from chats.models import Asset
from chats.services import ids
from stores.models import Change
from stores.records import editing
from stores.records.codecs import JSONObject
from stores.records.errors import Taken, at
from stores.records.journal.purge import record_deletion
from stores.records.journal.recorder import Origin, record_change
from stores.records.written import Written


def create_asset(origin: Origin, record: JSONObject) -> Written:
    """Store an asset of big-AGI's JSON; its bytes are base64 text in `data.base64`. Raises `Taken` and `Invalid`."""
    record = {"id": ids.new_chat_id()} | record
    uid = ids.read_id(record)
    data = record.get("data")
    text = data.get("base64") if isinstance(data, dict) else None
    if not isinstance(text, str):
        raise at("/data/base64", "The bytes are required here, as base64.", "required")
    try:
        # The file is there before the row that names it; one that no row names does no harm.
        held: StoredBytes = store_base64([text])
    except NotBase64 as error:
        raise at("/data/base64", f"Must be base64: {error}.") from error
    with record_change(origin, "create asset", _label(record)) as entry:
        bare = record | {"data": {key: value for key, value in record["data"].items() if key != "base64"}}
        sealed = editing.take_in(entry, bare, None, uid)
        value = sealed | {"data": sealed["data"] | {"base64": held}}
        if ASSETS.find_for_write(uid) is not None:
            raise Taken(f"The id {uid} is taken by another asset.")
        editing.insert(entry, ASSETS, editing.to_rows(ASSETS, value, uid), ASSETS.first_position())
    return Written(value, Asset.objects.get(uid=uid), entry.change, entry.lost_keys)


def delete_asset(origin: Origin, uid: str, *, purge: bool = False) -> Change | None:
    """Delete the asset; its file stays while the journal names it. Raises `Missing`."""
    with record_deletion(origin, "delete asset", purge=purge) as entry:
        row = editing.find_for_write(ASSETS, uid)
        entry.summary = str(row)
        editing.delete(entry, ASSETS, row)
    return entry.change


def _label(record: JSONObject) -> str:
    label: Any = record.get("label")
    return label if isinstance(label, str) else "(without a label)"
