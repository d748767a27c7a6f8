"""The events of a streaming call. Pure."""

from dataclasses import dataclass, field
from typing import Any

from llms.pricing.tokens import Tokens


@dataclass(slots=True)
class Text:
    """A piece of the answer."""

    text: str


@dataclass(slots=True)
class Reasoning:
    """A piece of the model's reasoning."""

    text: str


@dataclass(slots=True)
class ToolCall:
    """A piece of a call of a tool; pieces of one call have the same `index`."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(slots=True)
class Citations:
    """Addresses that the answer refers to."""

    urls: list[str]


@dataclass(slots=True)
class Usage:
    """The tokens of the whole call so far, and the provider's own words and cost."""

    tokens: Tokens
    raw: Any = None
    reported_nano_usd: int | None = None


@dataclass(slots=True)
class Finish:
    """Why the answer ended: stop, length, content_filter, tool_calls."""

    reason: str


Event = Text | Reasoning | ToolCall | Citations | Usage | Finish


@dataclass
class Request:
    """A request to a model. `messages` are in OpenAI's shape; `parameters` are big-AGI's of the model."""

    model: str
    messages: list[dict[str, Any]]
    parameters: dict[str, Any] = field(default_factory=dict)
    max_tokens: int | None = None


class CallFailed(Exception):
    """The call failed or was rejected. The message says what happened and what to do.

    `kind` names the entry in Troubleshooting, `status` is the provider's HTTP status (0: none came), `retry_after` in
    seconds where the provider asks for it."""

    def __init__(self, message: str, kind: str = "provider", status: int = 0, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.status = status
        self.retry_after = retry_after
