"""Live files: made, changed, taken out of all workspaces, and deleted."""

import uuid
from typing import Any

from stores.models import Change
from stores.records import editing
from stores.records.clock import now_ms
from stores.records.codecs import JSONObject, is_id
from stores.records.errors import at
from stores.records.journal.purge import record_deletion
from stores.records.journal.recorder import Entry, Origin, record_change
from stores.records.merge_patch import merge
from stores.records.preconditions import ANY, Precondition, etag_of
from stores.records.written import Written
from workspace.bigagi import LIVE_FILES
from workspace.models import LiveFile
from workspace.services.assigning import lock_workspaces_of, unassign


def size_of(text: str) -> int:
    """Return the text's length in bytes, as UTF-8."""
    return len(text.encode("utf-8", "surrogatepass"))


def create_file(origin: Origin, record: JSONObject) -> Written:
    """Store a new file, under its own id or a new one. Raises `Taken` and `Invalid`."""
    with record_change(origin, "create file") as entry:
        uid, value = add_file(entry, record)
        entry.summary = _name(value)
    return _written(uid, value, entry)


def add_file(entry: Entry, record: JSONObject) -> tuple[str, JSONObject]:
    """Store a new file inside an open entry; return its id and its JSON. Size and times that it lacks are added.

    Raises `Taken` and `Invalid`."""
    record = {"id": str(uuid.uuid4())} | record
    uid = record["id"]
    if not is_id(uid):
        raise at("/id", "An id must be a string of 1 to 200 characters, without NUL or lone surrogates.")
    content, now = record.get("content"), now_ms()
    size = {"size": size_of(content)} if isinstance(content, str) else {}
    value: JSONObject = editing.create(entry, LIVE_FILES, {**size, "lastModified": now, "created": now, **record}, uid)
    return uid, value


def patch_file(origin: Origin, uid: str, patch: JSONObject, precondition: Precondition = ANY) -> Written:
    """Change members of the file (JSON Merge Patch). A new text sets size and time, unless they come with it.

    Raises `Missing` and `Invalid`."""
    return _patch(origin, "patch file", uid, patch, precondition)


def write_text(origin: Origin, uid: str, text: str, precondition: Precondition = ANY) -> Written:
    """Make this the file's text, and set its size and time. Raises `Missing`."""
    return _patch(origin, "write file", uid, {"content": text}, precondition)


def unassign_everywhere(origin: Origin, uid: str, precondition: Precondition = ANY) -> Change | None:
    """Take the file out of all workspaces; it stays. Raises `Missing`."""
    with record_change(origin, "unassign file from all") as entry:
        row = editing.find_for_write(LIVE_FILES, uid)
        precondition.check(etag_of(row))
        entry.summary = str(row)
        for workspace in lock_workspaces_of(uid):
            unassign(entry, workspace, uid)
    return entry.change


def delete_file(origin: Origin, uid: str, precondition: Precondition = ANY, *, purge: bool = False) -> Change | None:
    """Delete the file, and take it out of all workspaces. Raises `Missing`."""
    with record_deletion(origin, "delete file", purge=purge) as entry:
        row = editing.find_for_write(LIVE_FILES, uid)
        precondition.check(etag_of(row))
        entry.summary = str(row)
        for workspace in lock_workspaces_of(uid):
            unassign(entry, workspace, uid)
        editing.delete(entry, LIVE_FILES, row)
    return entry.change


def _patch(origin: Origin, action: str, uid: str, patch: JSONObject, precondition: Precondition) -> Written:
    with record_change(origin, action) as entry:
        row = editing.find_for_write(LIVE_FILES, uid)
        precondition.check(etag_of(row))
        entry.summary = str(row)
        [stored] = LIVE_FILES.load([row])
        if "id" in patch and patch["id"] != stored.get("id"):
            raise at("/id", "The id of a file cannot be changed.")
        taken = editing.take_in(entry, patch, stored, uid)
        if isinstance(taken.get("content"), str) and taken["content"] != stored.get("content"):
            taken = {"size": size_of(patch["content"]), "lastModified": now_ms()} | taken
        value = merge(stored, taken)
        editing.overwrite(entry, LIVE_FILES, row, stored, value)
    return _written(uid, value, entry)


def _name(value: Any) -> str:
    name = value.get("name")
    return name if isinstance(name, str) else "(unnamed)"


def _written(uid: str, value: Any, entry: Entry) -> Written:
    return Written(value, LiveFile.objects.defer("content").get(uid=uid), entry.change, entry.lost_keys)
