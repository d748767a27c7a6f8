"""Messages of before big-AGI's v4, brought to today's shape (`bigagi-format.md` § 3). Pure."""

from typing import Any

from chats.bigagi.uids import derived_id
from stores.records.codecs import JSONObject

DROPPED = ("text", "sender", "avatar", "typing", "originLLM")


def is_old_message(message: Any) -> bool:
    """Tell whether the message is of before v4: it has its text in `text`, whatever the store's version says."""
    return isinstance(message, dict) and isinstance(message.get("text"), str) and "fragments" not in message


def find_old_messages(messages: list[Any]) -> list[int]:
    """Return the places of the messages to convert."""
    return [at for at, message in enumerate(messages) if is_old_message(message)]


def convert_message(message: JSONObject, conversation_id: str, position: int) -> JSONObject:
    """Return an old message in today's shape. Ids that it lacks are derived from its place."""
    converted = {key: value for key, value in message.items() if key not in DROPPED}
    converted.setdefault("id", derived_id(conversation_id, position))
    converted["fragments"] = [
        {
            "ft": "content",
            "fId": derived_id(conversation_id, position, "fragment", length=8),
            "part": {"pt": "text", "text": message["text"]},
        }
    ]
    if isinstance(message.get("originLLM"), str) and message["originLLM"] and "generator" not in message:
        converted["generator"] = {"mgt": "named", "name": message["originLLM"]}
    metadata = message.get("metadata")
    if isinstance(metadata, dict) and isinstance(metadata.get("inReplyToText"), str):
        converted["metadata"] = {key: value for key, value in metadata.items() if key != "inReplyToText"}
        converted["metadata"].setdefault(
            "inReferenceTo", [{"mrt": "dmsg", "mText": metadata["inReplyToText"], "mRole": "assistant"}]
        )
    return converted
