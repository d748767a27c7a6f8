"""The price book (genai-prices): prices, context sizes and models, of a day. It comes with the program, offline."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from importlib.metadata import version
from typing import Any

from llms.pricing.formula import NANO_A_TOKEN, REQUEST, Part
from llms.pricing.tokens import Tokens
from stores.records.codecs import JSONObject

_PROVIDERS = {
    "openai": "openai",
    "anthropic": "anthropic",
    "azure": "azure",
    "bedrock": "aws",
    "googleai": "google",
    "mistral": "mistral",
    "groq": "groq",
    "deepseek": "deepseek",
    "xai": "x-ai",
    "openrouter": "openrouter",
    "perplexity": "perplexity",
    "cohere": "cohere",
    "togetherai": "together",
    "moonshot": "moonshotai",
    "cerebras": "cerebras",
    "zai": "zai",
}
"""The book's names of vendors. It must not price models of other vendors, such as local ones."""


@dataclass(frozen=True)
class BookPrice:
    """What the book says of a call: the whole in USD, and its parts."""

    usd: Decimal
    parts: tuple[Part, ...]


def book_name() -> str:
    """Return the book with its version, as events keep it."""
    return f"book genai-prices {version('genai-prices')}"


def price_in_book(vendor_id: str, ref: str, tokens: Tokens, at: int) -> BookPrice | None:
    """Return what a call cost that was made `at` ms since the epoch; None where the book does not know the model."""
    if vendor_id not in _PROVIDERS:
        return None
    # It takes a while to import, and most calls have a price of their own.
    import genai_prices

    usage = genai_prices.Usage(
        input_tokens=tokens.total_input,
        cache_read_tokens=tokens.cache_read or 0,
        cache_write_tokens=tokens.cache_write or 0,
        output_tokens=tokens.total_output,
    )
    try:
        found: Any = genai_prices.calc_price(
            usage, _plain(ref), provider_id=_PROVIDERS[vendor_id], genai_request_timestamp=_day(at)
        )
    except (LookupError, ValueError):
        return None
    usd = Decimal(found.total_price)
    return BookPrice(usd, _parts(found.model_price, tokens, usd))


def _parts(prices: Any, tokens: Tokens, usd: Decimal) -> tuple[Part, ...]:
    """Return the lines that sum up to the whole, each count at its price; what is left is a fee for the request."""
    size = tokens.total_input
    new = _at_size(prices.input_mtok, size)
    # Where a kind has no price of its own, the book counts it as new input.
    counts = (
        ("input", tokens.input, new),
        ("cache read", tokens.cache_read, _at_size(prices.cache_read_mtok, size, new)),
        ("cache write", tokens.cache_write, _at_size(prices.cache_write_mtok, size, new)),
        ("output", tokens.total_output, _at_size(prices.output_mtok, size)),
    )
    parts = [Part(name, count, price) for name, count, price in counts if count]
    rest = usd * 10**9 - sum((part.nano_usd for part in parts), Decimal(0))
    if rest:
        parts.append(Part(REQUEST, 1, rest / 1000))
    return tuple(parts)


def _at_size(price: Any, size: int, otherwise: Decimal = Decimal(0)) -> Decimal:
    """Return the price, USD a million tokens, for a whole input of `size` tokens."""
    if price is None:
        return otherwise
    if isinstance(price, Decimal):
        return price
    reached = [tier.price for tier in price.tiers if size > tier.start]
    return Decimal(reached[-1] if reached else price.base)


def is_flat_in_book(vendor_id: str, ref: str, at: int) -> bool:
    """Tell whether the book has one price for a kind of token all that day (UTC), in whole nano-dollars: then many
    calls together cost what their sum does. A model that it does not know costs nothing, and so does the sum."""
    model = _find(vendor_id, ref)
    if model is None:
        return True
    from genai_prices.types import StartDateConstraint

    try:
        prices = model.get_prices(_day(at))
    except (LookupError, ValueError):
        return True
    dated = [] if not isinstance(model.prices, list) else [price.constraint for price in model.prices]
    if not all(constraint is None or isinstance(constraint, StartDateConstraint) for constraint in dated):
        return False
    held = {name: price for name, price in vars(prices).items() if price is not None}
    return "requests_kcount" not in held and all(
        isinstance(price, Decimal) and price * NANO_A_TOKEN % 1 == 0 for price in held.values()
    )


def facts_in_book(vendor_id: str, ref: str, at: int) -> JSONObject:
    """Return the label, contextTokens and pricing of a model, in big-AGI's shape; what is not known is not there."""
    model = _find(vendor_id, ref)
    if model is None:
        return {}
    try:
        prices: Any = model.get_prices(_day(at))
    except (LookupError, ValueError):
        return {}
    facts: JSONObject = {}
    if model.context_window:
        facts["contextTokens"] = model.context_window
    given, out = _as_price(prices.input_mtok), _as_price(prices.output_mtok)
    if given is not None and out is not None:
        chat: JSONObject = {"input": given, "output": out}
        read, write = _as_price(prices.cache_read_mtok), _as_price(prices.cache_write_mtok)
        if read is not None and write is not None:
            chat["cache"] = {"cType": "ant-bp", "read": read, "write": write, "duration": 300}
        elif read is not None:
            chat["cache"] = {"cType": "oai-ac", "read": read}
        if prices.requests_kcount:
            chat[REQUEST] = _number(prices.requests_kcount / 1000)
        facts["pricing"] = {"chat": chat}
    return facts


@lru_cache(maxsize=10_000)
def _find(vendor_id: str, ref: str) -> Any:
    """Return the book's model, or None. The book itself remembers what it finds; what it does not know it looks for
    through all of its models, for milliseconds each time."""
    if vendor_id not in _PROVIDERS:
        return None
    from genai_prices import data_snapshot

    try:
        _, model = data_snapshot.get_snapshot().find_provider_model(_plain(ref), None, _PROVIDERS[vendor_id], None)
    except (LookupError, ValueError):
        return None
    return model


def _as_price(price: Any) -> Any:
    """Return a price in big-AGI's shape: a number, or tiers that end with `upTo: null`."""
    if price is None or isinstance(price, Decimal):
        return None if price is None else _number(price)
    starts = [tier.start for tier in price.tiers]
    values = [price.base, *(tier.price for tier in price.tiers)]
    return [{"upTo": upto, "price": _number(value)} for upto, value in zip([*starts, None], values, strict=True)]


def _number(price: Decimal) -> int | float:
    return int(price) if price == price.to_integral_value() else float(price)


def _plain(ref: str) -> str:
    # Google's list has ids as models/gemini-…
    return ref.removeprefix("models/")


def _day(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)
