"""What a provider or a price makes too large to be true is not known, and never more than the sums can hold."""

import pytest

from llms.pricing.formula import Cost
from llms.pricing.tokens import Tokens
from metrics.history.codec import nano_of_cents
from metrics.ledger.limits import MOST_NANO_USD, MOST_TOKENS, usable_cost, usable_nano_usd, usable_tokens

CALLS = 900_000
"""Calls that one sum holds at the least, were each the most that is taken."""


def test_sums_of_the_largest_calls_fit_the_database() -> None:
    assert CALLS * max(MOST_TOKENS, MOST_NANO_USD) < 2**63


def test_what_is_too_large_is_not_known() -> None:
    assert usable_tokens(Tokens(MOST_TOKENS, 1, None, 2**60, 0)) == Tokens(None, 1, None, None, 0)
    assert usable_cost(Cost(MOST_NANO_USD, saved_nano_usd=1)) == Cost(None, "no-pricing")
    assert usable_nano_usd(5 * 10**28) is None


@pytest.mark.parametrize("cost", [Cost(MOST_NANO_USD - 1), Cost(0), Cost(None, "free")])
def test_what_a_call_can_cost_stays(cost: Cost) -> None:
    assert usable_cost(cost) is cost
    assert usable_nano_usd(cost.nano_usd) == cost.nano_usd


def test_messages_of_a_backup_have_the_same_limit() -> None:
    assert nano_of_cents(10**6) is None
    assert nano_of_cents(10**6 - 1) == MOST_NANO_USD - 10**7
