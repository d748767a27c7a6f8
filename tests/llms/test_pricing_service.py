"""Costs are big-AGI's own, to the digit."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llms.pricing.formula import as_cents, price_call
from llms.pricing.tokens import Tokens, tokens_of_metrics

FLAT = {"chat": {"input": 2.5, "output": 10, "cache": {"cType": "oai-ac", "read": 1.25}}}
TIERS = {
    "chat": {
        "input": [{"upTo": 200_000, "price": 3}, {"upTo": None, "price": 6}],
        "output": [{"upTo": 200_000, "price": 15}, {"upTo": None, "price": 22.5}],
        "cache": {"cType": "ant-bp", "read": 0.3, "write": 3.75, "duration": 300},
    }
}


@pytest.mark.parametrize("name", ["flash.json", "flash-with-images.json"])
def test_every_real_message_costs_what_big_agi_says(real_data, name):
    storage = json.loads((real_data / "exports" / name).read_text())["storage"]
    models = {model["id"]: model for model in storage["localStorage"]["app-models"]["state"]["llms"]}
    entries = storage["indexedDB"]["keyval-store"]["keyval"]
    chats = json.loads(next(entry["value"] for entry in entries if entry["key"] == "app-chats"))
    seen = 0
    for chat in chats["state"]["conversations"]:
        for message in chat["messages"]:
            generator = message.get("generator") or {}
            metrics = generator.get("metrics")
            if not metrics or "$c" not in metrics:
                continue
            model = models[generator["aix"]["mId"]]
            cost = price_call(tokens_of_metrics(metrics), model.get("userPricing") or model.get("pricing"))
            assert cost.cents == pytest.approx(metrics["$c"], abs=0.0001), metrics
            if "$cdCache" in metrics:
                assert as_cents(cost.saved_nano_usd) == pytest.approx(metrics["$cdCache"], abs=0.0001), metrics
            seen += 1
    assert seen >= 18


@pytest.mark.parametrize(
    ("tokens", "pricing", "nano_usd", "code"),
    [
        (Tokens(), FLAT, None, "no-tokens"),
        (Tokens(0, 0, 0, 0, 0), FLAT, None, "no-tokens"),
        (Tokens(10, output=5), None, None, "no-pricing"),
        (Tokens(10, output=5), {"image": 1}, None, "no-pricing"),
        (Tokens(10, output=5), {"chat": {"input": "free", "output": "free"}}, None, "free"),
        (Tokens(10, output=5), {"chat": {"input": 0, "output": 5}}, None, "partial-price"),
        (Tokens(10, output=5), {"chat": {"input": 5}}, None, "partial-price"),
        (Tokens(10, output=5), {"chat": {"input": 0, "output": 0}}, 0, ""),
        (Tokens(10, output=5), {"chat": {"input": "free", "output": 2}}, 10_000, ""),
        (Tokens(1000, output=100), FLAT, 2_500_000 + 1_000_000, ""),
        (Tokens(1000, 400, 50, 60, 40), FLAT, 2_500_000 + 500_000 + 1_000_000, ""),
        (Tokens(1000, 400, output=1), {"chat": {"input": 1, "output": 1}}, 1_001_000, "partial-price"),
        (Tokens(200_000, output=10), TIERS, 600_150_000, ""),
        (Tokens(200_000, 1, output=10), TIERS, 1_200_000_000 + 300 + 225_000, ""),
        (Tokens(0, 0, 200, 0), TIERS, 750_000, ""),
        (Tokens(10, output=5), {"chat": {"input": "odd", "output": True}}, None, "partial-price"),
        (Tokens(10, output=5), {"chat": {"input": [{"upTo": 5, "price": 1}], "output": 1}}, None, "partial-price"),
    ],
)
def test_the_formula_case_by_case(tokens, pricing, nano_usd, code):
    cost = price_call(tokens, pricing)
    assert (cost.nano_usd, cost.code) == (nano_usd, code)


def test_what_a_speed_costs_more_and_what_was_broken_off():
    plain = price_call(Tokens(1000, output=10), FLAT).nano_usd
    assert plain is not None
    assert price_call(Tokens(1000, output=10), FLAT, speed="fast_2x").nano_usd == 2 * plain
    assert price_call(Tokens(1000, output=10), FLAT, speed="fast").nano_usd == 6 * plain
    partial = price_call(Tokens(1000, output=10), FLAT, is_partial=True)
    assert (partial.nano_usd, partial.code) == (plain, "partial-msg")


@pytest.mark.parametrize(("nano_usd", "cents"), [(1_500, 0.0002), (1_499, 0.0001), (-1_500, -0.0001), (None, None)])
def test_cents_are_rounded_as_javascript_rounds(nano_usd, cents):
    assert as_cents(nano_usd) == cents


counts = st.none() | st.integers(0, 10**7)
prices = st.decimals("0.001", 200, places=3).map(float)


@given(st.builds(Tokens, counts, counts, counts, counts, counts), prices, prices, prices, prices)
def test_the_parts_are_the_whole(tokens, new, out, read, write):
    pricing = {"chat": {"input": new, "output": out, "cache": {"cType": "ant-bp", "read": read, "write": write}}}
    cost = price_call(tokens, pricing)
    if not tokens.total:
        assert cost.code == "no-tokens"
        return
    assert sum(part.tokens for part in cost.parts) == tokens.total
    exact = sum((Decimal(str(part.price)) * part.tokens for part in cost.parts), Decimal(0)) * 1000
    assert cost.nano_usd is not None and abs(exact - cost.nano_usd) <= Decimal("0.5")
