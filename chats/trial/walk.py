"""Six steps from the database to a model and back, each with its time; only the ledger's event remains."""

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import structlog
from django.db import DatabaseError

from chats.bigagi.rows import load_messages
from chats.generations.engine import get_engine
from chats.generations.prompt import describe_shared
from chats.generations.requests import GenerationRequest
from chats.generations.sending import shared_context
from chats.generations.stream import GenerationStream
from chats.models import Conversation, Message
from chats.services.conversations import create_chat, delete_chat
from llms.callable_model import CallableModel, UnknownModel
from llms.catalog import choose_model, find_model
from llms.models import Model, Service
from llms.pricing.estimator import estimate_tokens
from llms.services.service_test import choose_test_model
from llms.vendors.endpoint import NotCallable
from metrics.models import UsageEvent
from stores.background.threads import in_thread
from stores.models import Store
from stores.records.codecs import JSONObject
from stores.records.errors import Missing, ServiceError
from stores.records.faults import fault_of
from stores.records.journal.recorder import Origin
from stores.records.problem_details import SERVER_ERROR
from stores.records.secrets import MARKER

TITLES = {
    "api": "The API responds, and the service has a key",
    "stores": "Preferences, labs and models are in the database",
    "context": "The context is built from them",
    "call": "The model is called",
    "answer": "The answer shows that the model received the context",
    "data": "The data made the full round trip: database, model, database",
}
OF_QUESTION = "The answer shows that the model received the question"
OF_PROMPT = "The model answers the prompt"
OK, FAILED, SKIPPED = "ok", "failed", "skipped"
SECONDS = 120
"""How long the model may take for its answer."""


logger = structlog.get_logger("chats")


class StepFailed(Exception):
    """A step failed; the message says why, and what to do."""


class StepSkipped(Exception):
    """A step is not wanted; the message says why. The others go on."""


@dataclass
class Walk:
    """One test: what was asked for, and the state that the steps share.

    `tell` gets each piece of the answer's text as it comes."""

    origin: Origin
    model_id: str | None = None
    service_id: str | None = None
    """Whose model is tested, without a `model_id`: its cheapest."""
    prompt: str | None = None
    shares_context: bool = True
    tell: Callable[[str], None] = lambda text: None
    marker: str = field(default_factory=lambda: f"bigagi-{secrets.token_hex(4)}")
    model: CallableModel | None = None
    shared: JSONObject = field(default_factory=dict)
    chat: str = ""
    question: str = ""
    stream: GenerationStream | None = None
    message: JSONObject = field(default_factory=dict)

    async def steps(self) -> AsyncGenerator[JSONObject, None]:
        """Yield each step when it has ended, and finally the whole. After a failed step, the others are skipped."""
        began = time.perf_counter()
        is_ok = True
        try:
            for number, (name, title) in enumerate(TITLES.items(), 1):
                step_began = time.perf_counter()
                title = self._title_of_answer() if name == "answer" else title
                step: JSONObject = {"number": number, "name": name, "title": title}
                if not is_ok:
                    yield step | {"status": SKIPPED, "detail": "An earlier step failed.", "ms": 0}
                    continue
                run: Callable[[], Awaitable[str]] = getattr(self, f"_{name}")
                try:
                    detail, status = await run(), OK
                except StepSkipped as reason:
                    detail, status = str(reason), SKIPPED
                except (StepFailed, ServiceError) as error:
                    detail, status, is_ok = str(error), FAILED, False
                except Exception as error:
                    logger.exception("a step of the test failed")
                    detail, status, is_ok = str(fault_of(error) or SERVER_ERROR), FAILED, False
                yield step | {"status": status, "detail": detail, "ms": _ms_since(step_began)}
        finally:
            await self._clean_up()
        model = None if self.model is None else {"id": self.model.id, "service": self.model.service_id}
        answer = "" if self.stream is None else self.stream.sent_text()
        yield {"ok": is_ok, "model": model, "answer": answer, "ms": _ms_since(began)}

    def _title_of_answer(self) -> str:
        if self.prompt is not None:
            return OF_PROMPT
        return TITLES["answer"] if self.shares_context else OF_QUESTION

    async def _api(self) -> str:
        try:
            self.model = await in_thread(self._find_model)
        except (UnknownModel, NotCallable) as error:
            raise StepFailed(str(error)) from error
        endpoint = self.model.endpoint
        if endpoint is None:
            return f"{self.model.label} needs no key."
        has_key = "has a key" if endpoint.key else "needs no key"
        return f"{self.model.label} of {self.model.service_id}, at {endpoint.host}, {has_key}."

    def _find_model(self) -> CallableModel:
        if self.model_id is not None:
            return find_model(self.model_id)
        return choose_model() if self.service_id is None else find_model(choose_test_model(self.service_id))

    async def _stores(self) -> str:
        return await in_thread(_describe_stores)

    async def _context(self) -> str:
        if not self.shares_context:
            raise StepSkipped("No preferences are sent, because shareContext is false.")
        self.shared = await in_thread(shared_context)
        members = {name: len(state) if isinstance(state, dict) else 0 for name, state in self.shared.items()}
        if not any(members.values()):
            raise StepFailed("There are no preferences or labs to share. Store or import app-ui or app-ux-labs first.")
        words = ", ".join(
            f"{count} {'entry' if count == 1 else 'entries'} of {name}" for name, count in members.items()
        )
        return f"{words}: about {estimate_tokens(describe_shared(self.shared))} tokens."

    async def _call(self) -> str:
        assert self.model is not None
        record = {"userTitle": "AI test", "messages": [], "systemPurposeId": "Generic"}
        self.chat = (await in_thread(create_chat, self.origin, record)).row.uid
        self.question = self._make_question() if self.prompt is None else self.prompt
        request = GenerationRequest(
            self.origin, self.chat, {"text": self.question}, self.model.id, shares_context=self.shares_context
        )
        stream = self.stream = await get_engine().start(request)
        told = 0
        try:
            async with asyncio.timeout(SECONDS):
                async for _ in stream.read():
                    text = stream.sent_text()
                    if len(text) > told:
                        self.tell(text[told:])
                        told = len(text)
        except TimeoutError:
            raise StepFailed(f"The model did not finish its answer within {SECONDS} s.") from None
        self.message = await in_thread(_read_answer, self.chat, stream.generation.start_message["id"])
        if error := _part_of(self.message, "error"):
            raise StepFailed(error)
        metrics = self.message.get("generator", {}).get("metrics", {})
        return f"First token after {metrics.get('dtStart', '?')} ms, complete after {metrics.get('dtAll', '?')} ms."

    def _make_question(self) -> str:
        if not self.shares_context:
            return f"This is a test. Answer with this word: {self.marker}"
        return (
            f"This is a test. My preferences came in a system message, as JSON. Write the names of at least three "
            f"members of app-ui in it, then this word: {self.marker}"
        )

    async def _answer(self) -> str:
        text = _part_of(self.message, "text")
        if self.prompt is not None:
            if not text.strip():
                raise StepFailed("The model answered without any text. Try another prompt or model.")
            return f"The answer has {len(text):,} characters."
        names = [name for state in self.shared.values() if isinstance(state, dict) for name in state]
        found = [name for name in names if name in text]
        if self.marker not in text:
            raise StepFailed("The answer does not contain the requested word: the model did not receive the question.")
        if not self.shares_context:
            return "The answer contains the requested word."
        if not found:
            raise StepFailed("The answer names none of the preferences: the model did not receive the context.")
        return f"The answer names {len(found)} of {len(names)} preferences, such as {found[0]}, and the requested word."

    async def _data(self) -> str:
        return await in_thread(self._compare)

    def _compare(self) -> str:
        assert self.stream is not None
        chat = Conversation.objects.get(uid=self.chat)
        keys = list(chat.messages.order_by("position").values_list("pk", flat=True))
        stored = [message for _, _, message in load_messages(keys, by="id")]
        asked = _part_of(stored[0], "text") if len(stored) == 2 else ""
        # Keys in it are stored encrypted, with references in their place.
        if asked != self.question and MARKER not in asked:
            raise StepFailed("The stored question differs from the one that was sent.")
        if _part_of(stored[1], "text") != self.stream.answer.visible_text():
            raise StepFailed("The stored answer differs from the one that was streamed.")
        events = UsageEvent.objects.filter(conversation=self.chat, source=UsageEvent.Source.TEST).count()
        if events != 1:
            raise StepFailed(f"The ledger should have one event for this call, but has {events}.")
        size = len(_part_of(stored[1], "text"))
        return f"Question and answer ({size} characters) are stored as streamed, and the call is in the ledger."

    async def _clean_up(self) -> None:
        if not self.chat:
            return
        if self.stream is not None and not self.stream.phase.is_released:
            get_engine().stop(self.stream.uid)
            async for _ in self.stream.read():
                pass
        try:
            await in_thread(_forget_chat, self.origin, self.chat)
        except DatabaseError:
            # The steps have said why; the chat of the test stays, and can be deleted like any other.
            logger.exception("the chat of a test could not be deleted", chat=self.chat)


def _forget_chat(origin: Origin, uid: str) -> None:
    try:
        delete_chat(origin, uid, purge=True)
    except Missing:
        return


def _describe_stores() -> str:
    here = set(Store.objects.filter(name__in=("app-ui", "app-ux-labs")).values_list("name", flat=True))
    states = [
        f"{name} is stored" if name in here else f"{name} does not exist yet, so big-AGI's defaults apply"
        for name in ("app-ui", "app-ux-labs")
    ]
    services, models = Service.objects.count(), Model.objects.count()
    return f"{'; '.join(states)}; app-models has {services} services and {models} models."


def _read_answer(chat: str, uid: str) -> JSONObject:
    pk = Message.objects.values_list("pk", flat=True).get(conversation__uid=chat, uid=uid)
    [(_, _, message)] = load_messages([pk], by="id")
    read: JSONObject = message
    return read


def _part_of(message: JSONObject, kind: str) -> str:
    """Return the text of a message's parts of a kind, or what its error says."""
    key = {"text": "text", "error": "error"}[kind]
    parts: list[Any] = [fragment.get("part", {}) for fragment in message.get("fragments", [])]
    return "".join(str(part.get(key, "")) for part in parts if part.get("pt") == kind)


def _ms_since(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)
