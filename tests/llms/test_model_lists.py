"""The lists of models that providers give, from `model_lists/*.json`: what is offered of them, and what is left out.

A file names its `vendor` and `source`, the `answer`, the models that are offered (`chats`), the others each with a word
of the reason (`leftOut`), and where it tells them `context` sizes, `prices`, or the `words` of a refusal."""

import json
from pathlib import Path
from typing import Any

import pytest

from llms.calls.events import CallFailed
from llms.calls.models import read_models
from llms.offered import LONGEST_ID, as_model
from llms.pricing.formula import price_call
from llms.pricing.tokens import Tokens
from llms.services.refresh import merge_models
from llms.vendors.endpoint import Endpoint
from llms.vendors.table import VENDORS
from stores.records.journal.recorder import Origin

LISTS = Path(__file__).parent / "model_lists"
FILES = sorted(path.stem for path in LISTS.glob("*.json"))


def load(name: str) -> dict[str, Any]:
    held: dict[str, Any] = json.loads((LISTS / f"{name}.json").read_text(encoding="utf-8"))
    return held


@pytest.mark.django_db
@pytest.mark.parametrize("name", FILES)
def test_what_can_chat_is_offered_and_the_rest_is_left_out_with_a_reason(name: str):
    told = load(name)
    endpoint = Endpoint(VENDORS[told["vendor"]], "https://provider.example/v1", "sk-provider0123456789")
    if words := told.get("words"):
        with pytest.raises(CallFailed, match=words):
            merge_models(Origin("api"), "none", read_models(told["answer"], endpoint))
        return
    models = {
        model["initialParameters"]["llmRef"]: model
        for listed in read_models(told["answer"], endpoint)
        if (model := as_model("service", told["vendor"], listed, 0))
    }
    assert [ref for ref, model in models.items() if not model["hidden"]] == told["chats"]
    left_out = {ref: model["hiddenReason"] for ref, model in models.items() if model["hidden"]}
    assert set(left_out) == set(told["leftOut"])
    assert all(told["leftOut"][ref] in reason for ref, reason in left_out.items()), left_out
    assert all(len(model["id"]) <= LONGEST_ID for model in models.values())
    assert {ref: models[ref]["contextTokens"] for ref in told.get("context", {})} == told.get("context", {})
    prices = {ref: models[ref].get("pricing", {}).get("chat") for ref in told.get("prices", {})}
    assert prices == told.get("prices", {})


def test_each_vendor_has_a_list():
    # Perplexity documents its models, and lists none.
    assert {load(name)["vendor"] for name in FILES} | {"perplexity"} == set(VENDORS)
    assert all(load(name)["source"] for name in FILES)


@pytest.mark.parametrize(
    ("chat", "tokens", "cost", "code"),
    [
        ({"input": 0, "output": 0, "request": 0.005}, Tokens(10, None, None, 10, None), 5_000_000, ""),
        ({"input": "free", "output": "free", "request": 0.005}, Tokens(10, None, None, 10, None), 5_000_000, ""),
        ({"input": 1, "output": 2, "request": 0.005}, Tokens(10, None, None, 10, None), 5_030_000, ""),
        ({"input": "free", "output": "free", "request": 0}, Tokens(10, None, None, 10, None), None, "free"),
        ({"input": 1, "output": 2, "request": -1}, Tokens(10, None, None, 10, None), 30_000, ""),
        ({"input": 1, "output": 2, "request": 0.005}, Tokens(), None, "no-tokens"),
    ],
)
def test_a_fee_for_a_request_is_a_part_of_the_cost(chat, tokens, cost, code):
    priced = price_call(tokens, {"chat": chat})
    assert (priced.nano_usd, priced.code) == (cost, code)
    if cost:
        assert sum(part.nano_usd for part in priced.parts) == cost
