"""Closes runs whose process is gone, and deletes old events. Synchronous."""

import structlog
from django.db import DatabaseError, transaction

from chats.bigagi.conversation import load_messages
from chats.generations.answer import Answer
from chats.generations.begin import Begun
from chats.generations.lock import is_abandoned
from chats.generations.prompt import Prompt
from chats.generations.sending import prompt_of
from chats.generations.store import Finish, finish
from chats.models import Conversation, Generation, GenerationEvents
from chats.services.header import now_ms, read_members
from llms.catalog import CallableModel, UnknownModel, find_model
from llms.vendors.endpoint import NotCallable
from stores.codecs import JSONObject
from stores.leases import LEASE_MS
from stores.services.errors import Conflict
from stores.sql import durably

EVENTS_KEPT_MS = 10 * 60_000
CRASHED = "The server stopped during this answer. The part that had arrived is kept. Try again for the whole answer."

logger = structlog.get_logger("chats")
Status = Generation.Status


def close_all_abandoned() -> int:
    """Close runs that nobody answers for any more; return how many. Those of other servers go on."""
    runs = [run for run in Generation.objects.filter(status=Status.RUNNING) if is_abandoned(run)]
    count = 0
    for run in runs:
        try:
            with durably():
                count += close_abandoned(run)
        except DatabaseError:
            raise
        except Exception:
            # One that cannot be closed must not keep the others, or the server's start.
            logger.exception("a generation could not be closed", generation=run.uid, request_id=run.request_id)
    return count


def close_abandoned(run: Generation) -> bool:
    """Keep the text that was flushed, say what happened, and price what is known; tell whether it was still to do."""
    with transaction.atomic():
        generation = Generation.objects.select_for_update().filter(pk=run.pk, status=Status.RUNNING).first()
        if generation is None or not is_abandoned(generation):
            return False
        chat = Conversation.objects.select_for_update().get(pk=generation.conversation_id)
        pk = chat.messages.values_list("pk", flat=True).filter(uid=generation.message_uid).first()
        fragments = load_messages([pk], by="id")[0][2]["fragments"] if pk else []
        model = _model_of(generation)
        base = generation.start_message
        index = next((at for at, one in enumerate(read_members(chat)) if one.uid == generation.message_uid), 0)
        try:
            prompt = prompt_of(chat, index, model, shares_context=False)
        except Conflict:
            prompt = Prompt()
        answer = Answer(base, list(fragments))
        answer.size = sum(len(_text_of(fragment)) for fragment in fragments)
        answer.add_error(CRASHED)
        begun = Begun(generation, model, prompt, None, base, pk or 0, chat.revision)
        seconds = max(0, generation.lease_until - LEASE_MS - generation.started) / 1000
        finish(Finish(begun, answer, Status.ERROR, "crashed", "issue", CRASHED, seconds, is_sealed=True))
    return True


def _model_of(generation: Generation) -> CallableModel:
    try:
        return find_model(generation.model_uid)
    except (UnknownModel, NotCallable):
        uid = generation.model_uid
        return CallableModel(uid, uid, "", generation.service_uid, generation.vendor)


def _text_of(fragment: JSONObject) -> str:
    part = fragment.get("part", {})
    return str(part.get("text") or part.get("aText") or "")


def delete_old_events() -> None:
    """Delete the events of runs that ended a while ago."""
    old = GenerationEvents.objects.filter(generation__ended__lt=now_ms() - EVENTS_KEPT_MS)
    # An idle server asks every minute: it need not take the lock for nothing.
    if old.exists():
        old.delete()
