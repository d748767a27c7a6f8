"""What of the database a model is sent: the chat, the persona, the preferences.

What looks like a key in a message is sent as it was typed; in the preferences, and where nobody sends it yet, it is a
marker."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from chats.assets import data_url_of
from chats.bigagi.conversation import CONVERSATIONS
from chats.generations.prompt import SHARED, Prompt, build_prompt
from chats.models import Conversation
from chats.personas import prompt_of_persona
from llms.callable_model import CallableModel, response_tokens
from stores.defaults import DEFAULTS
from stores.models import Store
from stores.records.codecs import JSONObject
from stores.records.errors import Conflict
from stores.records.secrets import MARKER, count_references, mask, reveal_readable


def prompt_of(
    chat: Conversation, end: int, model: CallableModel, *, shares_context: bool, is_sent: bool = False
) -> Prompt:
    """Return what the model is sent of the chat's messages before `end`; keys are masked unless it `is_sent`.

    Raises `Conflict` where there is none."""
    [record] = CONVERSATIONS.load([chat])
    record = record | {"messages": record["messages"][:end]}
    turns = [one for one in record["messages"] if isinstance(one, dict) and one.get("role") != "system"]
    if not turns:
        raise Conflict("The chat has no message to answer. Send one as `message`.", "nothing-to-answer")
    return _prompt_of_record(record, model, shares_context=shares_context, is_sent=is_sent)


def prompt_so_far(
    chat: Conversation | None, persona: str, model: CallableModel, *, shares_context: bool = False
) -> Prompt:
    """Return what the model would be sent before the next message; keys are masked. Without a chat, of a new one with
    this persona."""
    record: JSONObject = {"messages": [], "systemPurposeId": persona}
    if chat is not None:
        [record] = CONVERSATIONS.load([chat])
    return _prompt_of_record(record, model, shares_context=shares_context)


def today() -> str:
    """Return the date as models are told it."""
    return datetime.now(UTC).date().isoformat()


def _prompt_of_record(
    record: JSONObject, model: CallableModel, *, shares_context: bool, is_sent: bool = False
) -> Prompt:
    prompt = build_prompt(
        record,
        date=today(),
        sees_images=model.sees_images,
        image_of=data_url_of,
        context_tokens=model.context_tokens,
        answer_tokens=response_tokens(model),
        shared=shared_context() if shares_context else None,
        system=prompt_of_persona(record.get("systemPurposeId")),
    )
    _show_keys(prompt, is_sent=is_sent)
    return prompt


def _show_keys(prompt: Prompt, *, is_sent: bool) -> None:
    """Put keys, or their markers, in the place of references."""
    texts = [(place, key) for place, key in _texts_of(prompt.messages) if MARKER in place[key]]
    if not texts:
        return
    held = [place[key] for place, key in texts]
    masked = mask(held)
    for (place, key), text in zip(texts, masked, strict=True):
        place[key] = text
    prompt.keys = sum(map(count_references, held))
    if is_sent:
        unreadable: list[str] = []
        for (place, key), text in zip(texts, reveal_readable(held, unreadable), strict=True):
            place[key] = text
        prompt.keys_masked = len(unreadable)
        prompt.why_masked = unreadable[0] if unreadable else ""


def _texts_of(messages: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield where the texts are: the dict that holds each, and its key."""
    for message in messages:
        if isinstance(message["content"], str):
            yield message, "content"
        else:
            for part in message["content"]:
                if part["type"] == "text":
                    yield part, "text"


def shared_context() -> dict[str, Any]:
    """Return the states of the stores that are shared on wish, secrets masked; big-AGI's own where one is not made."""
    defaults = {name: DEFAULTS[name]["state"] for name in SHARED}
    stores = Store.objects.filter(name__in=SHARED)
    shared: dict[str, Any] = mask(defaults | {store.name: store.data for store in stores})
    return shared
