"""Closes generations whose process is gone, and deletes old events. Synchronous.

The server's sweep does it, and who is about to write in a chat, before the chat is locked."""

from collections.abc import Iterable, Sequence

import structlog
from django.db import DatabaseError, transaction

from chats.bigagi.rows import load_messages
from chats.generations.answer import Answer
from chats.generations.call_endings import CRASHED
from chats.generations.end import GenerationEnd, store_end
from chats.generations.phases import Phase
from chats.generations.prompt import Prompt
from chats.generations.requests import StartedGeneration
from chats.generations.sending import prompt_of
from chats.models import Conversation, Generation, GenerationEvents
from chats.services.editor import read_slots
from llms.callable_model import CallableModel, UnknownModel
from llms.catalog import find_model
from llms.vendors.endpoint import NotCallable
from stores.background.leases import LEASE_MS, is_over
from stores.records.clock import now_ms
from stores.records.codecs import JSONObject
from stores.records.errors import Conflict
from stores.records.iteration import batched
from stores.records.sql import KEYS_A_QUERY, durably, fetch, marks

EVENTS_KEPT_MS = 10 * 60_000
RUNNING_HERE: set[str] = set()
"""The generations of this process. After the machine slept, their leases have expired although they still run."""

logger = structlog.get_logger("chats")
Status = Generation.Status


def is_abandoned(generation: Generation) -> bool:
    """Tell whether the generation's process is gone, or its lease ended a while ago."""
    return generation.uid not in RUNNING_HERE and is_over(generation.owner, generation.lease_until)


def close_all_abandoned() -> int:
    """Close generations that nobody answers for any more; return how many. Those of other servers go on."""
    return _close(Generation.objects.filter(status=Status.RUNNING))


def close_abandoned_in(chats: Sequence[str]) -> None:
    """Close the generations that were abandoned in the chats with these ids. Call it before a write locks them."""
    for some in batched(chats, KEYS_A_QUERY):
        # Every write in a chat asks, and there is rarely one.
        statement = f"""SELECT generation.id FROM {{chats.Conversation}} AS chat
            JOIN {{chats.Generation}} AS generation ON generation.conversation_id = chat.id
            WHERE chat.uid IN ({marks(some)}) AND generation.status = 'running'"""
        if keys := [pk for (pk,) in fetch(statement, some)]:
            _close(Generation.objects.filter(pk__in=keys))


def _close(generations: Iterable[Generation]) -> int:
    count = 0
    for generation in list(filter(is_abandoned, generations)):
        try:
            with durably():
                count += close_abandoned(generation)
        except DatabaseError:
            raise
        except Exception:
            # One that cannot be closed must not keep the others, or the server's start.
            facts = {"generation": generation.uid, "request_id": generation.request_id}
            logger.exception("a generation could not be closed", **facts)
    return count


def close_abandoned(abandoned: Generation) -> bool:
    """Keep the text that was flushed, say what happened, and price what is known; tell whether it was still to do."""
    with transaction.atomic():
        row = Generation.objects.select_for_update().filter(pk=abandoned.pk, status=Status.RUNNING).first()
        if row is None or not is_abandoned(row):
            return False
        chat = Conversation.objects.select_for_update().get(pk=row.conversation_id)
        pk = chat.messages.values_list("pk", flat=True).filter(uid=row.message_uid).first()
        fragments = load_messages([pk], by="id")[0][2]["fragments"] if pk else []
        model = _model_of(row)
        index = next((at for at, slot in enumerate(read_slots(chat)) if slot.uid == row.message_uid), 0)
        try:
            prompt = prompt_of(chat, index, model, shares_context=False)
        except Conflict:
            prompt = Prompt()
        answer = Answer(row.start_message, list(fragments))
        answer.size = sum(len(_text_of(fragment)) for fragment in fragments)
        answer.add_error(CRASHED.detail)
        generation = StartedGeneration(row, model, prompt, None, row.start_message, pk or 0, chat.revision)
        seconds = max(0, row.lease_until - LEASE_MS - row.started) / 1000
        store_end(GenerationEnd(generation, answer, CRASHED, seconds, phase=Phase.ABANDONED))
    return True


def _model_of(row: Generation) -> CallableModel:
    try:
        return find_model(row.model_uid)
    except (UnknownModel, NotCallable):
        return CallableModel(row.model_uid, row.model_uid, "", row.service_uid, row.vendor)


def _text_of(fragment: JSONObject) -> str:
    part = fragment.get("part", {})
    return str(part.get("text") or part.get("aText") or "")


def delete_old_events() -> None:
    """Delete the events of generations that ended a while ago."""
    old = GenerationEvents.objects.filter(generation__ended__lt=now_ms() - EVENTS_KEPT_MS)
    # An idle server asks every minute: it need not take the lock for nothing.
    if old.exists():
        old.delete()
