"""The end of a generation in the database: message, cost and last events, once. Synchronous."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError, transaction

from chats.generations.answer import Answer, metrics_of
from chats.generations.call_endings import CallEnding
from chats.generations.flushing import GenerationFlush, store_events
from chats.generations.media import store_media
from chats.generations.phases import Phase
from chats.generations.requests import StartedGeneration
from chats.models import Conversation, Generation
from chats.services.editor import ConversationEditor
from chats.services.ids import new_fragment_id
from llms.calls.usage import fill_tokens
from llms.pricing.estimator import estimate_tokens
from llms.pricing.formula import Cost
from llms.pricing.price import Priced, price_model_call
from llms.pricing.tokens import Tokens
from metrics.ledger.recording import EndedCall, digest_message, record_call
from stores.records.clock import now_ms
from stores.records.codecs import JSONObject, storable
from stores.records.errors import Conflict, Missing, SecretsUnreadable
from stores.records.event_frames import frame
from stores.records.journal.recorder import Entry, Origin, record_change
from stores.records.sealing import Masker
from stores.records.secrets import mask
from stores.records.sql import durably, execute, find_row

LEFT_OUT = "Text in this answer that looked like API keys was left out, because it cannot be stored encrypted."


class AlreadyEnded(Conflict):
    """The generation has been closed: by another server, while nobody answered for it here."""


@dataclass
class GenerationEnd:
    """How a generation ended, to be stored; `problem` is what readers are sent of an error."""

    generation: StartedGeneration
    answer: Answer
    ending: CallEnding
    seconds: float = 0
    """From the start to the end of the call."""
    problem: JSONObject | None = None
    flush: GenerationFlush | None = None
    """The events since the last flush; None: there are no readers."""
    phase: Phase = Phase.ENDING
    """`UNSTORED`: readers have been sent the end. `ABANDONED`: the answer is from the database, with references in
    the place of secrets."""


@dataclass
class StoredEnd:
    """The message as it is stored, and the events that report it."""

    message: JSONObject
    metrics: JSONObject
    revision: int
    frames: list[bytes] = field(default_factory=list)


def store_ends(ends: Sequence[GenerationEnd]) -> list[StoredEnd | Exception]:
    """Store the ends of several generations, in one transaction that reaches the disk; each can fail on its own."""
    results: list[StoredEnd | Exception] = []
    with durably(), transaction.atomic():
        for end in ends:
            try:
                with transaction.atomic():
                    results.append(store_end(end))
            except DatabaseError:
                raise
            except Exception as error:
                results.append(error)
    return results


def store_end(end: GenerationEnd) -> StoredEnd:
    """Write the final message, its cost, and the event of the call, exactly once. Raises `AlreadyEnded`."""
    answer, row, model = end.answer, end.generation.row, end.generation.model
    ended = now_ms()
    # The first to set the status ends the generation; if something below fails, the transaction rolls it back.
    is_first = execute(
        "UPDATE {chats.Generation} SET status = %s, detail = %s, ended = %s WHERE id = %s AND status = %s",
        [end.ending.status, storable(end.ending.detail), ended, row.pk, Generation.Status.RUNNING],
    )
    if not is_first:
        raise AlreadyEnded("This generation has already ended.")
    tokens, is_estimated = _tokens_of(end)
    is_partial = end.ending.status != Generation.Status.DONE
    priced = price_model_call(model, tokens, row.started, is_partial=is_partial)
    total_ms = round(end.seconds * 1000)
    first_ms = None if answer.first_at is None else round(answer.first_at * 1000)
    reported = answer.usage.reported_nano_usd if answer.usage else None
    reason = "aborted" if is_partial else ""
    metrics = metrics_of(tokens, priced.cost, first_ms=first_ms, total_ms=total_ms, reported=reported, ended=reason)
    is_called = bool(answer.size or answer.usage)
    message = answer.message(
        ended=ended,
        stop_reason=end.ending.stop_reason,
        metrics=metrics if is_called else None,
        tokens=tokens.output if is_called else None,
    )
    with record_change(Origin(row.source, row.actor, row.request_id), "finish answer") as entry:
        message = store_media(entry, message, model.label)
        if end.phase is not Phase.ABANDONED:
            message = _seal_answer(entry, message)
        chat = find_row(Conversation, "id", row.conversation_id, locks=True)
        assert chat is not None, "a generation is deleted with its chat"
        _write_message(entry, chat, end, message)
    record_call(
        EndedCall(
            at=row.started,
            source=row.source,
            service=row.service_uid,
            vendor=row.vendor,
            model=row.model_uid,
            conversation=chat.uid,
            message=row.message_uid,
            tokens=tokens,
            is_estimated=is_estimated,
            priced=priced if is_called else Priced(Cost()),
            reported_nano_usd=reported,
            first_ms=first_ms,
            total_ms=total_ms,
            outcome=end.ending.outcome[:20],
            raw_usage=answer.usage.raw if answer.usage else None,
            call=digest_message(message),
            change=entry.change.pk if entry.change else None,
        )
    )
    stored = StoredEnd(mask(message), metrics if is_called else {}, chat.revision)
    _store_last_events(end, stored)
    return stored


def _seal_answer(entry: Entry, message: JSONObject) -> JSONObject:
    """Return the answer with references in the place of secrets; where the key file cannot seal them, with markers, and
    a last fragment that says so: the answer must be stored, but never a secret in clear."""
    try:
        sealed: JSONObject = entry.sealer.seal(message)
    except SecretsUnreadable as error:
        sealed = Masker().seal(message)
        part = {"pt": "error", "error": f"{LEFT_OUT} {error}"}
        sealed["fragments"] = [*sealed["fragments"], {"ft": "content", "fId": new_fragment_id(), "part": part}]
    return sealed


def _write_message(entry: Entry, chat: Conversation, end: GenerationEnd, message: JSONObject) -> None:
    """Write the message into its chat."""
    entry.summary = chat.title
    editor = ConversationEditor(entry, chat)
    start_message = end.generation.start_message
    try:
        editor.replace(start_message["id"], message, start_message)
    except Missing:
        # An import can replace a chat during a generation: the answer must not be lost.
        editor.append(message)
    editor.save()


def _store_last_events(end: GenerationEnd, stored: StoredEnd) -> None:
    flush = end.flush
    if flush is None:
        return
    if end.phase is Phase.ENDING:
        events: list[tuple[str, Any]] = [("usage", {"metrics": stored.metrics})]
        if end.problem is not None:
            events.append(("error", {"problem": end.problem}))
        events.append(("done", {"message": stored.message, "revision": stored.revision}))
        stored.frames = [frame(number, name, data) for number, (name, data) in enumerate(events, flush.last + 1)]
    last = flush.last + len(stored.frames)
    frames = flush.frames + b"".join(stored.frames).decode("ascii")
    store_events([GenerationFlush(flush.generation, 0, [], flush.first, last, frames)])


def _tokens_of(end: GenerationEnd) -> tuple[Tokens, bool]:
    """Return the tokens of the call, and whether they are estimated."""
    answer = end.answer
    told = answer.usage.tokens if answer.usage else Tokens()
    if told.total_input and (told.total_output or not answer.size):
        return told, False
    sizes = {"text": 0, "ma": 0}
    for fragment in answer.now():
        part = fragment["part"]
        if answer.size and part["pt"] in sizes and (text := part.get("text") or part.get("aText")):
            sizes[part["pt"]] += estimate_tokens(text)
    if not (answer.size or told.is_known()):
        return told, False
    return fill_tokens(told, prompt=end.generation.prompt.tokens, output=sizes["text"], reasoning=sizes["ma"])
