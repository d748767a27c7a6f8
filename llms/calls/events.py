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
class Rethought:
    """All text so far was reasoning: only its closing tag came."""


@dataclass(slots=True)
class ToolCall:
    """A piece of a call of a tool; pieces of one call have the same `index`."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class Citation:
    """A page that the answer refers to; `start` and `end` are characters of its text."""

    url: str
    title: str = ""
    start: int | None = None
    end: int | None = None
    snippet: str = ""


@dataclass(slots=True)
class Citations:
    """Pages that the answer refers to; one can come again, with its title."""

    citations: list[Citation]


@dataclass(slots=True)
class Media:
    """An image or sound: its address, or its bytes as a data URL. A data URL without a type goes on with the last."""

    url: str


@dataclass(slots=True)
class Extra:
    """What has no place of its own in a message."""

    name: str
    value: Any


@dataclass(slots=True)
class Usage:
    """The tokens of the whole call so far, and the provider's own words and cost."""

    tokens: Tokens
    raw: Any = None
    reported_nano_usd: int | None = None


@dataclass(slots=True)
class Finish:
    """Why the answer ended: stop, length, content_filter, tool_calls; another reason is the provider's for breaking it
    off."""

    reason: str

    @property
    def is_known(self) -> bool:
        return self.reason in ("stop", "length", "content_filter", "tool_calls")


Event = Text | Reasoning | Rethought | ToolCall | Citations | Media | Extra | Usage | Finish


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
