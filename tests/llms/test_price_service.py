"""The price of a call: the person's, the model's, the book's of that day, or none; and its parts sum up to it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llms.callable_model import CallableModel
from llms.pricing.book import facts_in_book
from llms.pricing.estimator import estimate_tokens
from llms.pricing.price import price_by_book, price_model_call
from llms.pricing.tokens import Tokens

PRICES = {"chat": {"input": 1, "output": 2}}


def at(*day):
    return int(datetime(*day, tzinfo=UTC).timestamp() * 1000)


def model(vendor="openai", ref="gpt-4o-mini", **members):
    return CallableModel(f"{vendor}-{ref}", ref, ref, vendor, vendor, **members)


def test_the_persons_price_wins_then_the_models_then_the_books():
    tokens = Tokens(1_000_000, None, None, 1_000_000)
    mine = price_model_call(model(pricing=PRICES, has_user_price=True), tokens, at(2026, 1, 1))
    assert (mine.source, mine.cost.nano_usd) == ("user", 3 * 10**9)
    assert price_model_call(model(pricing=PRICES), tokens, at(2026, 1, 1)).source == "model"
    book = price_model_call(model(), tokens, at(2026, 1, 1))
    assert book.source.startswith("book genai-prices 0.")
    assert book.cost.nano_usd == 750_000_000
    unpriced = price_model_call(model(ref="nobody-knows-it"), tokens, at(2026, 1, 1))
    assert (unpriced.source, unpriced.cost.nano_usd, unpriced.cost.code) == ("", None, "no-pricing")


def test_the_book_is_asked_for_the_day_of_the_call():
    tokens = Tokens(1_000_000)
    before, after = (price_by_book("openai", "o3", tokens, at(2025, 6, day)).cost.nano_usd for day in (9, 11))
    assert (before, after) == (10 * 10**9, 2 * 10**9)


def test_each_kind_of_token_has_its_line():
    cost = price_by_book("openai", "gpt-4o-mini", Tokens(600, 300, 100, 40, 10), at(2026, 1, 1)).cost
    assert [(part.name, part.tokens, float(part.price)) for part in cost.parts] == [
        ("input", 600, 0.15),
        ("cache read", 300, 0.075),
        # Without a price of its own it is new input.
        ("cache write", 100, 0.15),
        ("output", 50, 0.6),
    ]
    assert cost.nano_usd == 600 * 150 + 300 * 75 + 100 * 150 + 50 * 600


def test_a_fee_by_the_request_is_a_line_too():
    cost = price_by_book("perplexity", "sonar-pro", Tokens(1000, None, None, 50), at(2026, 1, 1)).cost
    assert [part.name for part in cost.parts] == ["input", "output", "request"]
    assert cost.nano_usd == sum(part.nano_usd for part in cost.parts)


counts = st.one_of(st.none(), st.integers(0, 10**6))
known = st.sampled_from(
    [("openai", "gpt-4o-mini"), ("anthropic", "claude-sonnet-4-5"), ("googleai", "models/gemini-2.5-pro")]
    + [("deepseek", "deepseek-chat"), ("perplexity", "sonar-pro"), ("xai", "grok-4")]
)


@given(known, counts, counts, counts, counts, counts)
def test_the_parts_of_a_booked_price_sum_up_to_it(name, new, read, write, out, reasoning):
    cost = price_by_book(*name, Tokens(new, read, write, out, reasoning), at(2026, 1, 1)).cost
    assert cost.nano_usd is not None
    assert abs(sum(part.nano_usd for part in cost.parts) - cost.nano_usd) <= 1
    assert sum(part.tokens for part in cost.parts if part.name != "request") == sum(
        count or 0 for count in (new, read, write, out, reasoning)
    )


def test_what_runs_on_ones_own_machine_has_no_price_of_somebody_elses():
    assert price_model_call(model("ollama", "gpt-4o-mini"), Tokens(5), at(2026, 1, 1)).cost.nano_usd is None
    assert facts_in_book("ollama", "gpt-4o-mini", at(2026, 1, 1)) == {}


def test_tiers_of_the_book_are_big_agis():
    chat = facts_in_book("anthropic", "claude-sonnet-4-5", at(2026, 1, 1))["pricing"]["chat"]
    assert chat["input"] == [{"upTo": 200_000, "price": 3}, {"upTo": None, "price": 6}]
    assert chat["cache"]["cType"] == "ant-bp"


@pytest.mark.parametrize(("text", "least", "most"), [("", 0, 1), ("word " * 100, 100, 160), ("工" * 100, 90, 110)])
def test_estimates_are_near(text, least, most):
    assert least <= estimate_tokens(text) <= most
