"""Messages of before big-AGI's v4, brought to today's shape (`bigagi-format.md` § 3). Pure."""

import hashlib
from typing import Any

from stores.codecs import JSONObject, is_id

DROPPED = ("text", "sender", "avatar", "typing", "originLLM")


def derived_id(*parts: object, length: int = 21) -> str:
    """Return an id made from what it is derived from, so that a conversion can be repeated."""
    return hashlib.sha256("\n".join(map(str, parts)).encode("utf-8", "replace")).hexdigest()[:length]


def is_old_message(message: Any) -> bool:
    """Tell whether the message is of before v4: it has its text in `text`, whatever the store's version says."""
    return isinstance(message, dict) and isinstance(message.get("text"), str) and "fragments" not in message


def find_old_messages(messages: list[Any]) -> list[int]:
    """Return the places of the messages to convert; one that goes into the quarantine stays as it came."""
    if not any(map(is_old_message, messages)):
        return []
    known: set[str] = set()
    places = []
    for at, message in enumerate(messages):
        if isinstance(message, dict) and "id" in message:
            if not is_id(message["id"]) or message["id"] in known:
                continue
            known.add(message["id"])
        if is_old_message(message):
            places.append(at)
    return places


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
