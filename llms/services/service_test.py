"""One small test call to a service: how long it takes, or what is wrong."""

import time
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from llms.callable_model import DEMO_MODEL, CallableModel
from llms.calls.demo import SERVICE as DEMO
from llms.calls.events import Finish, Reasoning, Request, Text, ToolCall, Usage
from llms.calls.synchronous import run_call
from llms.catalog import env_models, is_virtual
from llms.models import Model, Service
from llms.pricing.tokens import Tokens
from llms.querysets import visible
from llms.vendors.endpoint import NotCallable
from stores.records.errors import Missing

QUESTION = "Answer with the word: ok"
MAX_TOKENS = 16
"""Enough for a word. Reasoning models may stop before it; the test only checks that they reply."""


@dataclass
class Checked:
    """A call that went well. Times are ms from its beginning."""

    model: CallableModel
    first_ms: int
    total_ms: int
    text: str
    tokens: Tokens
    reported_nano_usd: int | None = None
    raw_usage: Any = None


def choose_test_model(uid: str) -> str:
    """Return the id of the service's model that is tested: of those that are shown the cheapest, else the first.

    Raises `Missing`, and `NotCallable` for a service without models."""
    if uid == DEMO:
        return DEMO_MODEL
    if is_virtual(uid):
        return str(min(env_models(), key=_price_of, default={"id": f"{uid}-gpt-4o-mini"})["id"])
    service = Service.objects.filter(uid=uid).first()
    if service is None:
        raise Missing(f"There is no service {uid}.")
    rows = visible(Model.objects.filter(service_uid=uid)).order_by("position", "pk")
    found = min(rows, key=lambda row: _price_of({"pricing": row.pricing}), default=None)
    if found is None:
        raise NotCallable(f"{service} has no visible models. Refresh it to list what the provider offers.")
    return found.uid


def _price_of(model: Mapping[str, Any]) -> float:
    pricing = model.get("pricing")
    chat = pricing.get("chat") if isinstance(pricing, dict) else None
    price = chat.get("output") if isinstance(chat, dict) else None
    if price == "free":
        return 0
    return float(price) if isinstance(price, int | float) and price > 0 else 1e6


def call_once(
    model: CallableModel, messages: list[dict[str, Any]] | None = None, max_tokens: int = MAX_TOKENS
) -> Checked:
    """Ask the model one short thing, and wait for the answer. Raises `CallFailed`."""
    return run_call(_call(model, messages or [{"role": "user", "content": QUESTION}], max_tokens))


async def _call(model: CallableModel, messages: list[dict[str, Any]], max_tokens: int) -> Checked:
    began = time.perf_counter()
    first: int | None = None
    pieces: list[str] = []
    usage = Usage(Tokens())
    async with aclosing(model.call(Request(model.ref, messages, max_tokens=max_tokens))) as events:
        async for event in events:
            if first is None and isinstance(event, Text | Reasoning | ToolCall | Finish):
                first = _ms_since(began)
            if isinstance(event, Text):
                pieces.append(event.text)
            elif isinstance(event, Usage):
                usage = event
    total = _ms_since(began)
    text = "".join(pieces)[:1000]
    return Checked(
        model, total if first is None else first, total, text, usage.tokens, usage.reported_nano_usd, usage.raw
    )


def _ms_since(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)
