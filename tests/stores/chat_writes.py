"""Writes of chats, folders and assets through the services, each with hypothesis's values for it."""

from typing import Any

from hypothesis import strategies as st

from chats.bigagi.asset import ASSETS
from chats.bigagi.conversation import CONVERSATIONS
from chats.bigagi.folder import FOLDERS
from chats.models import Message
from chats.services import assets, conversations, folders, messages
from tests import strategies as big
from tests.stores.picking import Writes, chats, load_shown, nothing, origin_of, pick, pick_uid, texts

# --- chats -----------------------------------------------------------------------------------------------------------


def create_chat(at: int, other: int, value: Any) -> Any:
    return conversations.create_chat(origin_of(value), value)


def replace_chat(at: int, other: int, value: Any) -> Any:
    record = {key: item for key, item in value.items() if key != "id"}
    return conversations.replace_chat(origin_of(value), pick_uid(CONVERSATIONS, at), record)


def edit_chat(at: int, other: int, value: Any) -> Any:
    """Send the chat back with one thing about its messages changed."""
    record = load_shown(CONVERSATIONS, at)
    listed = record.setdefault("messages", [])
    place = other % (len(listed) + 1)
    kind, message = value
    if kind == "insert":
        listed.insert(place, message)
    elif kind == "reverse":
        listed.reverse()
    elif listed and kind == "twice":
        listed.append(listed[place - 1])
    elif listed and kind == "drop":
        del listed[place - 1]
    elif listed and isinstance(listed[place - 1], dict):
        held = listed[place - 1].get("fragments")
        listed[place - 1] |= {"role": "system"}
        if isinstance(held, list):
            held.insert(0, message)
    record.pop("id", None)
    return conversations.replace_chat(origin_of(value), pick_uid(CONVERSATIONS, at), record)


def patch_chat(at: int, other: int, value: Any) -> Any:
    return conversations.patch_chat(origin_of(value), pick_uid(CONVERSATIONS, at), value)


def delete_chat(at: int, other: int, value: Any) -> Any:
    return conversations.delete_chat(origin_of(value), pick_uid(CONVERSATIONS, at))


def branch_chat(at: int, other: int, value: Any) -> Any:
    uid = pick_uid(CONVERSATIONS, at)
    listed = list(Message.objects.filter(conversation__uid=uid).order_by("position").values_list("uid", flat=True))
    return conversations.branch_chat(origin_of(value), uid, pick(listed, other) if value else None)


def _some(at: int, other: int) -> list[str]:
    return [pick_uid(CONVERSATIONS, at), pick_uid(CONVERSATIONS, other), pick_uid(CONVERSATIONS, at + other)]


def archive_chats(at: int, other: int, value: Any) -> Any:
    def archive(entry: Any, row: Any) -> None:
        conversations.archive_one(entry, row, is_archived=value)

    return conversations.change_many(origin_of(value), "archive chats", _some(at, other), archive)


def delete_chats(at: int, other: int, value: Any) -> Any:
    return conversations.change_many(origin_of(value), "delete chats", _some(at, other), conversations.delete_one)


def move_chats(at: int, other: int, value: Any) -> Any:
    folder = None if value else pick_uid(FOLDERS, other)
    return conversations.move_many(origin_of(value), _some(at, other), folder, folders.move_chats)


def append_message(at: int, other: int, value: Any) -> Any:
    return messages.append_message(origin_of(value), pick_uid(CONVERSATIONS, at), value)


def replace_message(at: int, other: int, value: Any) -> Any:
    uid = pick_uid(CONVERSATIONS, at)
    listed = list(Message.objects.filter(conversation__uid=uid).order_by("position").values_list("uid", flat=True))
    message = {key: item for key, item in value.items() if key != "id"}
    return messages.replace_message(origin_of(value), uid, pick(listed, other), message)


def delete_message(at: int, other: int, value: Any) -> Any:
    uid = pick_uid(CONVERSATIONS, at)
    listed = list(Message.objects.filter(conversation__uid=uid).order_by("position").values_list("uid", flat=True))
    return messages.delete_message(origin_of(value), uid, pick(listed, other))


# --- folders and assets ----------------------------------------------------------------------------------------------


def create_folder(at: int, other: int, value: Any) -> Any:
    return folders.create_folder(origin_of(value), value)


def replace_folder(at: int, other: int, value: Any) -> Any:
    record = {key: item for key, item in value.items() if key != "id"}
    return folders.replace_folder(origin_of(value), pick_uid(FOLDERS, at), record)


def patch_folder(at: int, other: int, value: Any) -> Any:
    return folders.patch_folder(origin_of(value), pick_uid(FOLDERS, at), value)


def add_to_folder(at: int, other: int, value: Any) -> Any:
    return folders.add_chats(origin_of(value), pick_uid(FOLDERS, at), [pick_uid(CONVERSATIONS, other), *value])


def remove_from_folder(at: int, other: int, value: Any) -> Any:
    listed = load_shown(FOLDERS, at).get("conversationIds", [])
    uids = [uid for uid in listed if isinstance(uid, str)]
    return folders.remove_chat(origin_of(value), pick_uid(FOLDERS, at), pick(uids, other))


def delete_folder(at: int, other: int, value: Any) -> Any:
    return folders.delete_folder(origin_of(value), pick_uid(FOLDERS, at))


def order_folders(at: int, other: int, value: Any) -> Any:
    return folders.order_folders(origin_of(value), [pick_uid(FOLDERS, at), pick_uid(FOLDERS, other)])


def create_asset(at: int, other: int, value: Any) -> Any:
    return assets.create_asset(origin_of(value), value)


def delete_asset(at: int, other: int, value: Any) -> Any:
    return assets.delete_asset(origin_of(value), pick_uid(ASSETS, at))


# --- values ----------------------------------------------------------------------------------------------------------

_messages = st.one_of(big.messages, big.odd_messages, big.old_messages)
_titles = big.objects({"userTitle": texts, "autoTitle": texts, "note": texts}, {})

CHAT_WRITES: Writes = {
    "create_chat": (create_chat, chats),
    "replace_chat": (replace_chat, chats),
    "edit_chat": (
        edit_chat,
        st.tuples(
            st.sampled_from(["insert", "reverse", "twice", "drop", "change"]),
            st.one_of(_messages, big.fragments, big.anything),
        ),
    ),
    "patch_chat": (patch_chat, st.one_of(_titles, big.objects(big.conversation_fields))),
    "delete_chat": (delete_chat, nothing),
    "branch_chat": (branch_chat, st.booleans()),
    "archive_chats": (archive_chats, st.booleans()),
    "delete_chats": (delete_chats, nothing),
    "move_chats": (move_chats, st.booleans()),
    "append_message": (append_message, _messages),
    "replace_message": (replace_message, _messages),
    "delete_message": (delete_message, nothing),
    "create_folder": (create_folder, big.folders),
    "replace_folder": (replace_folder, big.folders),
    "patch_folder": (
        patch_folder,
        big.objects({"title": texts, "color": texts, "conversationIds": big.members(big.ids)}),
    ),
    "add_to_folder": (add_to_folder, st.lists(big.ids, max_size=2)),
    "remove_from_folder": (remove_from_folder, nothing),
    "delete_folder": (delete_folder, nothing),
    "order_folders": (order_folders, nothing),
    "create_asset": (create_asset, big.assets),
    "delete_asset": (delete_asset, nothing),
}
