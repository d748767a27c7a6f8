"""Images and sound of an answer, which come as data URLs: stored as assets. Synchronous."""

import base64
import binascii
import re
from datetime import UTC, datetime
from typing import Any

import structlog

from chats.assets import store_base64, uuid_of
from chats.bigagi.asset import ASSETS
from chats.services import ids
from stores.records import editing
from stores.records.codecs import JSONObject
from stores.records.journal.recorder import Entry

_DATA_URL = re.compile(r"data:((image|audio)/[\w.+-]{1,100})(?:;[\w-]+=[\w.-]+)*;base64,")
_PIECE = re.compile(r"[^=]+={0,2}")
"""Base64 with its own end: sound comes in several."""

logger = structlog.get_logger("chats")


def store_media(entry: Entry, message: JSONObject, model: str) -> JSONObject:
    """Return the message with references to assets in the place of data URLs (`bigagi-format.md` § 3, 8). What cannot
    be stored as an asset, since it is no base64 or the disk is full, stays as it came."""
    return message | {"fragments": [_stored(entry, fragment, model) for fragment in message["fragments"]]}


def _stored(entry: Entry, fragment: JSONObject, model: str) -> JSONObject:
    part = fragment["part"]
    url = part["dataRef"].get("url", "") if part["pt"] == "image_ref" else ""
    if not (found := _DATA_URL.match(url)):
        return fragment
    mime_type, kind = found[1], found[2]
    try:
        content = b"".join(base64.b64decode(piece, validate=True) for piece in _PIECE.findall(url[found.end() :]))
        held = store_base64([base64.b64encode(content).decode("ascii")])
    except (binascii.Error, OSError):
        logger.warning("what a model sent could not be stored as an asset", kind=kind, exc_info=True)
        return fragment
    record = _record(kind, mime_type, model)
    value: JSONObject = record | {"data": {"mimeType": mime_type, "base64": held}}
    uid: str = record["id"]
    editing.insert(entry, ASSETS, editing.to_rows(ASSETS, value, uid), ASSETS.first_position())
    reference = {"reftype": "dblob", "dblobAssetId": uid, "mimeType": mime_type, "bytesSize": held.size}
    return fragment | {
        "part": {
            **{"pt": "reference", "rt": "zync", "zType": "asset", "zUuid": uuid_of(uid), "assetType": kind},
            "zRefSummary": {"pt": "text", "text": record["label"]},
            "_legacyImageRefPart": {"pt": "image_ref", "dataRef": reference, "altText": record["label"]},
        }
    }


def _record(kind: str, mime_type: str, model: str) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "id": ids.new_chat_id(),
        "contextId": "global",
        "scopeId": "app-chat",
        "assetType": kind,
        "label": f"{'Image' if kind == 'image' else 'Sound'} by {model}",
        "data": {"mimeType": mime_type},
        "origin": {
            **{"ot": "generated", "source": "ai-text-to-image" if kind == "image" else "ai-text-to-speech"},
            **{"generatorName": model, "prompt": "", "parameters": {}, "generatedAt": now},
        },
        "createdAt": now,
        "updatedAt": now,
        "metadata": {},
        "cache": {},
    }
