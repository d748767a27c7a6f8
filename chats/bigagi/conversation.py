"""The codec of conversations, and `app-chats` in and out of this app's rows (`bigagi-format.md` § 3)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import F, Min, Q
from django.utils import timezone

from chats.bigagi import rows as table
from chats.bigagi.conversion import convert_message, find_old_messages
from chats.bigagi.history import record_calls
from chats.bigagi.merging.chats import base_of_chat, copy_chat, goes_on, merge_chats
from chats.bigagi.message import MessageRow, find_message_uids, message_to_row
from chats.bigagi.originals import original_messages, place_of, put_originals_back
from chats.bigagi.rows import load_messages
from chats.bigagi.states import (
    contains_chat,
    count_unreadable,
    read_message,
    read_text,
    seen_content,
    seen_messages,
    settle_chat,
)
from chats.bigagi.titles import title_of
from chats.bigagi.uids import chat_uid, twin_uid
from chats.lock import check_free
from chats.models import Conversation, Message
from stores.models import ImportedRecord, MigrationRun, Quarantine
from stores.records import jsontext
from stores.records.codecs import Columns, Damaged, JSONObject, Rows, Unreadable
from stores.records.collections import Collection, Original
from stores.records.protocols import Parts, States
from stores.records.quarantine import load_quarantined, save_quarantine

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
        raise Unreadable("a chat that is not an object")
    messages = record.get("messages")
    if not isinstance(messages, list):
        raise Unreadable("a chat without its list of messages")
    header = {key: value for key, value in record.items() if key != "messages"}
    columns, extra = CONVERSATION.split(header)
    is_derived = extra.get("id") != uid
    if not is_derived:
        del extra["id"]
    parts: list[MessageRow] = []
    damaged: list[Damaged] = []
    hashes: list[str] = []
    for at, (message, message_uid) in enumerate(zip(messages, find_message_uids(messages), strict=True)):
        try:
            row = message_to_row(message, at, message_uid)
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
                    pointer=f"/messages/{at}",
                    inside=_count_fragments(message),
                )
            )
            hashes.append(jsontext.content_hash(message))
            continue
        for member in row.damaged:
            member.place = f"chat {uid}, message {at}, fragment {member.position}"
        parts.append(row)
        hashes.append(row.content_hash)
    counts = {"message": len(messages), "fragment": sum(map(_count_fragments, messages))}
    return Rows(uid, columns, extra, hash_conversation(header, hashes), parts, damaged, counts, is_derived)


def _count_fragments(message: Any) -> int:
    fragments = message.get("fragments") if isinstance(message, dict) else None
    return len(fragments) if isinstance(fragments, list) else 0


def conversation_to_json(
    uid: str,
    columns: Mapping[str, Any],
    extra: JSONObject | None,
    messages: Iterable[tuple[int, Any]],
    *,
    has_derived_uid: bool = False,
) -> JSONObject:
    """Return the JSON that `conversation_to_rows` took apart; `messages` are positions with the messages' JSON."""
    record = CONVERSATION.join(columns, extra)
    if not has_derived_uid:
        record["id"] = uid
    record["messages"] = [message for _, message in sorted(messages, key=lambda pair: pair[0])]
    return record


def chat_to_json(chat: Conversation, messages: Iterable[tuple[int, Any]] = ()) -> JSONObject:
    """Return the JSON of a chat's row, with these messages as positions and JSON."""
    columns = {name: getattr(chat, name) for name in CONVERSATION.names}
    return conversation_to_json(chat.uid, columns, chat.extra, messages, has_derived_uid=bool(chat.has_derived_uid))


def count_parts(record: Any) -> dict[str, int]:
    """Return how many messages and fragments a chat's JSON has."""
    messages = record.get("messages") if isinstance(record, dict) else None
    if not isinstance(messages, list):
        return {"message": 0, "fragment": 0}
    # An old message counts as the one fragment that it becomes.
    fragments = len(find_old_messages(messages)) + sum(map(_count_fragments, messages))
    return {"message": len(messages), "fragment": fragments}


def damaged_uids() -> set[str]:
    """Return the chats of which a message or fragment is in the quarantine."""
    here = Quarantine.objects.filter(store=STORE, owner__isnull=False)
    messages = Message.objects.filter(pk__in=here.filter(collection="fragments").values("owner"))
    owners = here.filter(collection="messages").values("owner")
    chats = Conversation.objects.filter(Q(pk__in=owners) | Q(pk__in=messages.values("conversation")))
    return set(chats.values_list("uid", flat=True))


class Conversations(Collection):
    store, key, kind, model = STORE, "conversations", "conversation", Conversation
    parts = Parts(
        ("message", "fragment"),
        {"message": Message},
        count=count_parts,
        count_unreadable=count_unreadable,
        seen=seen_messages,
        seen_part=seen_content,
        to_text=read_message,
        damaged_uids=damaged_uids,
    )
    states = States(
        merge=merge_chats,
        merges_always=True,
        base=base_of_chat,
        goes_on=goes_on,
        copy=copy_chat,
        contains=contains_chat,
    )
    member_lists = {"messages": "conversation", "fragments": "message"}
    nouns = {
        "conversation": ("chat", "chats"),
        "message": ("message", "messages"),
        "fragment": ("part of a message", "parts of messages"),
    }
    route = "chats"
    is_long = keeps_places = True
    has_keys = False
    has_twins = True
    converts_records = True

    def name_of(self, record: Any) -> str:
        return title_of(record)

    def identify(self, record: Any) -> str | None:
        return chat_uid(record)

    def identify_twin(self, uid: str, number: int) -> str | None:
        return twin_uid(uid, number)

    def is_readable(self, record: Any, uid: str) -> bool:
        return isinstance(record, dict) and isinstance(record.get("messages"), list)

    def to_rows(self, record: Any, uid: str) -> Rows:
        return conversation_to_rows(record, uid)

    def convert(self, record: Any, uid: str) -> tuple[Any, list[Original]]:
        messages = record.get("messages") if isinstance(record, dict) else None
        if not isinstance(messages, list) or not (places := find_old_messages(messages)):
            return record, []
        converted, originals = list(messages), []
        for at in places:
            converted[at] = convert_message(messages[at], uid, at)
            originals.append(("message", place_of(uid, converted[at], at), messages[at]))
        return record | {"messages": converted}, originals

    def to_text(self, record: Any) -> str:
        return f"{title_of(record)}\n\n{read_text(record)}" if isinstance(record, dict) else ""

    def first_position(self) -> int:
        top = self.rows().aggregate(top=Min("position"))["top"]
        return 0 if top is None else top - BLOCK

    def insert(self, batch: Sequence[tuple[Rows, int]], run: MigrationRun | None = None) -> None:
        keys = table.insert_conversations(batch)
        table.insert_messages([(pk, part) for pk, (rows, _) in zip(keys, batch, strict=True) for part in rows.parts])
        for pk, (rows, _) in zip(keys, batch, strict=True):
            self._save_damaged(pk, rows, rows.parts, run)
        if run is not None:
            record_calls([rows for rows, _ in batch], run.pk)

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
            has_derived_uid=rows.has_derived_uid or None,
            extra=rows.extra or None,
            content_hash=rows.content_hash,
            revision=F("revision") + 1,
            updated_at=timezone.now(),
        )
        if run is not None:
            record_calls([rows], run.pk)

    def check_free(self, record: Any) -> None:
        check_free(record)

    def settle(self, stored: Any, before: Any) -> Any:
        return settle_chat(stored, before)

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

    def load(self, records: Sequence[Any], *, shows_uids: bool = False) -> list[Any]:
        messages = load_messages([record.pk for record in records], shows_uids=shows_uids)
        members: dict[int, list[tuple[int, Any]]] = {record.pk: [] for record in records}
        for owner, position, message in messages:
            members[owner].append((position, message))
        if table.has_damage():
            for owner, position, damaged in load_quarantined(STORE, "messages", members):
                members[owner].append((position, damaged))
        loaded = [chat_to_json(record, members[record.pk]) for record in records]
        if shows_uids:
            loaded = [chat | {"id": record.uid} for chat, record in zip(loaded, records, strict=True)]
        return loaded

    def find_branches(self, uids: Iterable[str]) -> dict[str, list[Any]]:
        imported = ImportedRecord.objects.filter(kind=self.kind, branch_of__in=list(uids)).exclude(branch_of="")
        roots = dict(imported.values_list("uid", "branch_of"))
        branches: dict[str, list[Any]] = {}
        for uid, row in self.find(roots).items():
            branches.setdefault(roots[uid], []).append(row)
        return branches

    def has_originals(self) -> bool:
        return original_messages().exists()

    def load_originals(self, records: Sequence[Any]) -> list[Any]:
        loaded = self.load(records)
        for record, conversation in zip(records, loaded, strict=True):
            put_originals_back(record.uid, conversation["messages"])
        return loaded


CONVERSATIONS = Conversations()
