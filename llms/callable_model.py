"""A model with all that a call and its price need."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

from llms.calls.demo import SERVICE, stream_demo
from llms.calls.events import Event, Request
from llms.calls.upstream import stream_call
from llms.parameters import TOKENS, name_parameters
from llms.refused import ServiceRefusals
from llms.vendors.endpoint import Endpoint
from stores.records.codecs import JSONObject

ENV_SERVICE = "bigagi-env-openai"
DEMO_MODEL = f"{SERVICE}-echo"
VISION = "oai-chat-vision"


class UnknownModel(LookupError):
    """There is no such model."""


@dataclass(frozen=True)
class CallableModel:
    """A model with all that a call and its price need. `endpoint` is None for the Demo service."""

    id: str
    ref: str
    label: str
    service_id: str
    vendor_id: str
    endpoint: Endpoint | None = field(repr=False, default=None)
    context_tokens: int | None = None
    max_output_tokens: int | None = None
    pricing: Any = None
    has_user_price: bool = False
    interfaces: tuple[str, ...] = ()
    parameters: JSONObject = field(default_factory=dict)
    specs: frozenset[str] = frozenset()
    """The special parameters that it has, by big-AGI's ids."""
    refusals: ServiceRefusals | None = field(repr=False, default=None)

    @property
    def is_virtual(self) -> bool:
        return self.service_id in (SERVICE, ENV_SERVICE)

    @property
    def sees_images(self) -> bool:
        return self.endpoint is None or VISION in self.interfaces

    def call(self, request: Request) -> AsyncGenerator[Event, None]:
        """Return the events of a call."""
        if self.endpoint is None:
            return stream_demo(request)
        return stream_call(self.endpoint, request, self.refusals)

    def request(self, messages: list[dict[str, Any]]) -> Request:
        """Return what is asked of the model: these messages, under its parameters."""
        return Request(self.ref, messages, call_parameters(self), response_tokens(self))


def call_parameters(model: CallableModel) -> dict[str, Any]:
    """Return what the model's parameters of big-AGI are called in OpenAI's protocol."""
    return name_parameters(model.vendor_id, model.interfaces, model.specs, model.parameters)


def response_tokens(model: CallableModel) -> int | None:
    """Return how many tokens an answer may have; None: as many as the provider gives."""
    wanted = model.parameters.get(TOKENS)
    return wanted if isinstance(wanted, int) and not isinstance(wanted, bool) and wanted > 0 else None
