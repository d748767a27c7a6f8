"""How a message's cost is calculated: tokens × price, the price source, and the provider's own figure."""

from typing import Any

from chats.models import Message
from llms.callable_model import CallableModel, UnknownModel
from llms.catalog import find_model, price_facts
from llms.pricing.formula import NANO_A_CENT, NO_PRICING, NO_TOKENS, PARTIAL_MESSAGE, PARTIAL_PRICE
from llms.pricing.price import price_model_call
from llms.pricing.tokens import Tokens, tokens_of_metrics
from llms.vendors.endpoint import NotCallable
from metrics.models import UsageEvent
from stores.records.clock import now_ms
from stores.records.codecs import JSONObject
from stores.records.json_values import is_number

WORDS = {
    "free": "The model is free.",
    NO_TOKENS: "The token counts of this call are unknown.",
    NO_PRICING: "This model has no known price: unpriced.",
    PARTIAL_PRICE: "Some of the tokens have no known price.",
    PARTIAL_MESSAGE: "The answer was interrupted: the part that arrived is priced.",
}


def explain_cost(row: Message, message: JSONObject) -> JSONObject:
    """Return how the cost of a message's call is calculated. `message` is the row's JSON.

    The parts are recalculated with the price that applies to the call; `cost_nano_usd` is what was stored when it was
    made. Where the two differ, the price was changed since, and `note` says so."""
    generator = message.get("generator")
    generator = generator if isinstance(generator, dict) else {}
    metrics = generator.get("metrics")
    event = _event_of(row)
    tokens = _tokens_of(event) if event else tokens_of_metrics(metrics)
    at = event.at if event else _time_of(message)
    model = _model_of(event.model if event else row.model_id or "", generator)
    is_partial = (event.outcome != "done") if event else isinstance(metrics, dict) and "TsR" in metrics
    priced = price_model_call(model, tokens, at, is_partial=is_partial)
    stored = event.cost_nano_usd if event else _nano_of(metrics, "$c")
    reported = event.cost_reported_nano_usd if event else _nano_of(metrics, "$cReported")
    code = event.cost_code if event else _code_of(metrics)
    # Messages keep cents to four places.
    differs = stored is not None and priced.cost.nano_usd is not None and abs(stored - priced.cost.nano_usd) > 1000
    return {
        "model": {"id": model.id, "service": model.service_id, "vendor": model.vendor_id},
        "at": at,
        "estimated": bool(event and event.estimated),
        "parts": [
            {
                "name": part.name,
                "tokens": part.tokens,
                "usd_per_million": float(part.price),
                "cost_nano_usd": round(part.nano_usd),
            }
            for part in priced.cost.parts
        ],
        "reasoning_tokens": tokens.reasoning,
        "sum_nano_usd": priced.cost.nano_usd,
        "saved_nano_usd": priced.cost.saved_nano_usd,
        "cost_nano_usd": stored,
        "cost_reported_nano_usd": reported,
        "cost_code": code,
        "price_source": (event.price_source if event else "") or priced.source,
        "note": " ".join(
            filter(None, [WORDS.get(code, ""), "The price has changed since the call was made." if differs else ""])
        ),
    }


def _event_of(row: Message) -> UsageEvent | None:
    events = UsageEvent.objects.filter(conversation=row.conversation.uid, message=row.uid, calls__gt=0)
    # Reversed events are ignored; if a reversal was reversed again, its own event applies.
    events = events.filter(usageevent=None)
    return events.order_by("-at", "-pk").first()


def _tokens_of(event: UsageEvent) -> Tokens:
    return Tokens(
        event.input_tokens,
        event.cache_read_tokens,
        event.cache_write_tokens,
        event.output_tokens,
        event.reasoning_tokens,
    )


def _model_of(uid: str, generator: JSONObject) -> CallableModel:
    """Return the model as far as it is known: a price needs neither key nor host."""
    try:
        return price_facts(uid)
    except UnknownModel:
        pass
    try:
        return find_model(uid)
    except (UnknownModel, NotCallable):
        aix = generator.get("aix")
        vendor = aix.get("vId") if isinstance(aix, dict) else None
        name = generator.get("name")
        return CallableModel(
            uid, name if isinstance(name, str) else uid, "", "", vendor if isinstance(vendor, str) else ""
        )


def _time_of(message: JSONObject) -> int:
    created = message.get("created")
    if is_number(created) and 0 < created < 10**14:
        return int(created)
    return now_ms()


def _nano_of(metrics: Any, name: str) -> int | None:
    cents = metrics.get(name) if isinstance(metrics, dict) else None
    if is_number(cents) and 0 <= cents < 10**9:
        return round(cents * NANO_A_CENT)
    return None


def _code_of(metrics: Any) -> str:
    code = metrics.get("$code") if isinstance(metrics, dict) else None
    return code if isinstance(code, str) else ""
