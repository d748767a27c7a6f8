"""The database's side of runs that go on: flushed while they stream, and finished, once. It is synchronous."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError, transaction

from chats.bigagi import rows as table
from chats.bigagi.message import fragment_to_row, message_to_row
from chats.generations.answer import Answer, metrics_of
from chats.generations.begin import Begun, index_of, insert_one
from chats.generations.frames import frame
from chats.models import Conversation, Generation, GenerationEvents
from chats.services.header import Member, header_of, now_ms, read_members, save_header
from chats.services.ids import new_fragment_id
from llms.pricing.estimator import estimate_tokens
from llms.pricing.formula import Cost
from llms.pricing.price import Priced, price_model_call
from llms.pricing.tokens import Tokens
from metrics.ledger.record import digest_message, record_call
from stores.codecs import JSONObject, storable
from stores.journal.delta import diff
from stores.journal.recorder import Entry, Origin, record_change
from stores.leases import next_end
from stores.secrets import Masker, Sealer, mask
from stores.services.errors import Conflict, Missing, SecretsUnreadable
from stores.sql import durably, execute, execute_many, insert_rows

LEFT_OUT = "This answer had text like API keys, which was left out, because it cannot be stored encrypted."

# --- flush -----------------------------------------------------------------------------------------------------------


@dataclass
class Flush:
    """What came since the last flush: the fragments from number `start` on, which are new or longer, and the events
    that were sent."""

    begun: Begun
    start: int
    fragments: list[JSONObject]
    first: int
    last: int
    frames: str


def flush_all(flushes: Sequence[Flush], running: Sequence[Begun]) -> set[str]:
    """Keep what came of all runs, in one transaction, and renew their leases; return those that are asked to stop."""
    if not running:
        return set()
    keys = [begun.generation.pk for begun in running]
    with transaction.atomic():
        for flush in flushes:
            keep_fragments(flush)
        keep_events(flushes)
        Generation.objects.filter(pk__in=keys).update(lease_until=next_end())
        stopped = Generation.objects.filter(pk__in=keys, stop_requested=True)
        return set(stopped.values_list("uid", flat=True))


def keep_fragments(flush: Flush) -> None:
    """Write the fragments: the last of those that are here grows, others are new."""
    sealer = Sealer()
    for position, fragment in enumerate(flush.fragments, flush.start):
        # What looks like a key is none of ours to keep in clear, not even for a moment.
        try:
            sealed = sealer.seal(fragment)
        except SecretsUnreadable:
            # The run goes on, and so do the others of this transaction; the end says so.
            sealed = Masker().seal(fragment)
        row = fragment_to_row(sealed, position)
        if position < flush.begun.fragments_kept:
            table.grow_fragment(flush.begun.message_pk, row)
        else:
            table.insert_fragments(flush.begun.message_pk, [row])
    sealer.save()


def keep_events(flushes: Sequence[Flush]) -> None:
    """Write down what was sent."""
    sent = [flush for flush in flushes if flush.frames]
    insert_rows(
        GenerationEvents,
        ("generation", "first", "last", "frames"),
        [(flush.begun.generation.pk, flush.first, flush.last, flush.frames) for flush in sent],
    )
    execute_many(
        "UPDATE {chats.Generation} SET sequence = %s WHERE id = %s",
        [(flush.last, flush.begun.generation.pk) for flush in sent],
    )


# --- finish ----------------------------------------------------------------------------------------------------------


@dataclass
class Finish:
    """How a run ended. `stop_reason` is big-AGI's; `detail` says in words what went wrong, `problem` to readers."""

    begun: Begun
    answer: Answer
    status: str
    outcome: str
    stop_reason: str = ""
    detail: str = ""
    seconds: float = 0
    title: str = ""
    problem: JSONObject | None = None
    flush: Flush | None = None
    """What was sent since the last flush; None: nobody reads along, or all was told."""
    is_sealed: bool = False
    """Whether the answer comes from the database, with references in the place of secrets."""
    is_told: bool = False
    """Whether readers were told the end already, since it could not be stored at first."""


@dataclass
class Finished:
    """The message as it is stored, and the events that tell it."""

    message: JSONObject
    metrics: JSONObject
    revision: int
    is_named: bool = False
    """Whether the chat had no title, and got that of the end."""
    frames: list[bytes] = field(default_factory=list)


def finish_all(finishes: Sequence[Finish]) -> list[Finished | Exception]:
    """Finish runs that ended at once, in one transaction that reaches the disk."""
    results: list[Finished | Exception] = []
    with durably(), transaction.atomic():
        for one in finishes:
            try:
                with transaction.atomic():
                    results.append(finish(one))
            except DatabaseError:
                raise
            except Exception as error:
                results.append(error)
    return results


def finish(end: Finish) -> Finished:
    """Write the final message, its cost, and the event of the call, exactly once. Raises `Conflict`."""
    begun, answer = end.begun, end.answer
    generation = begun.generation
    ended = now_ms()
    # The first to set the status ends the run; if something below fails, the transaction rolls it back.
    is_first = execute(
        "UPDATE {chats.Generation} SET status = %s, detail = %s, ended = %s WHERE id = %s AND status = %s",
        [end.status, storable(end.detail), ended, generation.pk, Generation.Status.RUNNING],
    )
    if not is_first:
        raise Conflict("This generation has already ended.")
    tokens, is_estimated = _tokens_of(begun, answer)
    is_partial = end.status != Generation.Status.DONE
    priced = price_model_call(begun.model, tokens, generation.started, is_partial=is_partial)
    total_ms = round(end.seconds * 1000)
    first_ms = None if answer.first_at is None else round(answer.first_at * 1000)
    reported = answer.usage.reported_nano_usd if answer.usage else None
    reason = "aborted" if is_partial else ""
    metrics = metrics_of(tokens, priced.cost, first_ms=first_ms, total_ms=total_ms, reported=reported, ended=reason)
    is_called = bool(answer.size or answer.usage)
    message = answer.message(
        ended=ended,
        stop_reason=end.stop_reason,
        metrics=metrics if is_called else None,
        tokens=tokens.output if is_called else None,
    )
    origin = Origin(generation.source, generation.actor, generation.request_id)
    with record_change(origin, "finish answer") as entry:
        if not end.is_sealed:
            message = _seal_answer(entry, message)
        chat = Conversation.objects.select_for_update().get(pk=generation.conversation_id)
        is_named = _write_message(entry, chat, begun, message, end.title)
    record_call(
        at=generation.started,
        source=generation.source,
        service=generation.service_uid,
        vendor=generation.vendor,
        model=generation.model_uid,
        conversation=chat.uid,
        message=generation.message_uid,
        tokens=tokens,
        is_estimated=is_estimated,
        priced=priced if is_called else Priced(Cost()),
        reported_nano_usd=reported,
        first_ms=first_ms,
        total_ms=total_ms,
        outcome=end.outcome[:20],
        raw_usage=answer.usage.raw if answer.usage else None,
        call=digest_message(message),
        change=entry.change.pk if entry.change else None,
    )
    finished = Finished(mask(message), metrics if is_called else {}, chat.revision, is_named)
    _keep_end(end, finished)
    return finished


def _seal_answer(entry: Entry, message: JSONObject) -> JSONObject:
    """Return the answer with references in the place of secrets; where the key file cannot seal them, with markers, and
    a last fragment that says so: what came must be stored, but never a secret in clear."""
    try:
        sealed: JSONObject = entry.sealer.seal(message)
    except SecretsUnreadable as error:
        sealed = Masker().seal(message)
        part = {"pt": "error", "error": f"{LEFT_OUT} {error}"}
        sealed["fragments"] = [*sealed["fragments"], {"ft": "content", "fId": new_fragment_id(), "part": part}]
    return sealed


def _keep_end(end: Finish, finished: Finished) -> None:
    flush = end.flush
    if flush is None:
        return
    if not end.is_told:
        told: list[tuple[str, Any]] = [("usage", {"metrics": finished.metrics})]
        if end.problem is not None:
            told.append(("error", {"problem": end.problem}))
        told.append(("done", {"message": finished.message, "revision": finished.revision}))
        finished.frames = [frame(number, name, data) for number, (name, data) in enumerate(told, flush.last + 1)]
    last = flush.last + len(finished.frames)
    frames = flush.frames + b"".join(finished.frames).decode("ascii")
    keep_events([Flush(flush.begun, 0, [], flush.first, last, frames)])


def _write_message(entry: Entry, chat: Conversation, begun: Begun, message: JSONObject, title: str) -> bool:
    """Write the message into its chat; tell whether the chat got the title."""
    entry.summary = chat.title
    members = read_members(chat)
    header = header_of(chat)
    after = header | {"updated": now_ms()}
    is_named = bool(title) and not (header.get("userTitle") or header.get("autoTitle"))
    if is_named:
        after["autoTitle"] = title
    try:
        index = index_of(members, begun.base["id"])
    except Missing:
        # An import can replace a chat during a run: the answer must not be lost.
        row = message_to_row(message, members[-1].position + 1 if members else 0)
        delta: list[Any] = [[["messages"], "splice", len(members), [], [message]]]
        members.append(Member(row.position, 0, row.uid, row.content_hash))
    else:
        row = message_to_row(message, members[index].position)
        table.delete_messages([members[index].pk or 0])
        members[index].content_hash = row.content_hash
        delta = [[["messages", index, *path], *rest] for path, *rest in diff(begun.base, message)]
    insert_one(chat, row)
    save_header(entry, chat, header, after, members, delta)
    return is_named


def _tokens_of(begun: Begun, answer: Answer) -> tuple[Tokens, bool]:
    """Return the tokens of the call, and whether they are estimated."""
    if answer.usage is not None and answer.usage.tokens.is_known():
        return answer.usage.tokens, False
    if not answer.size:
        return Tokens(), False
    texts = {"text": 0, "ma": 0}
    for fragment in answer.now():
        part = fragment["part"]
        if part["pt"] in texts:
            texts[part["pt"]] += estimate_tokens(part.get("text") or part.get("aText") or "")
    return Tokens(begun.prompt.tokens, None, None, texts["text"], texts["ma"] or None), True
