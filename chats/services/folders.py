"""Folders: made, renamed, ordered, filled and deleted. Their revision is that of the store `app-folders`."""

from collections.abc import Callable, Iterable
from typing import Any

from chats.bigagi.folder import FOLDERS
from chats.models import Folder, FolderMembership
from chats.services import ids
from stores.codecs import JSONObject, is_id
from stores.journal.lists import move
from stores.journal.recorder import Entry, Origin, record_change
from stores.merge_patch import merge
from stores.models import Change
from stores.preconditions import ANY, Precondition, counter_of, etag_of
from stores.services import records
from stores.services.errors import Invalid, at
from stores.services.written import Written


def create_folder(origin: Origin, record: JSONObject, precondition: Precondition = ANY) -> Written:
    """Store a new folder behind the others. Raises `Taken` and `Invalid`."""
    record = {"id": ids.new_chat_id(), "conversationIds": []} | record
    uid = ids.read_id(record)
    with record_change(origin, "create folder", _title(record)) as entry:
        _check(precondition)
        value = records.create(entry, FOLDERS, record, uid, FOLDERS.first_position())
    return _written(uid, value, entry)


def replace_folder(origin: Origin, uid: str, record: JSONObject, precondition: Precondition = ANY) -> Written:
    """Make the folder what the JSON says. Raises `Missing` and `Invalid`."""

    def replaced(entry: Entry, ours: JSONObject) -> JSONObject:
        value: JSONObject = records.take_in(entry, {"id": uid} | record, ours, uid)
        return value

    return _change(origin, "replace folder", uid, replaced, precondition)


def patch_folder(origin: Origin, uid: str, patch: JSONObject, precondition: Precondition = ANY) -> Written:
    """Change members of the folder (JSON Merge Patch). Raises `Missing` and `Invalid`."""

    def patched(entry: Entry, ours: JSONObject) -> JSONObject:
        # Only what came is looked through for secrets: a reference of ours would be taken for one that looks like it.
        value: JSONObject = merge(ours, records.take_in(entry, patch, ours, uid))
        return value

    return _change(origin, "patch folder", uid, patched, precondition)


def add_chats(origin: Origin, uid: str, chats: Iterable[str], precondition: Precondition = ANY) -> Written:
    """Put chats at the end of the folder; those in it stay where they are. Raises `Missing`."""

    def added(entry: Entry, ours: JSONObject) -> JSONObject:
        listed = ours["conversationIds"]
        new = [chat for chat in dict.fromkeys(records.take_in(entry, list(chats), None)) if chat not in listed]
        return ours | {"conversationIds": [*listed, *new]}

    return _change(origin, "add to folder", uid, added, precondition)


def remove_chat(origin: Origin, uid: str, chat: str, precondition: Precondition = ANY) -> Written:
    """Take a chat out of the folder; the chat stays. Raises `Missing` for the folder."""

    def without(entry: Entry, ours: JSONObject) -> JSONObject:
        return ours | {"conversationIds": [listed for listed in ours["conversationIds"] if listed != chat]}

    return _change(origin, "remove from folder", uid, without, precondition)


def delete_folder(origin: Origin, uid: str, precondition: Precondition = ANY) -> Change | None:
    """Delete the folder; its chats stay. Raises `Missing`."""
    with record_change(origin, "delete folder") as entry:
        row = records.find_for_write(FOLDERS, uid)
        _check(precondition)
        entry.summary = str(row)
        records.delete(entry, FOLDERS, row)
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
        records.find_for_write(FOLDERS, folder)
    owners = FolderMembership.objects.filter(conversation_uid__in=uids).values("folder")
    for row in Folder.objects.select_for_update().filter(pk__in=owners).exclude(uid=folder or ""):
        [ours] = FOLDERS.load([row])
        rest = [uid for uid in ours["conversationIds"] if not (is_id(uid) and uid in moved)]
        records.overwrite(entry, FOLDERS, row, ours, ours | {"conversationIds": rest})
    if folder is not None:
        row = records.find_for_write(FOLDERS, folder)
        [ours] = FOLDERS.load([row])
        listed = ours["conversationIds"]
        added = [*listed, *(uid for uid in dict.fromkeys(uids) if uid not in listed)]
        records.overwrite(entry, FOLDERS, row, ours, ours | {"conversationIds": added})


def _change(
    origin: Origin,
    action: str,
    uid: str,
    change: Callable[[Entry, JSONObject], JSONObject],
    precondition: Precondition,
) -> Written:
    with record_change(origin, action) as entry:
        row = records.find_for_write(FOLDERS, uid)
        _check(precondition)
        [ours] = FOLDERS.load([row])
        record = change(entry, ours)
        if record.get("id") != uid:
            raise at("/id", "The id of a folder cannot be changed.")
        entry.summary = _title(record)
        records.overwrite(entry, FOLDERS, row, ours, record)
    return _written(uid, record, entry)


def _check(precondition: Precondition) -> None:
    precondition.check(etag_of(counter_of(FOLDERS.store, for_update=True)))


def _title(record: JSONObject) -> str:
    title = record.get("title")
    return title if isinstance(title, str) else "(untitled)"


def _written(uid: str, value: Any, entry: Entry) -> Written:
    return Written(value, Folder.objects.get(uid=uid), entry.change, entry.lost_keys)
