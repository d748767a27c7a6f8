"""Folders: made, renamed, ordered, filled and deleted. Their revision is that of the store `app-folders`."""

from collections.abc import Callable, Iterable
from typing import Any

from chats.bigagi.folder import FOLDERS
from chats.models import Folder, FolderMembership
from chats.services import ids
from stores.models import Change
from stores.records import editing
from stores.records.codecs import JSONObject, is_id
from stores.records.errors import Invalid, at
from stores.records.journal.lists import move
from stores.records.journal.purge import record_deletion
from stores.records.journal.recorder import Entry, Origin, record_change
from stores.records.merge_patch import merge
from stores.records.preconditions import ANY, Precondition, counter_of, etag_of
from stores.records.written import Written


def create_folder(origin: Origin, record: JSONObject, precondition: Precondition = ANY) -> Written:
    """Store a new folder behind the others. Raises `Taken` and `Invalid`."""
    record = {"id": ids.new_chat_id(), "conversationIds": []} | record
    uid = ids.read_id(record)
    with record_change(origin, "create folder", _title(record)) as entry:
        _check(precondition)
        value = editing.create(entry, FOLDERS, record, uid, FOLDERS.first_position())
    return _written(uid, value, entry)


def replace_folder(origin: Origin, uid: str, record: JSONObject, precondition: Precondition = ANY) -> Written:
    """Make the folder what the JSON says. Raises `Missing` and `Invalid`."""

    def replaced(entry: Entry, stored: JSONObject) -> JSONObject:
        value: JSONObject = editing.take_in(entry, {"id": uid} | record, stored, uid)
        return value

    return _change(origin, "replace folder", uid, replaced, precondition)


def patch_folder(origin: Origin, uid: str, patch: JSONObject, precondition: Precondition = ANY) -> Written:
    """Change members of the folder (JSON Merge Patch). Raises `Missing` and `Invalid`."""

    def patched(entry: Entry, stored: JSONObject) -> JSONObject:
        # Only the patch is searched for secrets: a stored reference would be mistaken for a secret.
        value: JSONObject = merge(stored, editing.take_in(entry, patch, stored, uid))
        return value

    return _change(origin, "patch folder", uid, patched, precondition)


def add_chats(origin: Origin, uid: str, chats: Iterable[str], precondition: Precondition = ANY) -> Written:
    """Put chats at the end of the folder; those in it stay where they are. Raises `Missing`."""

    def added(entry: Entry, stored: JSONObject) -> JSONObject:
        listed = stored["conversationIds"]
        new = [chat for chat in dict.fromkeys(editing.take_in(entry, list(chats), None)) if chat not in listed]
        return stored | {"conversationIds": [*listed, *new]}

    return _change(origin, "add to folder", uid, added, precondition)


def remove_chat(origin: Origin, uid: str, chat: str, precondition: Precondition = ANY) -> Written:
    """Take a chat out of the folder; the chat stays. Raises `Missing` for the folder."""

    def without(entry: Entry, stored: JSONObject) -> JSONObject:
        return stored | {"conversationIds": [listed for listed in stored["conversationIds"] if listed != chat]}

    return _change(origin, "remove from folder", uid, without, precondition)


def delete_folder(origin: Origin, uid: str, precondition: Precondition = ANY, *, purge: bool = False) -> Change | None:
    """Delete the folder; its chats stay. The journal keeps it, unless it is to be forgotten, too. Raises `Missing`."""
    with record_deletion(origin, "delete folder", purge=purge) as entry:
        row = editing.find_for_write(FOLDERS, uid)
        _check(precondition)
        entry.summary = str(row)
        editing.delete(entry, FOLDERS, row)
    return entry.change


def order_folders(origin: Origin, uids: list[str], precondition: Precondition = ANY) -> Change | None:
    """Put the folders in this order; those not named follow as they are. Raises `Invalid`."""
    with record_change(origin, "order folders") as entry:
        _check(precondition)
        here = list(FOLDERS.rows().values_list("uid", "position"))
        known = {uid for uid, _ in here}
        errors = [
            {"pointer": f"/ids/{index}", "detail": f"There is no folder {uid}.", "code": "unknown"}
            for index, uid in enumerate(uids)
            if uid not in known
        ]
        if errors:
            raise Invalid(str(errors[0]["detail"]), errors)
        order = list(dict.fromkeys([*uids, *(uid for uid, _ in here)]))
        # The places that folders have are given out anew: damaged members between them stay where they are.
        move(entry, FOLDERS, dict(zip(order, sorted(position for _, position in here), strict=True)))
    return entry.change


def move_chats(entry: Entry, uids: list[str], folder: str | None) -> None:
    """Put chats into this folder and out of all others; None: out of all. Raises `Missing`."""
    moved = set(uids)
    if folder is not None:
        editing.find_for_write(FOLDERS, folder)
    owners = FolderMembership.objects.filter(conversation_uid__in=uids).values("folder")
    for row in Folder.objects.select_for_update().filter(pk__in=owners).exclude(uid=folder or ""):
        [stored] = FOLDERS.load([row])
        rest = [uid for uid in stored["conversationIds"] if not (is_id(uid) and uid in moved)]
        editing.overwrite(entry, FOLDERS, row, stored, stored | {"conversationIds": rest})
    if folder is not None:
        row = editing.find_for_write(FOLDERS, folder)
        [stored] = FOLDERS.load([row])
        listed = stored["conversationIds"]
        added = [*listed, *(uid for uid in dict.fromkeys(uids) if uid not in listed)]
        editing.overwrite(entry, FOLDERS, row, stored, stored | {"conversationIds": added})


def _change(
    origin: Origin,
    action: str,
    uid: str,
    change: Callable[[Entry, JSONObject], JSONObject],
    precondition: Precondition,
) -> Written:
    with record_change(origin, action) as entry:
        row = editing.find_for_write(FOLDERS, uid)
        _check(precondition)
        [stored] = FOLDERS.load([row])
        record = change(entry, stored)
        if record.get("id") != uid:
            raise at("/id", "The id of a folder cannot be changed.")
        entry.summary = _title(record)
        editing.overwrite(entry, FOLDERS, row, stored, record)
    return _written(uid, record, entry)


def _check(precondition: Precondition) -> None:
    precondition.check(etag_of(counter_of(FOLDERS.store, for_update=True)))


def _title(record: JSONObject) -> str:
    title = record.get("title")
    return title if isinstance(title, str) else "(untitled)"


def _written(uid: str, value: Any, entry: Entry) -> Written:
    return Written(value, Folder.objects.get(uid=uid), entry.change, entry.lost_keys)
