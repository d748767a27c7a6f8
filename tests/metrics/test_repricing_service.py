"""Three views of what calls cost, each equal to pricing every call alone; nothing in the ledger is altered."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from llms.callable_model import CallableModel, UnknownModel
from llms.catalog import find_model, price_facts
from llms.pricing.formula import price_call
from llms.pricing.price import price_by_book, price_model_call
from llms.pricing.tokens import Tokens
from metrics import repricing
from metrics.ledger.corrections import correct
from metrics.models import UsageEvent
from metrics.repricing import Repriced, reprice, suppose_price
from tests.api import make_model
from tests.metrics.events import make_event
from tests.metrics.histories import ledger_rows
from tests.nightly import settings_for
from tests.stores.imports import undone

pytestmark = pytest.mark.django_db


def at(*day: int) -> int:
    return int(datetime(*day, tzinfo=UTC).timestamp() * 1000)


NOW = at(2026, 6, 1, 12)
FLAT = {"chat": {"input": 2.5, "output": 10, "cache": {"cType": "oai-ac", "read": 1.25}}}
TIERED = {"chat": {"input": [{"upTo": 200, "price": 1}, {"upTo": None, "price": 2}], "output": 8}}
FINE = {"chat": {"input": 0.0123456, "output": 0.0000007}}
FREE = {"chat": {"input": "free", "output": "free"}}
PRICES = [None, FLAT, TIERED, FINE, FREE, {"chat": {"input": 0, "output": 1}}]


def reprice_one(**conditions: Any) -> Repriced:
    [found] = reprice(now=NOW, **conditions)
    return found


def test_the_day_of_the_call_and_today_have_their_own_prices() -> None:
    facts = {"model": "openai-o3", "input_tokens": 1_000_000, "output_tokens": 0, "cost_nano_usd": 5}
    make_event(at=at(2025, 6, 9), **facts)
    make_event(at=at(2025, 6, 11), **facts)
    make_model("openai-o3", initialParameters={"llmRef": "o3"}, userPricing={"chat": {"input": 1, "output": 1}})
    found = reprice_one()

    assert found.recorded.cost_nano_usd == 10
    assert found.listed.cost_nano_usd == 10 * 10**9 + 2 * 10**9
    assert (found.today.cost_nano_usd, found.price_source) == (2 * 10**9, "user")
    assert (found.service, found.model, found.calls, found.input_tokens) == ("openai", "openai-o3", 2, 2_000_000)
    assert found.set_price == "/api/llms/openai-o3"


def test_without_a_price_it_says_where_to_set_one_and_what_it_would_make() -> None:
    make_model("ollama-my/llama", sId="ollama", vId="ollama")
    facts = {"service": "ollama", "vendor": "ollama", "model": "ollama-my/llama", "cost_nano_usd": None}
    make_event(cost_code="no-pricing", **facts)
    make_event(cost_code="no-pricing", **facts | {"input_tokens": 200, "output_tokens": 40})
    found = reprice_one()

    assert (found.recorded.unpriced, found.listed.unpriced, found.today.unpriced, found.calls) == (2, 2, 2, 2)
    assert (found.today.cost_nano_usd, found.price_source) == (0, "")
    assert found.set_price.startswith("/api/llms/~")

    result = suppose_price("ollama-my/llama", {"input": 1, "output": 2})
    assert (result.calls, result.recorded.unpriced) == (2, 2)
    assert (result.supposed.cost_nano_usd, result.supposed.unpriced) == (300 * 1000 + 60 * 2000, 0)
    assert suppose_price("another", {"input": 1, "output": 2}).calls == 0
    assert suppose_price("ollama-my/llama", {"input": 1}).supposed.unpriced == 2


def test_a_model_that_is_gone_is_priced_by_the_book_and_has_no_place_for_a_price() -> None:
    make_event(model="openai-gpt-4o-mini", at=at(2026, 1, 1), input_tokens=1_000_000, output_tokens=1_000_000)
    found = reprice_one()

    assert found.listed.cost_nano_usd == found.today.cost_nano_usd == 750_000_000
    assert found.price_source.startswith("book genai-prices") and found.set_price == ""


def test_free_calls_are_not_unpriced() -> None:
    facts = {"service": "bigagi-demo", "vendor": "bigagi", "model": "bigagi-demo-echo"}
    make_event(cost_nano_usd=None, cost_code="free", **facts)
    found = reprice_one()

    assert [found.recorded.unpriced, found.listed.unpriced, found.today.unpriced] == [0, 0, 0]
    assert found.set_price == ""


def test_calls_that_were_taken_back_are_taken_off() -> None:
    make_model("openai-gpt-4o", pricing=TIERED)
    make_event()
    correct(make_event(input_tokens=1000))
    found = reprice_one()

    assert (found.calls, found.input_tokens, found.output_tokens) == (1, 100, 20)
    assert found.today.cost_nano_usd == 100 * 1000 + 20 * 8000
    assert found.recorded.cost_nano_usd == 450_000


def test_test_calls_count_nowhere_and_times_are_kept() -> None:
    for day in (1, 2, 3, 40):
        make_event(at=at(2026, 1, 1) + day * 86_400_000)
    make_event(source="test")
    calls = [
        sum(one.calls for one in reprice(*times, now=NOW))
        for times in ((), (at(2026, 1, 3),), (at(2026, 1, 3), at(2026, 1, 4)), (None, at(2026, 1, 3)))
    ]

    assert calls == [4, 3, 1, 1]
    assert reprice(service="other", now=NOW) == []


models = st.sampled_from(
    ["openai-gpt-4o-mini", "openai-o3", "googleai-models/gemini-2.5-pro", "deepseek-deepseek-chat"]
)
models |= st.sampled_from(["perplexity-sonar-pro", "openai-unknown", "ollama-llama"])
tokens = st.one_of(st.none(), st.integers(0, 300), st.sampled_from([200, 201, 200_000, 200_001, 10**6 + 1]))
calls = st.builds(
    dict,
    model=models,
    at=st.one_of(
        st.sampled_from([at(2025, 6, 9, 23, 59), at(2025, 6, 10), at(2025, 3, 1, 17), at(2025, 3, 1, 3)]),
        st.integers(at(2025, 1, 1), at(2026, 5, 1)),
    ),
    input_tokens=tokens,
    cache_read_tokens=tokens,
    cache_write_tokens=st.one_of(st.none(), st.integers(0, 9)),
    output_tokens=tokens,
    reasoning_tokens=st.one_of(st.none(), st.integers(0, 9)),
    cost_nano_usd=st.one_of(st.none(), st.integers(0, 10**9)),
    cost_code=st.sampled_from(["", "free", "no-pricing"]),
)
COUNTS = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")


def price_alone(event: UsageEvent) -> dict[str, tuple[int, int]]:
    """Return cost and unpriced calls of an event in each view, by the program's formula for one call."""
    counts = Tokens(*(None if (count := getattr(event, name)) is None else abs(count) for name in COUNTS))
    try:
        facts = price_facts(event.model)
    except UnknownModel:
        try:
            facts = find_model(event.model)
        except UnknownModel:
            ref = event.model.removeprefix(f"{event.service}-")
            facts = CallableModel(event.model, ref, ref, event.service, event.vendor)
    listed = (
        price_by_book(facts.vendor_id, facts.ref, counts, event.at).cost if counts.total else price_call(counts, None)
    )
    today = price_model_call(facts, counts, NOW).cost
    was_free = event.cost_nano_usd is None and event.cost_code == "free"
    return {
        "recorded": (event.cost_nano_usd or 0, event.calls * (event.cost_nano_usd is None and not was_free)),
        "listed": ((listed.nano_usd or 0) * event.calls, event.calls * (listed.nano_usd is None and not was_free)),
        "today": ((today.nano_usd or 0) * event.calls, event.calls * (today.nano_usd is None and today.code != "free")),
    }


@settings_for(seconds=0.3)
@given(
    made=st.lists(calls, min_size=1, max_size=12),
    taken_back=st.sets(st.integers(0, 11)),
    prices=st.lists(st.sampled_from(PRICES), min_size=3, max_size=3),
    rows=st.integers(1, 4),
)
@example(
    made=[
        {"model": "openai-o3", "at": at(2025, 1, 1), "input_tokens": count, "output_tokens": 1, "cost_nano_usd": 1}
        for count in (200, 201, 3)
    ],
    taken_back={1},
    prices=[TIERED, TIERED, FINE],
    rows=1,
)
def test_each_view_equals_pricing_every_call_alone(made: Any, taken_back: Any, prices: Any, rows: int) -> None:
    with undone(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(repricing, "ROWS_A_FETCH", rows)
        for uid, pricing in zip(("openai-o3", "openai-unknown", "ollama-llama"), prices, strict=True):
            service = uid.partition("-")[0]
            members = {} if pricing is None else {"userPricing": pricing}
            make_model(uid, sId=service, vId=service, initialParameters={"llmRef": uid.partition("-")[2]}, **members)
        events = [
            make_event(service=one["model"].partition("-")[0], vendor=one["model"].partition("-")[0], **one)
            for one in made
        ]
        events += [correct(events[index]) for index in taken_back if index < len(events)]
        before = ledger_rows()
        found = {one.model: one for one in reprice(now=NOW)}

        assert ledger_rows() == before
        for model in {event.model for event in events}:
            alone = [price_alone(event) for event in events if event.model == model]
            for view in ("recorded", "listed", "today"):
                cost, unpriced = (sum(one[view][part] for one in alone) for part in (0, 1))
                assert vars(getattr(found[model], view)) == {"cost_nano_usd": cost, "unpriced": unpriced}, (model, view)
            for pricing in PRICES[1:]:
                assert pricing is not None
                supposed = suppose_price(model, pricing["chat"]).supposed
                each = [
                    (event.calls, price_call(tokens_of(event), pricing)) for event in events if event.model == model
                ]
                assert supposed.cost_nano_usd == sum(calls * (cost.nano_usd or 0) for calls, cost in each)
                is_unpriced = [calls for calls, cost in each if cost.nano_usd is None and cost.code != "free"]
                assert supposed.unpriced == sum(is_unpriced)


def tokens_of(event: UsageEvent) -> Tokens:
    return Tokens(*(None if (count := getattr(event, name)) is None else abs(count) for name in COUNTS))


def test_calls_of_flat_prices_are_priced_by_the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    priced = []
    monkeypatch.setattr(
        repricing, "price_model_call", lambda *args, **kwargs: priced.append(1) or price_model_call(*args, **kwargs)
    )
    make_model("openai-gpt-4o", pricing=FLAT)
    for index in range(50):
        make_event(input_tokens=index + 1)
    found = reprice_one()

    assert found.today.cost_nano_usd == sum(range(1, 51)) * 2500 + 50 * 20 * 10_000
    assert len(priced) <= 2
