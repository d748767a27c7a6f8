"""The system prompt that a chat is sent with, and where it comes from."""

from dataclasses import dataclass
from enum import StrEnum

from chats.generations.prompt import DEFAULT_SYSTEM
from chats.generations.sending import today
from chats.models import Conversation
from chats.personas import BUILT_IN, DEFAULT, find_persona, name_of, prompt_of_persona
from chats.system_messages import SystemMessages, read_system_messages, text_of
from stores.records.secrets import mask


class Source(StrEnum):
    """Where the text of a system prompt comes from."""

    CHAT = "chat"
    BIG_AGI = "big-agi"
    PERSONA = "persona"
    DEFAULT = "default"


@dataclass(frozen=True)
class SystemPrompt:
    """What is sent in front of a chat, and what would be without a text of its own; secrets are masked."""

    text: str
    source: Source
    persona: str
    """The persona's id."""
    persona_name: str
    is_persona_known: bool
    """Whether the persona's text is here."""
    otherwise: str
    """The persona's text, or the default one."""
    notes: int = 0
    """System messages further down in the chat, which are sent as well."""
    stale: int = 0
    """System messages that big-AGI wrote for another persona, which are not sent."""


def read_system_prompt(chat: Conversation | None, persona: str = DEFAULT) -> SystemPrompt:
    """Return the system prompt of a chat; without a chat, of a new one with this persona."""
    found = SystemMessages()
    if chat is not None:
        persona = chat.system_purpose_id or DEFAULT
        found = read_system_messages(chat)
    own = find_persona(persona)
    text: str = mask(prompt_of_persona(persona))
    otherwise = text or DEFAULT_SYSTEM.format(date=today())
    source = Source.PERSONA if text else Source.DEFAULT
    if found.prompt:
        texts: list[str] = mask([text_of(message) for message in found.prompt])
        # Nobody edited what has no time of an edit: big-AGI wrote it for the persona.
        is_own = any(message.get("updated") is not None or "purposeId" not in message for message in found.prompt)
        source = Source.CHAT if is_own else Source.BIG_AGI
    return SystemPrompt(
        text="\n\n".join(filter(None, texts)) if found.prompt else otherwise,
        source=source,
        persona=persona,
        persona_name=mask(name_of(own)) if own else BUILT_IN.get(persona, ""),
        is_persona_known=bool(text),
        otherwise=otherwise,
        notes=len(found.notes),
        stale=len(found.stale),
    )
