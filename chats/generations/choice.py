"""Which model answers in a chat for which none is named: a chat keeps its model."""

from dataclasses import dataclass

from chats.models import Conversation, Message
from llms.callable_model import CallableModel, UnknownModel
from llms.catalog import choose_model, find_model, price_facts
from llms.free import is_free, is_own_server
from llms.pricing.formula import FREE
from llms.vendors.endpoint import NotCallable
from stores.records.clock import now_ms
from stores.records.errors import Conflict


@dataclass(frozen=True)
class Choice:
    """The model that answers next. `instead` says why it is not that of the last reply; empty where it is, or where
    there is no reply."""

    model: CallableModel
    instead: str = ""


def choose_for(chat: Conversation | None) -> Choice:
    """Return the model of the chat's last reply; where it cannot be called, or there is none, what `choose_model`
    gives. In place of one that was free, none is chosen that may cost."""
    last = None if chat is None else _last_reply(chat)
    if last is None:
        return Choice(choose_model())
    try:
        return Choice(find_model(last.model_id or ""))
    except (UnknownModel, NotCallable) as error:
        model = choose_model(_is_free_now) if _was_free(last) else choose_model()
        return Choice(model, f"{name_model(last)} answered here last and cannot be called: {error}")


def find_own_model(chat: Conversation, uid: str) -> CallableModel:
    """Return the model that wrote an answer. Raises `Conflict` where it cannot be called: another is chosen by name,
    never silently."""
    answer = chat.messages.filter(uid=uid).first()
    if answer is None or not answer.model_id:
        return choose_for(chat).model
    if why_not := find_why_not(answer):
        raise Conflict(f"{why_not} Or name another model as modelId.", "model-not-callable")
    return find_model(answer.model_id)


def find_why_not(answer: Message) -> str:
    """Return why the model that wrote an answer cannot be called; empty where it can, or is not known."""
    try:
        if answer.model_id:
            find_model(answer.model_id)
    except (UnknownModel, NotCallable) as error:
        return f"{name_model(answer)} wrote this answer and cannot be called: {error}"
    return ""


def name_model(answer: Message) -> str:
    """Return what the model of an answer is called here; where it is gone, what it called itself."""
    try:
        return price_facts(answer.model_id or "").label
    except UnknownModel:
        return answer.generator_name or answer.model_id or "The model"


def _last_reply(chat: Conversation) -> Message | None:
    replies = chat.messages.filter(role="assistant").exclude(model_id=None).exclude(model_id="")
    return replies.order_by("-position").first()


def _is_free_now(model: CallableModel) -> bool:
    return is_free(model, now_ms())


def _was_free(reply: Message) -> bool:
    """Tell whether the model of a reply was free, as its price has it, or as the reply was charged."""
    metrics = reply.metrics if isinstance(reply.metrics, dict) else {}
    if metrics.get("$code") == FREE or ("$c" not in metrics and is_own_server(reply.vendor_id)):
        return True
    try:
        return _is_free_now(price_facts(reply.model_id or ""))
    except UnknownModel:
        return False
