"""What a generation is asked for, and what it starts with."""

from dataclasses import dataclass, field

from chats.generations.prompt import Prompt
from chats.models import Generation
from llms.callable_model import CallableModel
from stores.records.codecs import JSONObject
from stores.records.journal.recorder import Origin
from stores.services.idempotency import Claim


@dataclass
class GenerationRequest:
    """The request for a generation. `parameters` use big-AGI's names and override the model's own."""

    origin: Origin
    chat: str
    message: JSONObject | None = None
    model: str | None = None
    replaces: str | None = None
    parameters: JSONObject = field(default_factory=dict)
    shares_context: bool = False
    claim: Claim | None = None
    """The Idempotency-Key of the request."""


@dataclass
class StartedGeneration:
    """A stored generation, with everything it needs to continue without the database."""

    row: Generation
    model: CallableModel
    prompt: Prompt
    user_message: JSONObject | None
    """As readers see it: secrets masked."""
    start_message: JSONObject
    """The empty answer."""
    message_pk: int
    revision: int
    """Of the chat."""
    title: str = ""
    """What the chat was called by its question; empty where it had a title."""
    stored_fragments: int = 0
    """How many fragments of the answer are in the database."""
