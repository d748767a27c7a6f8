"""big-AGI's formula of what a call costs, exactly (`bigagi-format.md` § 6). Pure.

Prices are USD per million tokens, that is, thousands of nano-dollars per token; sums are decimal, never floating point.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from llms.pricing.tokens import Tokens
from stores.records.json_values import is_number

FREE = "free"
NO_TOKENS, NO_PRICING = "no-tokens", "no-pricing"
PARTIAL_PRICE, PARTIAL_MESSAGE = "partial-price", "partial-msg"

REQUEST = "request"
"""The name of the part that is a fee."""

NANO_A_TOKEN = 1000
"""Nano-dollars per token at one USD per million tokens."""
NANO_A_CENT = 10_000_000
SPEED_FACTORS = {"fast_2x": 2, "fast_6x": 6, "fast": 6}
"""What the parameter `llmVndAntInfSpeed` multiplies a price by."""

Price = Decimal | str | None
"""USD per million tokens, `free`, or unknown."""


@dataclass(frozen=True)
class Part:
    """One line of the calculation: a number of tokens at a price."""

    name: str
    tokens: int
    price: Decimal
    """USD per million tokens."""

    @property
    def nano_usd(self) -> Decimal:
        return self.price * self.tokens * NANO_A_TOKEN


@dataclass(frozen=True)
class Cost:
    """What a call costs. `nano_usd` is None where it is unpriced; `code` says why there is no price, or only a part."""

    nano_usd: int | None = None
    code: str = ""
    saved_nano_usd: int | None = None
    """What caching saved; can be negative."""
    parts: tuple[Part, ...] = ()

    @property
    def cents(self) -> float | None:
        """`$c` of big-AGI: cents to four places, half up."""
        return as_cents(self.nano_usd)


def as_cents(nano_usd: int | None) -> float | None:
    """Return big-AGI's `$c` of nano-dollars: round(USD × 10⁶) / 10⁴."""
    if nano_usd is None:
        return None
    # JavaScript's Math.round goes up at .5, below zero as well.
    micro = (Decimal(nano_usd) / 1000 + Decimal("0.5")).to_integral_value("ROUND_FLOOR")
    return float(micro / 10_000)


def price_call(tokens: Tokens, pricing: Any, *, speed: Any = None, is_partial: bool = False) -> Cost:
    """Return what the call costs by a model's `pricing` of big-AGI's shape.

    `speed` is the parameter `llmVndAntInfSpeed`; `is_partial` tells that the message was broken off."""
    if not tokens.total:
        return Cost(code=NO_TOKENS)
    chat = pricing.get("chat") if isinstance(pricing, dict) else None
    if not isinstance(chat, dict):
        return Cost(code=NO_PRICING)
    size = tokens.total_input
    price_in, price_out = _price(chat.get("input"), size), _price(chat.get("output"), size)
    fee = _fee(chat)
    if price_in == FREE and price_out == FREE and not fee:
        return Cost(code=FREE)
    factor = SPEED_FACTORS.get(speed, 1) if isinstance(speed, str) else 1
    usable_in, usable_out = _usable(price_in, price_out, factor), _usable(price_out, price_in, factor)
    if usable_in is None or usable_out is None:
        return Cost(code=PARTIAL_PRICE)
    parts = [Part("input", tokens.input or 0, usable_in), Part("output", tokens.total_output, usable_out)]
    code = PARTIAL_MESSAGE if is_partial else ""
    saved: int | None = None
    if tokens.cache_read or tokens.cache_write:
        cached = _cached(tokens, chat.get("cache"), size, factor)
        if cached is None:
            code = PARTIAL_PRICE
        else:
            parts[1:1] = cached
            paid = sum((part.nano_usd for part in parts if part.name != "output"), Decimal(0))
            saved = _whole(usable_in * size * NANO_A_TOKEN - paid)
    if fee:
        parts.append(Part(REQUEST, 1, fee))
    total = _whole(sum((part.nano_usd for part in parts), Decimal(0)))
    return Cost(total, code, saved, tuple(parts))


def _fee(chat: dict[str, Any]) -> Decimal:
    """Return the fee for a request, as the price of a million: OpenRouter and Perplexity have one. big-AGI has no place
    for it; here it is `request`, in USD."""
    fee = chat.get(REQUEST)
    return Decimal(str(fee)) * 10**6 if fee is not None and _is_number(fee) and fee > 0 else Decimal(0)


def is_flat(pricing: Any, *, speed: Any = None) -> bool:
    """Tell whether there is one price for a kind of token, in whole nano-dollars, whatever the size of the call: then
    many calls together, of the same kinds of tokens, cost what their sum does."""
    chat = pricing.get("chat") if isinstance(pricing, dict) else None
    if not isinstance(chat, dict):
        return True
    if _fee(chat):
        return False
    cache = chat.get("cache")
    held = [chat.get("input"), chat.get("output")]
    held += [cache.get("read"), cache.get("write")] if isinstance(cache, dict) else []
    factor = SPEED_FACTORS.get(speed, 1) if isinstance(speed, str) else 1
    prices = [None if isinstance(price, list) else _price(price, 0) for price in held]
    return not any(isinstance(price, list) for price in held) and all(
        price * factor * NANO_A_TOKEN % 1 == 0 for price in prices if isinstance(price, Decimal)
    )


def _cached(tokens: Tokens, cache: Any, size: int, factor: int) -> list[Part] | None:
    """Return the parts of cached tokens; None where there is no price for one that is there."""
    if not isinstance(cache, dict):
        return None
    read, write = _price(cache.get("read"), size), _price(cache.get("write"), size)
    if cache.get("cType") == "oai-ac":
        write = Decimal(0)
    parts = []
    for name, count, price in (("cache read", tokens.cache_read, read), ("cache write", tokens.cache_write, write)):
        if not count:
            continue
        if price is None:
            return None
        parts.append(Part(name, count, Decimal(0) if isinstance(price, str) else price * factor))
    return parts


def _usable(price: Price, other: Price, factor: int) -> Decimal | None:
    if price is None:
        return None
    if isinstance(price, str):
        return Decimal(0)
    # A number 0 is a price that was not filled in, unless both are 0.
    if price == 0 and not (isinstance(other, Decimal) and other == 0):
        return None
    return price * factor


def _price(value: Any, size: int) -> Price:
    """Return the price of a number, `free`, or tiers chosen by the whole input."""
    if isinstance(value, list):
        for tier in value:
            if not isinstance(tier, dict):
                continue
            limit = tier.get("upTo")
            if limit is None or (_is_number(limit) and size <= limit):
                return _price(tier.get("price"), size) if not isinstance(tier.get("price"), list) else None
        return None
    if value == FREE:
        return FREE
    return Decimal(str(value)) if _is_number(value) and value >= 0 else None


def _is_number(value: Any) -> bool:
    return is_number(value) and abs(value) < 10**9


def _whole(nano_usd: Decimal) -> int:
    return int(nano_usd.to_integral_value(ROUND_HALF_UP))
