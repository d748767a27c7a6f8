"""What no call comes to. More than that is damage or malice, and is not known: the ledger cannot be mended afterwards,
and the sums of some hundred thousand such calls would not fit an integer of the database. Pure."""

from llms.pricing.formula import NO_PRICING, Cost
from llms.pricing.tokens import Tokens

MOST_TOKENS = 10**12
MOST_NANO_USD = 10**13
"""10,000 USD."""


def usable_tokens(tokens: Tokens) -> Tokens:
    """Return the counts without those that are too large to be true."""
    if tokens.total < MOST_TOKENS:
        return tokens
    counts = (tokens.input, tokens.cache_read, tokens.cache_write, tokens.output, tokens.reasoning)
    return Tokens(*(count if count is not None and count < MOST_TOKENS else None for count in counts))


def usable_nano_usd(nano_usd: int | None) -> int | None:
    """Return an amount, None where it is too large to be true."""
    return nano_usd if nano_usd is not None and nano_usd < MOST_NANO_USD else None


def usable_cost(cost: Cost) -> Cost:
    """Return a cost, unpriced where it is too large to be true."""
    return cost if usable_nano_usd(cost.nano_usd) == cost.nano_usd else Cost(code=NO_PRICING)
