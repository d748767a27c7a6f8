"""The price of a call: the owner's, the model's, the price book's of that day, or none."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP
from typing import TYPE_CHECKING

from llms.pricing.book import book_name, is_flat_in_book, price_in_book
from llms.pricing.formula import NO_PRICING, PARTIAL_MESSAGE, Cost, is_flat, price_call
from llms.pricing.tokens import Tokens

if TYPE_CHECKING:
    from llms.callable_model import CallableModel

USER, MODEL = "user", "model"


@dataclass(frozen=True)
class Priced:
    """A cost and where its price came from: `user`, `model`, `book <version>`, or nothing."""

    cost: Cost
    source: str = ""


def price_model_call(model: "CallableModel", tokens: Tokens, at: int, *, is_partial: bool = False) -> Priced:
    """Return what a call of the model cost, made `at` ms since the epoch."""
    speed = model.parameters.get("llmVndAntInfSpeed")
    if isinstance(model.pricing, dict) and isinstance(model.pricing.get("chat"), dict):
        source = USER if model.has_user_price else MODEL
        return Priced(price_call(tokens, model.pricing, speed=speed, is_partial=is_partial), source)
    if not tokens.total:
        return Priced(price_call(tokens, None))
    return price_by_book(model.vendor_id, model.ref, tokens, at, is_partial=is_partial)


def is_flat_price(model: "CallableModel", at: int) -> bool:
    """Tell whether many calls of the model, of the same kinds of tokens, cost together what their sum does."""
    if isinstance(model.pricing, dict) and isinstance(model.pricing.get("chat"), dict):
        return is_flat(model.pricing, speed=model.parameters.get("llmVndAntInfSpeed"))
    return is_flat_in_book(model.vendor_id, model.ref, at)


def price_by_book(vendor_id: str, ref: str, tokens: Tokens, at: int, *, is_partial: bool = False) -> Priced:
    """Return what the price book says of a call on that day; unpriced where it does not know the model."""
    found = price_in_book(vendor_id, ref, tokens, at)
    if found is None:
        return Priced(Cost(code=NO_PRICING))
    nano = int((found.usd * 10**9).to_integral_value(ROUND_HALF_UP))
    return Priced(Cost(nano, PARTIAL_MESSAGE if is_partial else "", parts=found.parts), book_name())
