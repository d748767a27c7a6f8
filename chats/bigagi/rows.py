"""Conversations, messages and fragments as rows of plain SQL: imports write and dumps read too many for the ORM."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import BooleanField, F

from chats.bigagi.message import FRAGMENT, MESSAGE, FragmentRow, MessageRow, fragment_to_json, message_to_json
from chats.models import Conversation, Fragment, Message
from stores.models import Quarantine
from stores.records.codecs import JSONObject, Rows
from stores.records.fields import VerbatimJSONField
from stores.records.iteration import batched
from stores.records.jsontext import decode, encode
from stores.records.quarantine import load_quarantined
from stores.records.sql import KEYS_A_QUERY, allocate_ids, execute, fetch, insert_rows, marks, now, select_rows

CONVERSATION_COLUMNS = (
    *("user_title", "auto_title", "system_purpose_id", "user_symbol"),
    *("is_archived", "token_count", "created", "updated"),
)
MESSAGE_COLUMNS = (*MESSAGE.names, "has_derived_uid")
FRAGMENT_COLUMNS = FRAGMENT.names
FRAGMENT_NAMES = ("message", "position", *FRAGMENT_COLUMNS, "pt", "text", "part", "extra")

_JSON = [name for name in MESSAGE_COLUMNS if isinstance(Message._meta.get_field(name), VerbatimJSONField)]
_BOOLEAN = [name for name in MESSAGE_COLUMNS if isinstance(Message._meta.get_field(name), BooleanField)]


_NO_UPDATE = {"updated": None}
_NO_UPDATE_TEXT = encode(_NO_UPDATE)


def _text(value: Any) -> str | None:
    if not value:
        return None
    # What most messages of big-AGI leave over.
    return _NO_UPDATE_TEXT if value == _NO_UPDATE else encode(value)


def insert_conversations(batch: Sequence[tuple[Rows, int]]) -> Sequence[int]:
    """Insert the headers of conversations at their positions; return their primary keys."""
    keys = allocate_ids(Conversation, len(batch))
    written_at = now()
    insert_rows(
        Conversation,
        (
            "id",
            "uid",
            "position",
            *CONVERSATION_COLUMNS,
            "has_derived_uid",
            "extra",
            "content_hash",
            "revision",
            "created_at",
            "updated_at",
        ),
        [
            (pk, rows.uid, position, *(rows.columns[name] for name in CONVERSATION_COLUMNS))
            + (rows.has_derived_uid or None,)
            + (_text(rows.extra), rows.content_hash, 1, written_at, written_at)
            for pk, (rows, position) in zip(keys, batch, strict=True)
        ],
    )
    return keys


def insert_messages(messages: Sequence[tuple[int, MessageRow]]) -> Sequence[int]:
    """Insert messages, given with their conversations' keys, and their fragments; return their own keys."""
    keys = allocate_ids(Message, len(messages))
    insert_rows(
        Message,
        ("id", "conversation", "uid", "position", *MESSAGE_COLUMNS, "extra", "content_hash"),
        [message_values(pk, owner, row) for pk, (owner, row) in zip(keys, messages, strict=True)],
    )
    insert_rows(
        Fragment,
        FRAGMENT_NAMES,
        [values for pk, (_, row) in zip(keys, messages, strict=True) for values in fragment_values(pk, row.fragments)],
    )
    return keys


def insert_fragments(owner: int, fragments: Sequence[FragmentRow]) -> None:
    """Insert fragments of a message that is here."""
    insert_rows(Fragment, FRAGMENT_NAMES, list(fragment_values(owner, fragments)))


def grow_fragment(owner: int, fragment: FragmentRow) -> None:
    """Write kind, text and part of a fragment that is here: text can turn out to be reasoning."""
    statement = (
        "UPDATE {chats.Fragment} SET ft = %s, pt = %s, text = %s, part = %s WHERE message_id = %s AND position = %s"
    )
    kind = [fragment.columns["ft"], fragment.pt]
    execute(statement, [*kind, fragment.text, _part_text(fragment), owner, fragment.position])


def message_values(pk: int, owner: int, row: MessageRow) -> tuple[Any, ...]:
    """Return the values of a message's row, in the order of its insert."""
    columns = row.columns | {"has_derived_uid": row.has_derived_uid or None}
    values = [
        encode(value) if name in _JSON and (value := columns[name]) is not None else columns[name]
        for name in MESSAGE_COLUMNS
    ]
    return (pk, owner, row.uid, row.position, *values, _text(row.extra), row.content_hash)


def fragment_values(owner: int, fragments: Sequence[FragmentRow]) -> Iterator[tuple[Any, ...]]:
    """Yield the values of a message's fragments, in the order of their insert."""
    for fragment in fragments:
        columns = (fragment.columns[name] for name in FRAGMENT_COLUMNS)
        part = _part_text(fragment)
        yield (owner, fragment.position, *columns, fragment.pt, fragment.text, part, _text(fragment.extra))


def _part_text(fragment: FragmentRow) -> str | None:
    return None if fragment.part is None else encode(fragment.part) if fragment.part else "{}"


def messages_of(keys: Sequence[int], by: str) -> Iterator[tuple[int, int, int, str, dict[str, Any], dict[str, Any]]]:
    """Yield key, conversation key, position, id, columns and extra of the messages whose `by` is one of the keys."""
    names = ("id", "conversation", "position", "uid", "extra", *MESSAGE_COLUMNS)
    for pk, owner, position, uid, extra, *values in select_rows(Message, names, by, keys):
        columns = dict(zip(MESSAGE_COLUMNS, values, strict=True))
        for name in _JSON:
            if columns[name] is not None:
                columns[name] = decode(columns[name])
        # SQLite has no booleans.
        for name in _BOOLEAN:
            if columns[name] is not None:
                columns[name] = bool(columns[name])
        yield pk, owner, position, uid, columns, _value(extra)


def fragments_of(keys: Sequence[int]) -> Iterator[tuple[int, int, dict[str, Any], Any, Any, Any, dict[str, Any]]]:
    """Yield message key, position, columns, pt, text, part and extra of the fragments of messages."""
    names = ("message", "position", "pt", "text", "part", "extra", *FRAGMENT_COLUMNS)
    for owner, position, pt, text, part, extra, *values in select_rows(Fragment, names, "message", keys):
        columns = dict(zip(FRAGMENT_COLUMNS, values, strict=True))
        yield owner, position, columns, pt, text, None if part is None else _value(part), _value(extra)


def _value(text: str | None) -> dict[str, Any]:
    if text is None or text == "{}":
        return {}
    return {"updated": None} if text == _NO_UPDATE_TEXT else decode(text)


def shift_messages(owner: int) -> None:
    """Move all messages of a conversation, damaged ones as well, one place on."""
    execute("UPDATE {chats.Message} SET position = position + 1 WHERE conversation_id = %s", [owner])
    if has_damage():
        damaged = Quarantine.objects.filter(store="app-chats", collection="messages", owner=owner)
        damaged.update(position=F("position") + 1)


def delete_messages(keys: Sequence[int]) -> None:
    """Delete these messages with their fragments, damaged ones as well."""
    for some in batched(keys, KEYS_A_QUERY):
        if has_damage():
            Quarantine.objects.filter(store="app-chats", collection="fragments", owner__in=some).delete()
        # Nothing else refers to them: the ORM would read each fragment before it deletes it.
        execute(f"DELETE FROM {{chats.Fragment}} WHERE message_id IN ({marks(some)})", some)
        execute(f"DELETE FROM {{chats.Message}} WHERE id IN ({marks(some)})", some)


def has_damage() -> bool:
    """Tell whether any chat has damaged members: hardly anybody has one, and asking first is cheap."""
    return bool(fetch("SELECT 1 FROM {stores.Quarantine} WHERE store = 'app-chats' LIMIT 1"))


def damaged_fragments_of(keys: Sequence[int]) -> Iterator[tuple[int, int, Any]]:
    """Yield message key, position and JSON of the messages' damaged fragments."""
    if not has_damage():
        return
    for some in batched(keys, KEYS_A_QUERY):
        yield from load_quarantined("app-chats", "fragments", some)


def load_messages(
    keys: Sequence[int], by: str = "conversation", *, shows_uids: bool = False
) -> list[tuple[int, int, JSONObject]]:
    """Return conversation key, position and JSON of the messages of these conversations, or (`by="id"`) with these
    keys; three queries. With `shows_uids` each has the id by which it is addressed here, also where the source had
    none, or one that is there twice."""
    rows = list(messages_of(keys, by))
    fragments: dict[int, list[tuple[int, Any]]] = {pk: [] for pk, *_ in rows}
    for owner, position, columns, pt, text, part, extra in fragments_of(list(fragments)):
        fragments[owner].append((position, fragment_to_json(columns, pt, text, part, extra)))
    for owner, position, damaged in damaged_fragments_of(list(fragments)):
        fragments[owner].append((position, damaged))
    loaded = []
    for pk, owner, position, uid, columns, extra in rows:
        is_derived = bool(columns["has_derived_uid"])
        message = message_to_json(uid, columns, extra, fragments[pk], has_derived_uid=is_derived)
        loaded.append((owner, position, message | {"id": uid} if shows_uids and is_derived else message))
    return loaded
