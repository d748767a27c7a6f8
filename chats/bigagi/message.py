"""Codecs of messages and fragments (`bigagi-format.md` § 3). Pure: no database."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from chats.bigagi.uids import derived_id
from chats.models import Fragment, Message
from stores.records import jsontext
from stores.records.codecs import Columns, Damaged, JSONObject, Unreadable, is_id, is_storable, storable

MESSAGE = Columns(
    Message,
    {
        "role": "role",
        "purpose_id": "purposeId",
        "created": "created",
        "updated": "updated",
        "token_count": "tokenCount",
        "pending_incomplete": "pendingIncomplete",
        "user_flags": "userFlags",
        "metadata": "metadata",
        "generator_kind": "generator.mgt",
        "generator_name": "generator.name",
        "vendor_id": "generator.aix.vId",
        "model_id": "generator.aix.mId",
        "stop_reason": "generator.tokenStopReason",
        "metrics": "generator.metrics",
    },
    words=frozenset({"user_flags"}),
)
FRAGMENT = Columns(Fragment, {"fid": "fId", "ft": "ft", "title": "title"})

TEXT_PATHS = {
    "text": ("text",),
    "error": ("error",),
    "ma": ("aText",),
    "ph": ("pText",),
    "doc": ("data", "text"),
}
"""Where the text lies that people read in a part, by its `pt`."""

LONGEST_PT = 50


@dataclass(slots=True)
class FragmentRow:
    position: int
    columns: JSONObject
    pt: str | None
    text: str | None
    part: JSONObject | None
    extra: JSONObject


@dataclass(slots=True)
class MessageRow:
    uid: str
    position: int
    columns: JSONObject
    extra: JSONObject
    content_hash: str
    has_derived_uid: bool = False
    fragments: list[FragmentRow] = field(default_factory=list)
    damaged: list[Damaged] = field(default_factory=list)


def fragment_to_row(fragment: JSONObject, position: int) -> FragmentRow:
    """Return the row of a fragment's JSON."""
    columns, extra = FRAGMENT.split(fragment)
    part = extra.get("part")
    if not isinstance(part, dict):
        return FragmentRow(position, columns, None, None, None, extra)
    del extra["part"]
    pt = part.get("pt")
    if not (isinstance(pt, str) and len(pt) <= LONGEST_PT and is_storable(pt)):
        return FragmentRow(position, columns, None, None, part, extra)
    rest = dict(part)
    del rest["pt"]
    return FragmentRow(position, columns, pt, _take_text(rest, TEXT_PATHS.get(pt)), rest, extra)


def _take_text(rest: JSONObject, path: tuple[str, ...] | None) -> str | None:
    """Take the text out of a part; what cannot be stored stays, and an approximation is returned."""
    if path is None:
        return None
    node: Any = rest
    for key in path[:-1]:
        inner = node.get(key)
        if not isinstance(inner, dict):
            return None
        node[key] = node = dict(inner)
    text = node.get(path[-1])
    if not isinstance(text, str):
        return None
    if not is_storable(text):
        return storable(text)
    del node[path[-1]]
    return text


def fragment_to_json(
    columns: Mapping[str, Any], pt: str | None, text: str | None, part: JSONObject | None, extra: JSONObject | None
) -> JSONObject:
    """Return the JSON that `fragment_to_row` took apart."""
    fragment = FRAGMENT.join(columns, extra)
    if part is not None:
        whole = dict(part)
        if pt is not None:
            whole["pt"] = pt
            if text is not None and (path := TEXT_PATHS.get(pt)):
                _put_text(whole, path, text)
        fragment["part"] = whole
    return fragment


def _put_text(whole: JSONObject, path: tuple[str, ...], text: str) -> None:
    node = whole
    for key in path[:-1]:
        node[key] = node = dict(node.get(key, {}))
    node.setdefault(path[-1], text)


def why_damaged_fragment(fragment: Any) -> str:
    """Say why big-AGI could not use the fragment, or nothing."""
    if not isinstance(fragment, dict):
        return "a fragment that is not an object"
    return "" if fragment.get("ft") is not None else "a fragment without a type (ft)"


def find_message_uids(messages: Sequence[Any]) -> list[str]:
    """Return for each message of a chat the id that its row goes by: "" for one that is no object.

    That is its own id. One without an id, with one that is no text, or with one that an earlier message has gets an id
    derived from its content, so that it can be read and addressed all the same.
    """
    uids: list[str] = []
    taken: set[str] = set()
    for message in messages:
        uid = message.get("id") if isinstance(message, dict) else None
        is_own = isinstance(uid, str) and is_id(uid) and uid not in taken
        uids.append(uid if is_own else "")  # type: ignore[arg-type]  # is_own says that it is text
        taken.add(uids[-1])
    for at, message in enumerate(messages):
        if not uids[at] and isinstance(message, dict):
            text = jsontext.canonical(message)
            uids[at] = next(uid for n in count() if (uid := derived_id("message", text, n)) not in taken)
            taken.add(uids[at])
    return uids


def message_to_row(message: Any, position: int, uid: str = "") -> MessageRow:
    """Return the rows of a message's JSON, under this id or by default its own.

    Raises `Unreadable` where no row can hold it.
    """
    if not isinstance(message, dict):
        raise Unreadable("a message that is not an object")
    own, fragments = message.get("id"), message.get("fragments")
    if not uid and not is_id(own):
        raise Unreadable("a message without a valid id")
    if not isinstance(fragments, list):
        raise Unreadable("a message without a list of fragments")
    columns, extra = MESSAGE.split(message)
    del extra["fragments"]
    uid = uid or str(own)
    is_derived = own != uid
    if not is_derived:
        del extra["id"]
    row = MessageRow(uid, position, columns, extra, jsontext.content_hash(message), is_derived)
    for at, fragment in enumerate(fragments):
        if reason := why_damaged_fragment(fragment):
            raw = jsontext.encode(fragment)
            pointer = f"/messages/{position}/fragments/{at}"
            row.damaged.append(Damaged("fragments", at, "fragment", reason, raw, pointer=pointer))
        else:
            row.fragments.append(fragment_to_row(fragment, at))
    return row


def message_to_json(
    uid: str,
    columns: Mapping[str, Any],
    extra: JSONObject | None,
    fragments: Iterable[tuple[int, Any]],
    *,
    has_derived_uid: bool = False,
) -> JSONObject:
    """Return the JSON that `message_to_row` took apart; `fragments` are positions with the fragments' JSON."""
    message = MESSAGE.join(columns, extra)
    if not has_derived_uid:
        message["id"] = uid
    message["fragments"] = [fragment for _, fragment in sorted(fragments, key=lambda pair: pair[0])]
    return message
