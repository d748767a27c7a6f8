"""The codec of conversations, and `app-chats` in and out of this app's rows (`bigagi-format.md` § 3)."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from django.db.models import F, Min, QuerySet
from django.utils import timezone

from chats.bigagi import rows as table
from chats.bigagi.conversion import convert_message, find_old_messages, is_old_message
from chats.bigagi.history import record_calls
from chats.bigagi.message import MessageRow, fragment_to_json, message_to_json, message_to_row
from chats.generations.lock import check_free, close_abandoned_in
from chats.models import Conversation, Message
from stores import jsontext
from stores.codecs import Columns, Damaged, JSONObject, Rows, Unreadable, is_id
from stores.collections import Collection, Original
from stores.models import MigrationRun, Quarantine, Revision
from stores.quarantine import load_quarantined, save_quarantine

STORE = "app-chats"
BLOCK = 2**32
"""Positions that one import takes for its conversations, above all that are here."""

CONVERSATION = Columns(
    Conversation,
    {
        "user_title": "userTitle",
        "auto_title": "autoTitle",
        "system_purpose_id": "systemPurposeId",
        "user_symbol": "userSymbol",
        "is_archived": "isArchived",
        "token_count": "tokenCount",
        "created": "created",
        "updated": "updated",
    },
)


def hash_conversation(header: JSONObject, members: Iterable[str]) -> str:
    """Return the hash over the conversation without its messages, and its messages' hashes in their order."""
    return jsontext.digest(jsontext.canonical(header) + "".join(f"\n{member}" for member in members))


def conversation_to_rows(record: Any, uid: str) -> Rows:
    """Return the rows of a conversation's JSON. Raises `Unreadable` where no row can hold it."""
    if not isinstance(record, dict):
        raise Unreadable("a conversation that is no object")
    messages = record.get("messages")
    if not isinstance(messages, list):
        raise Unreadable("a conversation without its list of messages")
    header = {key: value for key, value in record.items() if key != "messages"}
    columns, extra = CONVERSATION.split(header)
    del extra["id"]
    parts: list[MessageRow] = []
    damaged: list[Damaged] = []
    hashes: list[str] = []
    known: set[str] = set()
    for at, message in enumerate(messages):
        try:
            row = message_to_row(message, at)
            if row.uid in known:
                raise Unreadable("a message with an id that another message of the chat has")
        except Unreadable as error:
            raw = jsontext.encode(message)
            found = message.get("id") if isinstance(message, dict) else None
            damaged.append(
                Damaged(
                    "messages",
                    at,
                    "message",
                    error.reason,
                    raw,
                    uid=found if isinstance(found, str) else "",
                    place=f"chat {uid}, message {at}",
                    inside=_count_fragments(message),
                )
            )
            hashes.append(jsontext.content_hash(message))
            continue
        for member in row.damaged:
            member.place = f"chat {uid}, message {at}, fragment {member.position}"
        known.add(row.uid)
        parts.append(row)
        hashes.append(row.content_hash)
    counts = {"message": len(messages), "fragment": sum(map(_count_fragments, messages))}
    return Rows(uid, columns, extra, hash_conversation(header, hashes), parts, damaged, counts)


def _count_fragments(message: Any) -> int:
    fragments = message.get("fragments") if isinstance(message, dict) else None
    return len(fragments) if isinstance(fragments, list) else 0


def conversation_to_json(
    uid: str, columns: Mapping[str, Any], extra: JSONObject | None, messages: Iterable[tuple[int, Any]]
) -> JSONObject:
    """Return the JSON that `conversation_to_rows` took apart; `messages` are positions with the messages' JSON."""
    record = CONVERSATION.join(columns, extra)
    record["id"] = uid
    record["messages"] = [message for _, message in sorted(messages, key=lambda pair: pair[0])]
    return record


class Conversations(Collection):
    store, key, kind, model = STORE, "conversations", "conversation", Conversation
    parts = ("message", "fragment")
    has_keys = False
    converts_records = True

    def to_rows(self, record: Any, uid: str) -> Rows:
        return conversation_to_rows(record, uid)

    def convert(self, record: Any, uid: str) -> tuple[Any, list[Original]]:
        messages = record.get("messages") if isinstance(record, dict) else None
        if not isinstance(messages, list) or not (places := find_old_messages(messages)):
            return record, []
        converted, originals = list(messages), []
        for at in places:
            converted[at] = convert_message(messages[at], uid, at)
            originals.append(("message", f"{uid}/{converted[at]['id']}", messages[at]))
        return record | {"messages": converted}, originals

    def count_parts(self, record: Any) -> dict[str, int]:
        messages = record.get("messages") if isinstance(record, dict) else None
        if not isinstance(messages, list):
            return {"message": 0, "fragment": 0}
        # An old message counts as the one fragment that it becomes.
        fragments = len(find_old_messages(messages)) + sum(map(_count_fragments, messages))
        return {"message": len(messages), "fragment": fragments}

    def updated_of(self, record: Any) -> float | None:
        updated = record.get("updated") if isinstance(record, dict) else None
        return updated if isinstance(updated, int | float) and not isinstance(updated, bool) else None

    def first_position(self) -> int:
        top = self.rows().aggregate(top=Min("position"))["top"]
        return 0 if top is None else top - BLOCK

    def insert(self, batch: Sequence[tuple[Rows, int]], run: MigrationRun | None = None) -> None:
        keys = table.insert_conversations(batch)
        table.insert_messages([(pk, part) for pk, (rows, _) in zip(keys, batch, strict=True) for part in rows.parts])
        for pk, (rows, _) in zip(keys, batch, strict=True):
            self._save_damaged(pk, rows, rows.parts, run)
        if run is not None:
            record_calls([rows for rows, _ in batch])

    def replace(self, record: Any, rows: Rows, run: MigrationRun | None = None) -> None:
        """Write the header, and only those messages whose hash is another."""
        names = ("uid", "pk", "content_hash", "position")
        held = {uid: facts for uid, *facts in record.messages.order_by().values_list(*names)}
        kept = {part.uid: part for part in rows.parts if part.uid in held and held[part.uid][1] == part.content_hash}
        table.delete_messages([pk for uid, (pk, *_) in held.items() if uid not in kept])
        Quarantine.objects.filter(store=STORE, collection="messages", owner=record.pk).delete()
        for part in kept.values():
            pk, _, position = held[part.uid]
            if position != part.position:
                Message.objects.filter(pk=pk).update(position=part.position)
        new = [part for part in rows.parts if part.uid not in kept]
        table.insert_messages([(record.pk, part) for part in new])
        self._save_damaged(record.pk, rows, new, run)
        Conversation.objects.filter(pk=record.pk).update(
            **rows.columns,
            extra=rows.extra or None,
            content_hash=rows.content_hash,
            revision=F("revision") + 1,
            updated_at=timezone.now(),
        )
        if run is not None:
            record_calls([rows])

    def find_for_write(self, uid: str) -> Any:
        chat = super().find_for_write(uid)
        if chat is not None:
            close_abandoned_in(chat)
        return chat

    def check_free(self, record: Any) -> None:
        check_free(record)

    def delete(self, record: Any) -> None:
        table.delete_messages(list(record.messages.order_by().values_list("pk", flat=True)))
        Quarantine.objects.filter(store=STORE, collection="messages", owner=record.pk).delete()
        super().delete(record)

    def _save_damaged(self, pk: int, rows: Rows, written: Sequence[MessageRow], run: MigrationRun | None) -> None:
        save_quarantine(STORE, rows.damaged, run, owner=pk)
        if any(part.damaged for part in written):
            keys = dict(Message.objects.filter(conversation=pk).values_list("uid", "pk"))
            for part in written:
                save_quarantine(STORE, part.damaged, run, owner=keys[part.uid])

    def load(self, records: Sequence[Any]) -> list[Any]:
        messages = load_messages([record.pk for record in records])
        members: dict[int, list[tuple[int, Any]]] = {record.pk: [] for record in records}
        for owner, position, message in messages:
            members[owner].append((position, message))
        if table.has_damage():
            for owner, position, damaged in load_quarantined(STORE, "messages", members):
                members[owner].append((position, damaged))
        return [
            conversation_to_json(
                record.uid,
                {name: getattr(record, name) for name in CONVERSATION.names},
                record.extra,
                members[record.pk],
            )
            for record in records
        ]

    def has_originals(self) -> bool:
        return _original_messages().exists()

    def load_originals(self, records: Sequence[Any]) -> list[Any]:
        loaded = self.load(records)
        for record, conversation in zip(records, loaded, strict=True):
            _put_originals_back(record.uid, conversation["messages"])
        return loaded


def _original_messages() -> QuerySet[Revision]:
    return Revision.objects.filter(kind="message", reason=Revision.Reason.ORIGINAL)


def _put_originals_back(uid: str, messages: list[Any]) -> None:
    """Put the old messages of a conversation in the places of those that they became."""
    places: dict[str, int] = {}
    for at, message in enumerate(messages):
        message_id = message.get("id") if isinstance(message, dict) else None
        if is_id(message_id) and not is_old_message(message):
            # A second one with the same id was not converted.
            places.setdefault(f"{uid}/{message_id}", at)
    originals: dict[str, list[Any]] = {place: [] for place in places}
    for place, body in _original_messages().filter(uid__in=list(places)).values_list("uid", "body"):
        originals[place].append(jsontext.decode(body))
    for place, at in places.items():
        # The ids of two chats and messages can join to one text: what an original becomes tells whether it is this
        # one's. Of several, the message may have been edited since.
        became = [(old, convert_message(old, uid, at)) for old in originals[place]]
        same = (old for old, converted in became if jsontext.same(converted, messages[at]))
        edited = (old for old, converted in became if converted["id"] == messages[at]["id"])
        messages[at] = next(chain(same, edited), messages[at])


def load_messages(keys: Sequence[int], by: str = "conversation") -> list[tuple[int, int, JSONObject]]:
    """Return conversation key, position and JSON of the messages of these conversations, or (`by="id"`) with these
    keys; three queries."""
    rows = list(table.messages_of(keys, by))
    fragments: dict[int, list[tuple[int, Any]]] = {pk: [] for pk, *_ in rows}
    for owner, position, columns, pt, text, part, extra in table.fragments_of(list(fragments)):
        fragments[owner].append((position, fragment_to_json(columns, pt, text, part, extra)))
    for owner, position, damaged in table.damaged_fragments_of(list(fragments)):
        fragments[owner].append((position, damaged))
    return [
        (owner, position, message_to_json(uid, columns, extra, fragments[pk]))
        for pk, owner, position, uid, columns, extra in rows
    ]


CONVERSATIONS = Conversations()
