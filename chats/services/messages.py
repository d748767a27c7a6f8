"""Single messages: appended, replaced, deleted. The cost does not grow with the chat's texts, only with its hashes."""

from chats.bigagi import rows as table
from chats.bigagi.conversation import CONVERSATIONS, STORE, load_messages
from chats.bigagi.conversion import convert_message, is_old_message
from chats.bigagi.message import MessageRow, message_to_row
from chats.generations.lock import check_free
from chats.models import Conversation
from chats.services import ids
from chats.services.header import Member, header_of, now_ms, read_members, save_header
from stores import jsontext
from stores.codecs import JSONObject, Unreadable
from stores.journal.delta import Delta, diff
from stores.journal.recorder import Entry, Origin, record_change
from stores.preconditions import ANY, Precondition, etag_of
from stores.quarantine import save_quarantine
from stores.services import records
from stores.services.errors import Invalid, Missing, Taken, at
from stores.services.written import Written


def append_message(origin: Origin, chat_uid: str, message: JSONObject, precondition: Precondition = ANY) -> Written:
    """Add a message at the end of the chat, under its own id or a new one. Raises `Missing`, `Taken`, `Invalid`."""
    with record_change(origin, "append message") as entry:
        chat = _open(entry, chat_uid, precondition)
        members = read_members(chat)
        message = {"id": ids.new_message_id()} | message
        ids.read_id(message)
        if any(member.uid == message["id"] for member in members):
            raise Taken(f"The id {message['id']} is taken by another message of this chat.")
        message = came = records.take_in(entry, message, None)
        position = members[-1].position + 1 if members else 0
        message, row = _to_row(message, chat.uid, position)
        records.refuse_damage(row.damaged)
        _insert(chat, row)
        delta = [[["messages"], "splice", len(members), [], [message]]]
        members.append(Member(position, 0, row.uid, row.content_hash))
        _touch(entry, chat, members, delta)
        _keep_original(came, chat.uid, message)
    return Written((position, message), chat, entry.change, entry.lost_keys)


def replace_message(
    origin: Origin, chat_uid: str, uid: str, message: JSONObject, precondition: Precondition = ANY
) -> Written:
    """Make the message what the JSON says. Raises `Missing` and `Invalid`."""
    with record_change(origin, "replace message") as entry:
        chat = _open(entry, chat_uid, precondition)
        members = read_members(chat)
        index, pk = _find(members, uid)
        if message.setdefault("id", uid) != uid:
            raise at("/id", "The id of a message cannot be changed.")
        [(_, position, ours)] = load_messages([pk], by="id")
        message = came = records.take_in(entry, message, ours)
        if jsontext.same(message, ours | {"id": uid}):
            # It was shown under an id that it has not got in the file it came from.
            message = came = ours
        message, row = _to_row(message, chat.uid, position, uid)
        records.refuse_damage(row.damaged, message_to_row(ours, position, uid).damaged)
        if row.content_hash != members[index].content_hash:
            _delete(pk)
            _insert(chat, row)
            members[index].content_hash = row.content_hash
            delta = [[["messages", index, *path], *rest] for path, *rest in diff(ours, message)]
            _touch(entry, chat, members, delta)
            _keep_original(came, chat.uid, message)
    return Written((position, message | {"id": uid}), chat, entry.change, entry.lost_keys)


def delete_message(origin: Origin, chat_uid: str, uid: str, precondition: Precondition = ANY) -> Written:
    """Delete the message. Those behind it keep their positions. Raises `Missing`."""
    with record_change(origin, "delete message") as entry:
        chat = _open(entry, chat_uid, precondition)
        members = read_members(chat)
        index, pk = _find(members, uid)
        [(_, position, ours)] = load_messages([pk], by="id")
        _delete(pk)
        del members[index]
        _touch(entry, chat, members, [[["messages"], "splice", index, [ours], []]])
    return Written((position, ours), chat, entry.change)


def _open(entry: Entry, uid: str, precondition: Precondition) -> Conversation:
    chat: Conversation = records.find_for_write(CONVERSATIONS, uid)
    precondition.check(etag_of(chat))
    check_free(chat)
    entry.summary = chat.title
    return chat


def _find(members: list[Member], uid: str) -> tuple[int, int]:
    for index, member in enumerate(members):
        if member.uid == uid and member.pk is not None:
            return index, member.pk
    raise Missing(f"The chat has no message {uid}.")


def _to_row(message: JSONObject, chat_uid: str, position: int, uid: str = "") -> tuple[JSONObject, MessageRow]:
    if is_old_message(message):
        message = convert_message(message, chat_uid, position)
    try:
        return message, message_to_row(message, position, uid)
    except Unreadable as error:
        raise Invalid(f"Cannot be stored: {error.reason}.") from error


def _keep_original(came: JSONObject, chat_uid: str, message: JSONObject) -> None:
    if came is not message:
        records.keep_originals([("message", f"{chat_uid}/{message['id']}", came)])


def _insert(chat: Conversation, row: MessageRow) -> None:
    table.insert_messages([(chat.pk, row)])
    if row.damaged:
        for member in row.damaged:
            member.place = f"chat {chat.uid}, message {row.position}, fragment {member.position}"
        owner = chat.messages.values_list("pk", flat=True).get(uid=row.uid)
        save_quarantine(STORE, row.damaged, None, owner=owner)


def _delete(pk: int) -> None:
    table.delete_messages([pk])


def _touch(entry: Entry, chat: Conversation, members: list[Member], delta: Delta) -> None:
    header = header_of(chat)
    save_header(entry, chat, header, header | {"updated": now_ms()}, members, delta)
