"""A model that a provider lists, in big-AGI's shape (`bigagi-format.md` § 5). Pure, but for the price book.

The provider's list overrides the price book; unknown values are left out. Providers' lists differ: OpenAI's has
only names, others have sizes, prices and capabilities under names of their own.
"""

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from llms.pricing.book import facts_in_book
from stores.codecs import JSONObject

CHAT, VISION, TOOLS, REASONING = "oai-chat", "oai-chat-vision", "oai-chat-fn", "oai-chat-reasoning"
NO_TEMPERATURE = "hotfix-no-temperature"

_SIZES = ("context_length", "context_window", "max_context_length", "max_input_tokens", "max_model_len")
_ANSWERS = ("max_completion_tokens", "max_output_tokens", "max_tokens")
_OTHER_KINDS = re.compile(
    r"embed|whisper|tts|dall-e|moderation|davinci|babbage|transcribe|realtime|sora|image|audio|rerank|speech|ocr|guard",
    re.IGNORECASE,
)
_OPENAI_REASONING = re.compile(r"o\d|gpt-[5-9]")


def is_for_chat(listed: JSONObject) -> bool:
    """Tell whether a listed model is a chat model; others create images, sounds or embeddings."""
    kind = listed.get("type")
    if isinstance(kind, str) and kind not in ("model", "chat", "language", "base", "llm", "vlm"):
        return False
    abilities = listed.get("capabilities")
    if isinstance(abilities, dict) and abilities.get("completion_chat") is False:
        return False
    return _OTHER_KINDS.search(str(listed["id"])) is None


def as_model(service_id: str, vendor_id: str, listed: JSONObject, at: int) -> JSONObject:
    """Return the model of a service's list, with the values of `at`, in ms since the epoch."""
    ref = str(listed["id"])
    book = facts_in_book(vendor_id, ref, at)
    created = listed.get("created")
    size = _first_count(listed, _SIZES) or book.get("contextTokens")
    top = listed.get("top_provider")
    answer = _first_count(listed, _ANSWERS) or (_first_count(top, _ANSWERS) if isinstance(top, dict) else None)
    pricing = _pricing_of(listed.get("pricing")) or book.get("pricing")
    model: JSONObject = {
        "id": f"{service_id}-{ref}",
        "label": _label_of(listed),
        "created": created if isinstance(created, int) and not isinstance(created, bool) else at // 1000,
        "description": _text(listed.get("description"))[:2000],
        "hidden": False,
        "contextTokens": size,
        "maxOutputTokens": answer,
        "interfaces": _interfaces_of(vendor_id, ref, listed),
        "parameterSpecs": [],
        "initialParameters": {"llmRef": ref},
        "sId": service_id,
        "vId": vendor_id,
    }
    return model | ({"pricing": pricing} if pricing else {})


def _label_of(listed: JSONObject) -> str:
    for name in ("display_name", "name", "id"):
        if text := _text(listed.get(name)):
            return text.removeprefix("models/")
    return str(listed["id"])


def _interfaces_of(vendor_id: str, ref: str, listed: JSONObject) -> list[str]:
    found = [CHAT]
    told = listed.get("capabilities")
    abilities = told if isinstance(told, dict) else {}
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


def _pricing_of(told: Any) -> JSONObject | None:
    """Return OpenRouter's prices, given as text in USD per token, in big-AGI's format."""
    if not isinstance(told, dict):
        return None
    given, out = _price(told.get("prompt")), _price(told.get("completion"))
    if given is None or out is None:
        return None
    if given == 0 and out == 0:
        return {"chat": {"input": "free", "output": "free"}}
    chat: JSONObject = {"input": given, "output": out}
    read, write = _price(told.get("input_cache_read")), _price(told.get("input_cache_write"))
    if read and write:
        chat["cache"] = {"cType": "ant-bp", "read": read, "write": write, "duration": 300}
    elif read:
        chat["cache"] = {"cType": "oai-ac", "read": read}
    return {"chat": chat}


def _price(told: Any) -> int | float | None:
    """Convert USD per token, as text, to USD per million tokens."""
    if not isinstance(told, str):
        return None
    try:
        price = Decimal(told) * 10**6
    except InvalidOperation:
        return None
    if not price.is_finite() or not 0 <= price < 10**6:
        return None
    return int(price) if price == price.to_integral_value() else float(price)


def _first_count(told: JSONObject, names: tuple[str, ...]) -> int | None:
    for name in names:
        value = told.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**40:
            return value
    return None


def _holds(values: Any, value: str) -> bool:
    return isinstance(values, list) and value in values


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
