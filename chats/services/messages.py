"""Single messages: appended, replaced, deleted."""

from chats.bigagi.conversation import CONVERSATIONS
from chats.bigagi.conversion import convert_message, is_old_message
from chats.lock import check_free
from chats.models import Conversation
from chats.services import ids
from chats.services.editor import ConversationEditor
from stores.records import editing, jsontext
from stores.records.codecs import JSONObject
from stores.records.errors import at
from stores.records.journal.recorder import Entry, Origin, record_change
from stores.records.preconditions import ANY, Precondition, etag_of
from stores.records.written import Written


def append_message(origin: Origin, chat_uid: str, message: JSONObject, precondition: Precondition = ANY) -> Written:
    """Add a message at the end of the chat, under its own id or a new one. Raises `Missing`, `Taken`, `Invalid`."""
    with record_change(origin, "append message") as entry:
        editor = open_chat(entry, chat_uid, precondition)
        incoming = {"id": ids.new_message_id()} | message
        ids.read_id(incoming)
        incoming = editing.take_in(entry, incoming, None, within=(CONVERSATIONS, editor.chat))
        message = _convert(incoming, chat_uid, editor.next_position)
        position = editor.append(message)
        editor.save()
        _keep_original(incoming, chat_uid, message)
    return Written((position, message), editor.chat, entry.change, entry.lost_keys)


def replace_message(
    origin: Origin, chat_uid: str, uid: str, message: JSONObject, precondition: Precondition = ANY
) -> Written:
    """Make the message what the JSON says. Raises `Missing` and `Invalid`."""
    with record_change(origin, "replace message") as entry:
        editor = open_chat(entry, chat_uid, precondition)
        position = editor.slots[editor.index_of(uid)].position
        if message.setdefault("id", uid) != uid:
            raise at("/id", "The id of a message cannot be changed.")
        stored = editor.load(uid)
        incoming = editing.take_in(entry, message, stored, within=(CONVERSATIONS, editor.chat))
        if jsontext.same(incoming, stored | {"id": uid}):
            # It was shown under an id that it has not got in the file it came from.
            incoming = stored
        message = _convert(incoming, chat_uid, position)
        has_changed = editor.replace(uid, message, stored)
        editor.save()
        if has_changed:
            _keep_original(incoming, chat_uid, message)
    return Written((position, message | {"id": uid}), editor.chat, entry.change, entry.lost_keys)


def delete_message(origin: Origin, chat_uid: str, uid: str, precondition: Precondition = ANY) -> Written:
    """Delete the message. Those behind it keep their positions. Raises `Missing`."""
    with record_change(origin, "delete message") as entry:
        editor = open_chat(entry, chat_uid, precondition)
        deleted = editor.delete(uid)
        editor.save()
    return Written(deleted, editor.chat, entry.change)


def open_chat(entry: Entry, uid: str, precondition: Precondition) -> ConversationEditor:
    """Return the editor of a chat, which is locked until the transaction ends.

    Raises `Missing`, `Stale`, and `Conflict` while an answer is being generated in it."""
    chat: Conversation = editing.find_for_write(CONVERSATIONS, uid)
    precondition.check(etag_of(chat))
    check_free(chat)
    entry.summary = chat.title
    return ConversationEditor(entry, chat)


def _convert(message: JSONObject, chat_uid: str, position: int) -> JSONObject:
    return convert_message(message, chat_uid, position) if is_old_message(message) else message


def _keep_original(incoming: JSONObject, chat_uid: str, message: JSONObject) -> None:
    if incoming is not message:
        editing.keep_originals([("message", f"{chat_uid}/{message['id']}", incoming)])
