"""A change as the API request that made it, or an equivalent one, written for curl."""

import shlex
from dataclasses import dataclass
from typing import Any

from stores.models import Change, ChangedRecord
from stores.records import registry
from stores.records.ids import href
from stores.records.jsontext import UndecodableJSON, decode, encode
from stores.records.secrets import MARKER, mask

TOKEN = "$BIGAGI_TOKEN"
BODY_FILE = "body.json"
MAX_IDS = 200
"""Records that a call of ours names."""

_BULK = {"archive chats": "archive", "unarchive chats": "unarchive", "delete chats": "delete"}
_OURS = frozenset({"updated", "updatedAt"})
"""Members that the service itself sets."""


@dataclass(frozen=True)
class ApiCall:
    """A request; `text` is its curl command, `notes` say what is needed to send it."""

    text: str
    notes: list[str]
    is_equivalent: bool
    """Whether the change was made in another way, and this call would do the same."""


def call_of(change: Change, base_url: str) -> ApiCall | None:
    """Return the call that made the change, or one that does the same; None where no single one does."""
    recorded = change.call if isinstance(change.call, dict) and change.call.get("method") else None
    call = recorded or _equivalent(change)
    if call is None:
        return None
    call = mask(call)
    method, path = str(call["method"]), str(call.get("path", ""))
    lines = [f"curl -X {shlex.quote(method)} {shlex.quote(base_url + path)}", f'-H "Authorization: Bearer {TOKEN}"']
    notes = [f"{TOKEN} is your token. Create one on the account page."]
    if "body" in call:
        text = encode(call["body"])
        lines += ["-H 'Content-Type: application/json'", f"--data-raw {shlex.quote(text)}"]
        if MARKER in text:
            notes.append("A secret is shown as a marker. Sending the marker keeps the stored secret.")
    elif "body_size" in call or method in ("PUT", "PATCH"):
        size = call.get("body_size")
        told_size = f" of {size:,} bytes" if isinstance(size, int) else ""
        notes.append(f"The body{told_size} was not kept (too large, or not JSON). Put your own into {BODY_FILE}.")
        lines += ["-H 'Content-Type: application/json'", f"--data-binary @{BODY_FILE}"]
    return ApiCall(" \\\n  ".join(lines), notes, recorded is None)


def _equivalent(change: Change) -> dict[str, Any] | None:
    if change.undoes_id is not None:
        return {"method": "POST", "path": f"{href('changes', str(change.undoes_id))}/undo"}
    if change.run_id is not None or change.source == Change.Source.IMPORT:
        return None
    if change.action in _BULK:
        uids = list(change.records.order_by("pk").values_list("uid", flat=True)[: MAX_IDS + 1])
        if len(uids) > MAX_IDS:
            return None
        return {
            "method": "POST",
            "path": href("chats") + "/bulk",
            "body": {"action": _BULK[change.action], "ids": uids},
        }
    records = list(change.records.order_by("pk")[:2])
    return _call_for(records[0]) if len(records) == 1 else None


def _route_of(kind: str) -> str:
    if kind == "store":
        return "stores"
    return next((one.route for one in registry.all_collections() if one.kind == kind), "")


def _call_for(record: ChangedRecord) -> dict[str, Any] | None:
    if not (route := _route_of(record.kind)):
        return None
    path = href(route, record.uid)
    if record.action == ChangedRecord.Action.DELETED:
        return {"method": "DELETE", "path": path}
    if record.action == ChangedRecord.Action.CREATED or record.body is None:
        return None
    try:
        delta = decode(record.body)
    except UndecodableJSON:
        return None
    patch: dict[str, Any] = {}
    for place, kind, *operands in delta:
        if len(place) != 1 or kind != "set":
            return None
        new = operands[1]
        if place[0] not in _OURS:
            # In a merge patch a null takes a member away, and an object is merged with what is there.
            if new and (new[0] is None or isinstance(new[0], dict)):
                return None
            patch[place[0]] = new[0] if new else None
    return {"method": "PATCH", "path": path, "body": patch} if patch else None
