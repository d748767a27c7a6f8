"""Starting a generation: stores the question and the empty answer, and builds the prompt."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import uuid4

from django.db import DatabaseError, IntegrityError, transaction

from chats.bigagi.conversation import CONVERSATIONS
from chats.bigagi.rows import load_messages
from chats.generations.abandoned import close_abandoned_in
from chats.generations.answer import begin_message
from chats.generations.choice import choose_for, find_own_model
from chats.generations.requests import GenerationRequest, StartedGeneration
from chats.generations.sending import prompt_of
from chats.generations.titles import title_of_question
from chats.lock import KIND, check_free
from chats.models import Conversation, Generation
from chats.services import ids
from chats.services.editor import ConversationEditor
from llms.callable_model import CallableModel
from llms.catalog import find_model
from stores.background.leases import next_end
from stores.records import editing, sql
from stores.records.clock import now_ms
from stores.records.codecs import JSONObject
from stores.records.errors import Conflict, at
from stores.records.journal.recorder import Entry, record_change
from stores.records.jsontext import encode
from stores.records.secrets import mask
from stores.services.idempotency import StoredAnswer, keep_answer

NO_TEMPERATURE = "hotfix-no-temperature"
NEW = 2
"""Messages of a chat that begins: a question, and its answer."""
TITLED = 3
"""Of so many questions the first that says anything gives the chat its title."""


def start_all(requests: Sequence[GenerationRequest], owner: str) -> list[StartedGeneration | Exception]:
    """Start several generations in one transaction; each can fail on its own."""
    results: list[StartedGeneration | Exception] = []
    close_abandoned_in([request.chat for request in requests])
    with transaction.atomic():
        for request in requests:
            try:
                with transaction.atomic():
                    generation = start_generation(request, owner)
                    if request.claim is not None:
                        body = encode({"generation": generation.row.uid}).encode("ascii")
                        keep_answer(request.claim, StoredAnswer(200, {}, body))
                results.append(generation)
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


def start_generation(request: GenerationRequest, owner: str) -> StartedGeneration:
    """Store the question and the empty answer.

    Raises `Missing`, `Invalid`, `Taken`, `Conflict`, and what `find_model` raises."""
    with record_change(request.origin, "generate") as entry:
        chat: Conversation = editing.find_for_write(CONVERSATIONS, request.chat)
        entry.summary = chat.title
        check_free(chat)
        model = _model_of(request, chat)
        model = _with_parameters(model, request)
        editor = ConversationEditor(entry, chat)
        uid = ids.new_message_id() if request.replaces is None else request.replaces
        persona = editor.header.get("systemPurposeId")
        start_message = begin_message(uid, model.ref, model.id, model.vendor_id, persona, now_ms())
        user_message = None
        if request.replaces is not None:
            stored = editor.load(uid)
            if stored.get("role") != "assistant":
                raise at("/replaces", "Only a message of the assistant can be regenerated.")
            editor.replace(uid, start_message, stored)
        else:
            if request.message is not None:
                user_message = _user_message(entry, request.message)
                editor.append(user_message)
            editor.append(start_message)
        title = _title_of(editor, user_message)
        if title:
            editor.header = editor.header | {"autoTitle": title}
        editor.save()
        index = editor.index_of(uid)
        row = Generation(
            uid=uuid4().hex,
            conversation=chat,
            message_uid=uid,
            user_message_uid=user_message["id"] if user_message else "",
            model_uid=model.id,
            service_uid=model.service_id,
            vendor=model.vendor_id,
            source=request.origin.source if request.origin.source in ("chat", "test") else "api",
            actor=request.origin.actor[:200],
            request_id=request.origin.request_id[:64],
            start_message=start_message,
            owner=owner,
            lease_until=next_end(),
            started=now_ms(),
        )
        sql.insert_one(row)
    # Now the secrets of the question are stored, which the model is sent as they were typed.
    prompt = prompt_of(chat, index, model, shares_context=request.shares_context, is_sent=True)
    message_pk = editor.slots[index].pk or 0
    return StartedGeneration(row, model, prompt, mask(user_message), start_message, message_pk, chat.revision, title)


def _title_of(editor: ConversationEditor, user_message: JSONObject | None) -> str:
    """Return a title out of the first question, for a chat that has none."""
    if editor.header.get("userTitle") or editor.header.get("autoTitle"):
        return ""
    if user_message is not None and len(editor.slots) == NEW:
        return title_of_question(mask(user_message))
    asked = editor.chat.messages.filter(role="user").order_by("position").values_list("pk", flat=True)
    # A title never has a key.
    messages = (load_messages([pk], by="id")[0][2] for pk in asked[:TITLED])
    return next(filter(None, (title_of_question(mask(message)) for message in messages)), "")


def _model_of(request: GenerationRequest, chat: Conversation) -> CallableModel:
    if request.model:
        return find_model(request.model)
    return choose_for(chat).model if request.replaces is None else find_own_model(chat, request.replaces)


def _with_parameters(model: CallableModel, request: GenerationRequest) -> CallableModel:
    parameters = request.parameters
    if not parameters:
        return model
    if "llmTemperature" in parameters and NO_TEMPERATURE in model.interfaces:
        raise at("/parameters/llmTemperature", f"{model.label} does not accept a temperature. Leave it out.")
    limit = parameters.get("llmResponseTokens")
    if limit and model.max_output_tokens and limit > model.max_output_tokens:
        raise at("/parameters/llmResponseTokens", f"Must be at most {model.max_output_tokens} for {model.label}.")
    return replace(model, parameters=model.parameters | parameters)


def _user_message(entry: Entry, message: JSONObject) -> JSONObject:
    if set(message) == {"text"}:
        part = {"pt": "text", "text": message["text"]}
        fragments = [{"ft": "content", "fId": ids.new_fragment_id(), "part": part}]
        message = {"role": "user", "fragments": fragments}
    defaults = {"id": ids.new_message_id(), "role": "user", "tokenCount": 0, "created": now_ms(), "updated": None}
    sealed: JSONObject = editing.take_in(entry, defaults | message, None)
    return sealed
