"""What of the database a model is sent: the chat, the persona, the preferences."""

from datetime import UTC, datetime
from typing import Any

from chats.assets import data_url_of
from chats.bigagi.conversation import CONVERSATIONS
from chats.generations.prompt import SHARED, Prompt, build_prompt
from chats.models import Conversation
from llms.catalog import CallableModel, response_tokens
from stores.defaults import DEFAULTS
from stores.models import Store
from stores.secrets import mask
from stores.services.errors import Conflict
from stores.sql import fetch

PERSONAS = "app-app-personas"


def prompt_of(chat: Conversation, end: int, model: CallableModel, *, shares_context: bool) -> Prompt:
    """Return what the model is sent of the chat's messages before `end`. Raises `Conflict` where there is none."""
    [record] = CONVERSATIONS.load([chat])
    record = record | {"messages": record["messages"][:end]}
    turns = [one for one in record["messages"] if isinstance(one, dict) and one.get("role") != "system"]
    if not turns:
        raise Conflict("The chat has no message to answer. Send one as message.", "nothing-to-answer")
    return build_prompt(
        mask(record),
        date=datetime.now(UTC).date().isoformat(),
        sees_images=model.sees_images,
        image_of=data_url_of,
        context_tokens=model.context_tokens,
        answer_tokens=response_tokens(model),
        shared=shared_context() if shares_context else None,
        system=persona_of(record.get("systemPurposeId")),
    )


def shared_context() -> dict[str, Any]:
    """Return the states of the stores that are shared on wish, secrets masked; big-AGI's own where one is not made."""
    defaults = {name: DEFAULTS[name]["state"] for name in SHARED}
    stores = Store.objects.filter(name__in=SHARED)
    shared: dict[str, Any] = mask(defaults | {store.name: store.data for store in stores})
    return shared


def persona_of(purpose_id: Any) -> str:
    """Return the system message of a persona that the person made (`PERSONAS`), or nothing."""
    # Few make any, and every run asks.
    if not fetch("SELECT 1 FROM {stores.Store} WHERE name = %s", [PERSONAS]):
        return ""
    store = Store.objects.filter(name=PERSONAS).first()
    state = store.data if store is not None and isinstance(store.data, dict) else {}
    personas = state.get("simplePersonas")
    for persona in personas if isinstance(personas, list) else ():
        if isinstance(persona, dict) and persona.get("id") == purpose_id:
            text = persona.get("systemPrompt")
            return text if isinstance(text, str) else ""
    return ""
