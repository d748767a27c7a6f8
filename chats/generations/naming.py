"""A better title for a chat after its first exchange, by the model that is assigned to `fastUtil`.

The chat already has a title derived from its text, which stays if anything goes wrong here.
"""

import asyncio
import time
from contextlib import aclosing

import structlog

from chats.generations.titles import title_of_answer, without_thoughts
from chats.models import Conversation
from chats.services.conversations import patch_chat
from llms.callable_model import CallableModel, UnknownModel
from llms.calls.events import CallFailed, Request, Text, Usage
from llms.calls.noting import note_failure
from llms.calls.usage import fill_tokens
from llms.catalog import assigned_model, find_model
from llms.pricing.estimator import estimate_tokens
from llms.pricing.price import price_model_call
from llms.pricing.tokens import Tokens
from llms.vendors.endpoint import NotCallable
from metrics.ledger.recording import EndedCall, record_call
from stores.background.threads import in_thread
from stores.records.clock import now_ms
from stores.records.errors import ServiceError
from stores.records.journal.recorder import Origin
from stores.records.secrets import mask

DOMAIN = "fastUtil"
SECONDS = 30
MAX_TOKENS = 400
"""Tokens for the title: few, plus some for a model that reasons first."""
SHOWN = 2_000
"""Characters of question and answer that the model is shown."""
_INSTRUCTION = (
    "Give this conversation a title of at most six words, in its own language. Answer with the title alone.\n\n"
    "Question:\n{question}\n\nAnswer:\n{answer}"
)

logger = structlog.get_logger("chats")


async def name_chat(origin: Origin, chat: str, title: str, answer: str) -> None:
    """Ask for a title, and set it if the chat still has `title`, which was derived from the question."""
    try:
        found = await in_thread(_prepare, chat, title)
        if found is None:
            return
        model, question = found
        instruction = _INSTRUCTION.format(question=question[:SHOWN], answer=without_thoughts(answer).strip()[:SHOWN])
        await _ask(origin, chat, title, model, instruction)
    except Exception:
        logger.exception("a chat could not be named")


def _prepare(chat: str, title: str) -> tuple[CallableModel, str] | None:
    """Return the model and the chat's question; None where there is no model, or the chat has a title of its own."""
    uid = assigned_model(DOMAIN)
    row = Conversation.objects.filter(uid=chat).first()
    if not uid or row is None or row.user_title or row.auto_title != title:
        return None
    try:
        model = find_model(uid)
    except (UnknownModel, NotCallable):
        return None
    first = row.messages.filter(role="user").order_by("position").first()
    texts = (
        [] if first is None else first.fragments.filter(pt="text").order_by("position").values_list("text", flat=True)
    )
    # A title needs no key.
    return model, mask("\n".join(text or "" for text in texts))


async def _ask(origin: Origin, chat: str, title: str, model: CallableModel, instruction: str) -> None:
    at, began = now_ms(), time.perf_counter()
    pieces: list[str] = []
    usage: Usage | None = None
    first_ms: int | None = None
    outcome = "done"
    request = Request(model.ref, [{"role": "user", "content": instruction}], max_tokens=MAX_TOKENS)
    try:
        async with asyncio.timeout(SECONDS), aclosing(model.call(request)) as events:
            async for event in events:
                if isinstance(event, Text):
                    first_ms = first_ms if first_ms is not None else _ms_since(began)
                    pieces.append(event.text)
                elif isinstance(event, Usage):
                    usage = event
    except CallFailed as error:
        note_failure(error, model=model.id, service=model.service_id, vendor=model.vendor_id)
        outcome = error.kind
    except TimeoutError:
        outcome = "timeout"
    text = "".join(pieces)
    tokens, is_estimated = usage.tokens if usage else Tokens(), False
    if text or tokens.is_known():
        sizes = {"output": estimate_tokens(text) if text else 0, "reasoning": 0}
        tokens, is_estimated = fill_tokens(tokens, prompt=estimate_tokens(instruction), **sizes)

    def store() -> None:
        record_call(
            EndedCall(
                at=at,
                source=origin.source if origin.source == "chat" else "api",
                service=model.service_id,
                vendor=model.vendor_id,
                model=model.id,
                conversation=chat,
                tokens=tokens,
                is_estimated=is_estimated,
                priced=price_model_call(model, tokens, at, is_partial=outcome != "done"),
                reported_nano_usd=usage.reported_nano_usd if usage else None,
                first_ms=first_ms,
                total_ms=_ms_since(began),
                outcome=outcome,
                raw_usage=usage.raw if usage else None,
            )
        )
        named = title_of_answer(text) if outcome == "done" else ""
        row = Conversation.objects.filter(uid=chat).first()
        if named and row is not None and not row.user_title and row.auto_title == title:
            try:
                patch_chat(origin, chat, {"autoTitle": named})
            except ServiceError:
                logger.info("a chat was changed while it was named")

    await in_thread(store)


def _ms_since(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)
