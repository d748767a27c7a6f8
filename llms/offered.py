"""A model that a provider lists, in big-AGI's shape (`bigagi-format.md` § 5). Pure, but for the price book.

The provider's list overrides the price book; unknown values are left out. Providers' lists differ: OpenAI's has
only names, others have sizes, prices and capabilities under names of their own.
"""

import hashlib
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from llms.left_out import why_left_out
from llms.pricing.book import facts_in_book
from stores.records.codecs import JSONObject
from stores.records.json_values import is_number, text_or_empty

CHAT, VISION, TOOLS, REASONING = "oai-chat", "oai-chat-vision", "oai-chat-fn", "oai-chat-reasoning"
NO_TEMPERATURE = "hotfix-no-temperature"

LONGEST_ID = 200
"""Characters of an id (`stores.models.Record.uid`)."""

_SIZES = ("context_length", "context_window", "max_context_length", "max_input_tokens", "max_model_len")
_ANSWERS = ("max_completion_tokens", "max_output_tokens", "max_tokens")
_OPENAI_REASONING = re.compile(r"o\d|gpt-[5-9]")


def id_of(service_id: str, ref: str) -> str:
    """Return the id of a model: that of its service, and the vendor's name, cut where it is too long for an id."""
    whole = f"{service_id}-{ref}"
    if len(whole) <= LONGEST_ID:
        return whole
    mark = hashlib.sha256(ref.encode("utf-8", "surrogatepass")).hexdigest()[:10]
    return f"{whole[: LONGEST_ID - len(mark) - 1]}~{mark}"


def as_model(service_id: str, vendor_id: str, listed: JSONObject, at: int) -> JSONObject:
    """Return the model of a service's list, with the values of `at`, in ms since the epoch. One that cannot chat is
    hidden, and `hiddenReason` says why."""
    ref = str(listed["id"])
    created = listed.get("created")
    size, pricing = _first_count(listed, _SIZES), _pricing_of(listed.get("pricing"))
    if size is None or pricing is None:
        # The book takes milliseconds a model, and providers list thousands.
        book = facts_in_book(vendor_id, ref, at)
        size, pricing = size or book.get("contextTokens"), pricing or book.get("pricing")
    top = listed.get("top_provider")
    answer = _first_count(listed, _ANSWERS) or (_first_count(top, _ANSWERS) if isinstance(top, dict) else None)
    reason = why_left_out(listed)
    model: JSONObject = {
        "id": id_of(service_id, ref),
        "label": _label_of(listed),
        "created": created if isinstance(created, int) and not isinstance(created, bool) else at // 1000,
        "description": text_or_empty(listed.get("description"))[:2000],
        "hidden": bool(reason),
        "contextTokens": size,
        "maxOutputTokens": answer,
        "interfaces": _interfaces_of(vendor_id, ref, listed),
        "parameterSpecs": [],
        "initialParameters": {"llmRef": ref},
        "sId": service_id,
        "vId": vendor_id,
    }
    return model | ({"hiddenReason": reason} if reason else {}) | ({"pricing": pricing} if pricing else {})


def _label_of(listed: JSONObject) -> str:
    for name in ("display_name", "name", "id"):
        if text := text_or_empty(listed.get(name)):
            return text.removeprefix("models/")
    return str(listed["id"])


def _interfaces_of(vendor_id: str, ref: str, listed: JSONObject) -> list[str]:
    found = [CHAT]
    reported = listed.get("capabilities")
    abilities = reported if isinstance(reported, dict) else {}
    built = listed.get("architecture")
    modes = built.get("input_modalities") if isinstance(built, dict) else None
    if abilities.get("vision") is True or listed.get("supports_image_in") is True or _holds(modes, "image"):
        found.append(VISION)
    parameters = listed.get("supported_parameters")
    if abilities.get("function_calling") is True or _holds(parameters, "tools"):
        found.append(TOOLS)
    if vendor_id == "openai" and _OPENAI_REASONING.match(ref):
        # These refuse a temperature (OpenAI's guide on reasoning).
        found += [REASONING, NO_TEMPERATURE]
    elif _holds(parameters, "reasoning") or listed.get("supports_reasoning") is True:
        found.append(REASONING)
    return found


def _pricing_of(reported: Any) -> JSONObject | None:
    """Return listed prices in big-AGI's format: OpenRouter's in USD per token, Together AI's in USD per million."""
    if not isinstance(reported, dict):
        return None
    given, out = _per_million(reported.get("prompt")), _per_million(reported.get("completion"))
    if given is None or out is None:
        given, out = _usd(reported.get("input")), _usd(reported.get("output"))
    if given is None or out is None:
        return None
    fee = _usd(reported.get("request"))
    if given == 0 and out == 0:
        # What costs by the request alone is not free.
        return {"chat": {"input": 0, "output": 0, "request": fee} if fee else {"input": "free", "output": "free"}}
    chat: JSONObject = {"input": given, "output": out} | ({"request": fee} if fee else {})
    read, write = _per_million(reported.get("input_cache_read")), _per_million(reported.get("input_cache_write"))
    if read and write:
        chat["cache"] = {"cType": "ant-bp", "read": read, "write": write, "duration": 300}
    elif read:
        chat["cache"] = {"cType": "oai-ac", "read": read}
    return {"chat": chat}


def _per_million(reported: Any) -> int | float | None:
    """Convert USD per token to USD per million tokens."""
    return _usd(reported, times=10**6)


def _usd(reported: Any, *, times: int = 1) -> int | float | None:
    """Return an amount, given as a number or as text; None for another or a negative one, which depends on the call."""
    if not isinstance(reported, str) and not is_number(reported):
        return None
    try:
        price = Decimal(str(reported)) * times
    except InvalidOperation:
        return None
    if not price.is_finite() or not 0 <= price < 10**6:
        return None
    return int(price) if price == price.to_integral_value() else float(price)


def _first_count(reported: JSONObject, names: tuple[str, ...]) -> int | None:
    for name in names:
        value = reported.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**40:
            return value
    return None


def _holds(values: Any, value: str) -> bool:
    return isinstance(values, list) and value in values
