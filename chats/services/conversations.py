"""Chats as a whole: made, replaced, renamed, archived, deleted, branched."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import Min

from chats.bigagi.conversation import CONVERSATIONS
from chats.bigagi.titles import number_title, title_of
from chats.models import Conversation
from chats.services import ids
from chats.services.editor import ConversationEditor
from chats.services.message_ids import messages_without_own_id, with_message_ids
from chats.services.pins import pin_one
from stores.models import Change
from stores.records import editing, jsontext
from stores.records.clock import now_ms
from stores.records.codecs import JSONObject
from stores.records.errors import at
from stores.records.iteration import batched
from stores.records.journal.purge import record_deletion
from stores.records.journal.recorder import Entry, Origin, record_change
from stores.records.merge_patch import merge
from stores.records.preconditions import ANY, Precondition, etag_of
from stores.records.written import Written
from workspace.bigagi import WORKSPACES

BATCH = 50
"""Chats that a bulk operation changes in one transaction."""


def top_position() -> int:
    """Return the position above all chats."""
    top = Conversation.objects.aggregate(top=Min("position"))["top"]
    return 0 if top is None else top - 1


def create_chat(origin: Origin, record: JSONObject) -> Written:
    """Store a new chat on top of the list, with its own id and times or new ones: big-AGI has no chat without them
    (`bigagi-format.md` § 3). Raises `Taken` and `Invalid`."""
    now = now_ms()
    record = with_message_ids({"id": ids.new_chat_id(), "created": now, "updated": now} | record)
    uid = ids.read_id(record)
    with record_change(origin, "create chat", title_of(record)) as entry:
        value = editing.create(entry, CONVERSATIONS, record, uid, top_position())
    return _written(uid, value, entry)


def replace_chat(origin: Origin, uid: str, record: JSONObject, precondition: Precondition = ANY) -> Written:
    """Make the chat what the JSON says; only messages that are others are written. Raises `Missing`, `Invalid`."""
    with record_change(origin, "replace chat", title_of(record)) as entry:
        row = editing.find_for_write(CONVERSATIONS, uid)
        precondition.check(etag_of(row))
        if record.get("id", uid) != uid:
            raise at("/id", "The id of a chat cannot be changed.")
        [stored] = CONVERSATIONS.load([row])
        own_id = {"id": stored["id"]} if "id" in stored else {}
        record = {name: value for name, value in record.items() if name != "id"} | own_id
        record = with_message_ids(record, messages_without_own_id(row))
        value = editing.replace(entry, CONVERSATIONS, row, record, stored=stored)
    return _written(uid, value, entry)


def patch_chat(origin: Origin, uid: str, change: JSONObject, precondition: Precondition = ANY) -> Written:
    """Change members of the chat beside its messages (JSON Merge Patch). Raises `Missing` and `Invalid`."""
    if "messages" in change:
        raise at("/messages", "PATCH cannot change messages. Change them at …/messages, or PUT the whole chat.")
    if change.get("id", uid) != uid:
        raise at("/id", "The id of a chat cannot be changed.")
    with record_change(origin, "patch chat") as entry:
        row = editing.find_for_write(CONVERSATIONS, uid)
        precondition.check(etag_of(row))
        editor = ConversationEditor(entry, row)
        change = {name: value for name, value in change.items() if name != "id"}
        # Only the change is searched for secrets: a stored reference would be mistaken for a secret.
        patched = merge(editor.header, editing.take_in(entry, change, editor.header, uid))
        if not jsontext.same(patched, editor.header) and not {"updated", "isArchived"} & change.keys():
            patched["updated"] = now_ms()
        entry.summary = title_of(patched)
        editor.header = patched
        editor.save()
    return Written(patched, Conversation.objects.get(pk=row.pk), entry.change, entry.lost_keys)


def delete_chat(origin: Origin, uid: str, precondition: Precondition = ANY, *, purge: bool = False) -> Change | None:
    """Delete the chat. The journal keeps it, unless it is to be forgotten as well. Raises `Missing`."""
    with record_deletion(origin, "delete chat", purge=purge) as entry:
        row = editing.find_for_write(CONVERSATIONS, uid)
        precondition.check(etag_of(row))
        entry.summary = row.title
        editing.delete(entry, CONVERSATIONS, row)
        if purge:
            # Of a chat that is deleted for good, nothing is to stay. Any other can come back, and is pinned then.
            pin_one(entry, row, is_pinned=False)
    return entry.change


def _written(uid: str, value: Any, entry: Entry) -> Written:
    return Written(value, Conversation.objects.get(uid=uid), entry.change, entry.lost_keys)


# --- many ------------------------------------------------------------------------------------------------------------


def change_many(
    origin: Origin, action: str, uids: Sequence[str], change: Callable[[Entry, Conversation], None]
) -> tuple[Change | None, list[str]]:
    """Change many chats under one entry of the journal, in short transactions; return it and the ids not found."""
    whole: Change | None = None
    missing: list[str] = []
    for some in batched(uids, BATCH):
        with record_change(origin, action, into=whole) as entry:
            found = {row.uid: row for row in Conversation.objects.select_for_update().filter(uid__in=some)}
            for uid in dict.fromkeys(some):
                if uid in found:
                    change(entry, found[uid])
                else:
                    missing.append(uid)
        whole = entry.change or whole
    if whole is not None:
        whole.summary = f"{whole.record_count} records"
        Change.objects.filter(pk=whole.pk).update(summary=whole.summary)
    return whole, missing


def archive_one(entry: Entry, row: Conversation, *, is_archived: bool) -> None:
    """Archive the chat, or take it back."""
    editor = ConversationEditor(entry, row)
    stored = editor.header.get("isArchived")
    # What big-AGI takes for true is not what filters find.
    if stored is not True if is_archived else bool(stored):
        editor.header = editor.header | {"isArchived": is_archived}
        editor.save()


def delete_one(entry: Entry, row: Conversation) -> None:
    """Delete the chat."""
    editing.delete(entry, CONVERSATIONS, row)


def move_many(
    origin: Origin, uids: Sequence[str], folder: str | None, move: Callable[[Entry, list[str], str | None], None]
) -> tuple[Change | None, list[str]]:
    """Put chats into a folder and out of all others; None: out of all. Return the entry and the ids not found."""
    here = set(Conversation.objects.filter(uid__in=list(uids)).values_list("uid", flat=True))
    with record_change(origin, "move chats", f"{len(here)} chats") as entry:
        move(entry, [uid for uid in uids if uid in here], folder)
    return entry.change, [uid for uid in uids if uid not in here]


# --- branching -------------------------------------------------------------------------------------------------------


def branch_chat(origin: Origin, uid: str, message_id: str | None = None) -> Written:
    """Copy the chat up to and with a message, or whole, as big-AGI does (`bigagi-format.md` § 12).

    Raises `Missing` for the chat, `Invalid` for the message."""
    with record_change(origin, "branch chat") as entry:
        row = editing.find_for_write(CONVERSATIONS, uid)
        [stored] = CONVERSATIONS.load([row], shows_uids=True)
        messages = stored["messages"]
        if message_id is not None:
            places = [at for at, message in enumerate(messages) if _has_id(message, message_id)]
            if not places:
                raise at("/messageId", f"The chat has no message {message_id}.", "unknown")
            messages = messages[: places[0] + 1]
        new_uid = ids.new_chat_id()
        branch = {key: value for key, value in stored.items() if key != "userTitle"}
        branch |= {
            "id": new_uid,
            "autoTitle": number_title(title_of(stored)),
            "messages": [copy_message(message) for message in messages],
            "updated": now_ms(),
        }
        entry.summary = branch["autoTitle"]
        editing.insert(entry, CONVERSATIONS, editing.to_rows(CONVERSATIONS, branch, new_uid), top_position())
        _copy_workspace(entry, uid, new_uid)
    return _written(new_uid, branch, entry)


def copy_message(message: Any) -> Any:
    """Return the message under new ids, its fragments' ids new as well."""
    if not isinstance(message, dict):
        return message
    copy = {key: value for key, value in message.items() if key != "pendingIncomplete"} | {"id": ids.new_message_id()}
    if isinstance(message.get("fragments"), list):
        copy["fragments"] = [
            fragment | {"fId": ids.new_fragment_id()} if isinstance(fragment, dict) else fragment
            for fragment in message["fragments"]
        ]
    return copy


def _has_id(message: Any, uid: str) -> bool:
    return isinstance(message, dict) and message.get("id") == uid


def _copy_workspace(entry: Entry, uid: str, new_uid: str) -> None:
    for row in WORKSPACES.find([uid]).values():
        [files] = WORKSPACES.load([row])
        editing.insert(entry, WORKSPACES, editing.to_rows(WORKSPACES, files, new_uid))
