"""Starting a run: stores the question and the empty answer, and builds the prompt."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

from django.db import DatabaseError, IntegrityError, transaction

from chats.bigagi import rows as table
from chats.bigagi.conversation import CONVERSATIONS, load_messages
from chats.bigagi.message import MessageRow, message_to_row
from chats.generations.answer import begin_message
from chats.generations.lock import KIND, check_free
from chats.generations.prompt import Prompt
from chats.generations.sending import prompt_of
from chats.models import Conversation, Generation
from chats.services import ids
from chats.services.header import Member, header_of, now_ms, read_members, save_header
from llms.catalog import CallableModel, choose_model, find_model
from stores import sql
from stores.api.idempotency import Claim, StoredAnswer, keep_answer
from stores.codecs import JSONObject
from stores.journal.delta import diff
from stores.journal.recorder import Entry, Origin, record_change
from stores.jsontext import encode
from stores.leases import next_end
from stores.secrets import mask
from stores.services import records
from stores.services.errors import Conflict, Missing, Taken, at

NO_TEMPERATURE = "hotfix-no-temperature"


@dataclass
class Begin:
    """The request for a run. `parameters` use big-AGI's names and override the model's own."""

    origin: Origin
    chat: str
    message: JSONObject | None = None
    model: str | None = None
    replaces: str | None = None
    parameters: JSONObject = field(default_factory=dict)
    shares_context: bool = False
    claim: Claim | None = None
    """The Idempotency-Key under which it was asked for."""


@dataclass
class Begun:
    """A stored run, with everything it needs to continue without the database."""

    generation: Generation
    model: CallableModel
    prompt: Prompt
    user_message: JSONObject | None
    """As it goes out: secrets masked."""
    base: JSONObject
    message_pk: int
    revision: int
    fragments_kept: int = 0


def begin_all(begins: Sequence[Begin], owner: str) -> list[Begun | Exception]:
    """Start several runs in one transaction; each can fail on its own."""
    results: list[Begun | Exception] = []
    with transaction.atomic():
        for one in begins:
            try:
                with transaction.atomic():
                    begun = begin(one, owner)
                    if one.claim is not None:
                        told = encode({"generation": begun.generation.uid}).encode("ascii")
                        keep_answer(one.claim, StoredAnswer(200, {}, told))
                results.append(begun)
            except IntegrityError as error:
                if "chats_generation" not in str(error):
                    raise
                # On PostgreSQL two requests may find the chat free at the same time.
                results.append(
                    Conflict("Another answer is being generated in this chat. Wait for it, or stop it.", KIND)
                )
            except DatabaseError:
                # For example a full disk: then none can start, and none is stored.
                raise
            except Exception as error:
                results.append(error)
    return results


def begin(asked: Begin, owner: str) -> Begun:
    """Store the question and the empty answer.

    Raises `Missing`, `Invalid`, `Taken`, `Conflict`, and what `find_model` raises."""
    with record_change(asked.origin, "generate") as entry:
        chat: Conversation = records.find_for_write(CONVERSATIONS, asked.chat)
        entry.summary = chat.title
        check_free(chat)
        model = _with_parameters(find_model(asked.model) if asked.model else choose_model(_last_model(chat)), asked)
        members = read_members(chat)
        header = header_of(chat)
        delta: list[Any] = []
        user_message = None
        if asked.replaces is not None:
            index = index_of(members, asked.replaces)
            position = members[index].position
            [(_, _, ours)] = load_messages([members[index].pk or 0], by="id")
            if ours.get("role") != "assistant":
                raise at("/replaces", "Only a message of the assistant can be regenerated.")
            uid = asked.replaces
        else:
            index = len(members)
            position = members[-1].position + 1 if members else 0
            if asked.message is not None:
                user_message = _user_message(entry, asked.message, members)
                row = message_to_row(user_message, position)
                table.insert_messages([(chat.pk, row)])
                members.append(Member(position, 0, row.uid, row.content_hash))
                delta.append([["messages"], "splice", index, [], [user_message]])
                index, position = index + 1, position + 1
            uid, ours = ids.new_message_id(), None
        base = begin_message(uid, model.ref, model.id, model.vendor_id, header.get("systemPurposeId"), now_ms())
        row = message_to_row(base, position)
        if ours is not None:
            table.delete_messages([members[index].pk or 0])
            members[index].content_hash = row.content_hash
            delta += [[["messages", index, *path], *rest] for path, *rest in diff(ours, base)]
        else:
            members.insert(index, Member(position, 0, uid, row.content_hash))
            delta.append([["messages"], "splice", index, [], [base]])
        message_pk = insert_one(chat, row)
        save_header(entry, chat, header, header | {"updated": now_ms()}, members, delta)
        generation = Generation(
            uid=uuid4().hex,
            conversation=chat,
            message_uid=uid,
            user_message_uid=user_message["id"] if user_message else "",
            model_uid=model.id,
            service_uid=model.service_id,
            vendor=model.vendor_id,
            source=asked.origin.source if asked.origin.source in ("chat", "test") else "api",
            actor=asked.origin.actor[:200],
            request_id=asked.origin.request_id[:64],
            start_message=base,
            owner=owner,
            lease_until=next_end(),
            started=now_ms(),
        )
        sql.insert_one(generation)
    # Now the secrets of the question are stored, which the model is sent as they were typed.
    prompt = prompt_of(chat, index, model, shares_context=asked.shares_context, is_sent=True)
    return Begun(generation, model, prompt, mask(user_message), base, message_pk, chat.revision)


def insert_one(chat: Conversation, row: MessageRow) -> int:
    """Insert a message and return its primary key."""
    [pk] = table.insert_messages([(chat.pk, row)])
    return pk


def index_of(members: list[Member], uid: str) -> int:
    """Return the place of a message in its chat. Raises `Missing`."""
    for index, member in enumerate(members):
        if member.uid == uid and member.pk is not None:
            return index
    raise Missing(f"The chat has no message {uid}.")


def _last_model(chat: Conversation) -> str | None:
    answers = chat.messages.exclude(model_id=None).order_by("-position")
    return answers.values_list("model_id", flat=True).first()


def _with_parameters(model: CallableModel, asked: Begin) -> CallableModel:
    if not asked.parameters:
        return model
    if "llmTemperature" in asked.parameters and NO_TEMPERATURE in model.interfaces:
        raise at("/parameters/llmTemperature", f"{model.label} does not accept a temperature. Leave it out.")
    limit = asked.parameters.get("llmResponseTokens")
    if limit and model.max_output_tokens and limit > model.max_output_tokens:
        raise at("/parameters/llmResponseTokens", f"Must be at most {model.max_output_tokens} for {model.label}.")
    return replace(model, parameters=model.parameters | asked.parameters)


def _user_message(entry: Entry, message: JSONObject, members: list[Member]) -> JSONObject:
    if set(message) == {"text"}:
        part = {"pt": "text", "text": message["text"]}
        fragments = [{"ft": "content", "fId": ids.new_fragment_id(), "part": part}]
        message = {"role": "user", "fragments": fragments}
    made = {"id": ids.new_message_id(), "role": "user", "tokenCount": 0, "created": now_ms(), "updated": None}
    message = records.take_in(entry, made | message, None)
    if any(member.uid == message["id"] for member in members):
        raise Taken(f"The id {message['id']} is taken by another message of this chat.")
    return message
