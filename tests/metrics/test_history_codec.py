"""The call that a message's metrics tell of: exact, and unknown where the metrics are damaged; it never fails."""

from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from metrics.history.codec import MessageCall, call_of_message, nano_of_cents, service_in_model_id
from stores.records.codecs import is_storable
from tests.codecs import read
from tests.strategies import anything, numbers, objects, texts, times

METRICS = ("TIn", "TCacheRead", "TCacheWrite", "TOut", "TOutR", "dtStart", "dtAll", "$c", "$cReported", "$cdCache")
odd_numbers = st.one_of(numbers, st.booleans(), st.sampled_from(["NaN", "Infinity", "1e400", "-5", "0x10"]))
metrics = objects(
    dict.fromkeys(METRICS, odd_numbers)
    | {"TsR": st.sampled_from(["aborted", "pending"]), "$code": st.sampled_from(["free", "partial-msg", "no-tokens"])}
)
generators = objects(
    {
        "mgt": st.just("aix"),
        "aix": objects({"vId": texts, "mId": texts}),
        "tokenStopReason": st.sampled_from(["client-abort", "filter", "issue", "out-of-tokens"]),
    },
    {"metrics": st.one_of(metrics, anything)},
)
messages = objects({"id": texts, "created": st.one_of(times, numbers), "updated": st.one_of(times, numbers)})


def make(metrics=None, *, created=1_700_000_000_000, reason=None, aix=None, **members):
    generator = {"mgt": "aix", "aix": aix or {"vId": "openai", "mId": "openai-gpt-4o"}}
    generator |= {"metrics": {"TIn": 5, "TOut": 7} if metrics is None else metrics}
    generator |= {} if reason is None else {"tokenStopReason": reason}
    return {"id": "m", "created": created, "generator": generator} | members


@given(messages, st.one_of(generators, anything), st.lists(st.one_of(times, anything), max_size=2))
@example({}, {"metrics": {"$c": float("inf"), "TIn": -0.5, "dtAll": float("-inf")}}, [float("inf")])
@example({"created": 10**400}, {"metrics": {"$c": -(10**400), "TOut": True}}, [True])
@example({"created": "1700000000000"}, {"metrics": {"$code": "\ud800" * 30}, "aix": {"mId": "\x00" * 300}}, [])
def test_it_never_fails_and_gives_only_what_databases_hold(message, generator, chat_times):
    call = call_of_message(read(message) | {"generator": read(generator)}, tuple(read(chat_times)))

    if call is None:
        return
    assert type(call.at) is int and 0 <= call.at < 10**14
    for text, longest in ((call.vendor, 100), (call.model, 200), (call.message, 200), (call.cost_code, 20)):
        assert len(text) <= longest and is_storable(text)
    counts = vars(call.tokens).values()
    money = call.cost_nano_usd, call.cost_reported_nano_usd
    for value in (*counts, *money, call.ms_to_first_token, call.ms_total):
        assert value is None or (type(value) is int and 0 <= value < 10**16)
    assert call.outcome in ("done", "stopped", "out-of-tokens", "filter", "issue")


@given(st.integers(0, 10**10 - 1))
def test_cents_of_four_places_become_nano_dollars_exactly(ten_thousandths):
    cents = ten_thousandths / 10_000

    assert nano_of_cents(cents) == ten_thousandths * 1000


@given(st.floats(0, 10**6, exclude_max=True))
def test_other_cents_are_rounded_to_the_nearest_nano_dollar(cents):
    # By the digits that JSON has, not by the double behind them.
    exact = Fraction(repr(cents)) * 10_000_000

    assert abs(nano_of_cents(cents) - exact) <= Fraction(1, 2)


@pytest.mark.parametrize("cents", [None, True, "0.5", -0.0001, float("nan"), float("inf"), 10**400, [], 10**6])
def test_what_is_no_cost_is_unknown(cents):
    assert nano_of_cents(cents) is None


def test_half_a_nano_dollar_goes_up():
    assert [nano_of_cents(cents) for cents in (0.00000025, 0.00000035, 0.00000005, 0.00000004)] == [3, 4, 1, 0]


@pytest.mark.parametrize("message", [None, 5, {}, make({}), make([]), {"generator": []}, {"generator": {"metrics": 1}}])
def test_a_message_without_metrics_tells_of_no_call(message):
    assert call_of_message(message) is None


@pytest.mark.parametrize(
    ("message", "chat", "at"),
    [
        (make(created=5), (), 5),
        (make(created=5.9), (), 5),
        (make(created=None, updated=7), (1,), 7),
        (make(created=-3, updated=True), (None, 9), 9),
        (make(created=10**14, updated="8"), (11, 12), 11),
        (make(created=0), (), 0),
        (make(created=None), (-1, None), 0),
    ],
)
def test_it_is_dated_by_the_first_time_that_can_be_used(message, chat, at):
    assert call_of_message(message, chat).at == at


@pytest.mark.parametrize(
    ("reason", "state", "outcome"),
    [
        (None, None, "done"),
        (None, "aborted", "stopped"),
        (None, "pending", "stopped"),
        ("client-abort", None, "stopped"),
        ("out-of-tokens", None, "out-of-tokens"),
        ("filter", None, "filter"),
        ("issue", "aborted", "issue"),
        ("a new word", None, "done"),
        (["issue"], 5, "done"),
    ],
)
def test_how_it_ended_is_told_in_our_words(reason, state, outcome):
    assert call_of_message(make({"TIn": 1, "TsR": state}, reason=reason)).outcome == outcome


def test_all_facts_are_taken():
    facts = {"TIn": 580, "TCacheRead": 30, "TCacheWrite": 12, "TOut": 63, "TOutR": 18, "dtAll": 38.4, "dtStart": 8}
    facts |= {"$c": 0.4565, "$cReported": 0.5, "$code": "partial-msg", "unknown": [None]}
    call = call_of_message(make(facts, aix={"vId": "anthropic", "mId": "anthropic-claude"}))

    assert isinstance(call, MessageCall)
    assert vars(call.tokens) == {"input": 580, "cache_read": 30, "cache_write": 12, "output": 45, "reasoning": 18}
    assert (call.cost_nano_usd, call.cost_reported_nano_usd, call.cost_code) == (4_565_000, 5_000_000, "partial-msg")
    assert (call.ms_to_first_token, call.ms_total) == (8, 38)
    assert (call.vendor, call.model, call.message) == ("anthropic", "anthropic-claude", "m")
    assert call.raw_usage == facts


def test_a_free_call_has_no_cost_and_says_why():
    call = call_of_message(make({"TIn": 5, "TOut": 1, "$code": "free"}))

    assert (call.cost_nano_usd, call.cost_code) == (None, "free")


def test_copies_are_one_call_and_others_are_not():
    one = make({"TIn": 5, "$c": 1})
    same = read(make({"$c": 1.0, "TIn": 5}, updated=9) | {"id": "another", "fragments": []})
    others = [
        make({"TIn": 5, "$c": 2}),
        make({"TIn": 5, "$c": 1}, created=1),
        make({"TIn": 5, "$c": 1}, aix={"vId": "openai", "mId": "openai-1-gpt-4o"}),
    ]
    found = [call_of_message(message) for message in (one, None, same, {}, *others)]
    digests = [call.call for call in found if call]

    assert digests[0] == digests[1] and len(set(digests)) == 4


@pytest.mark.parametrize(
    ("model", "vendor", "services", "service"),
    [
        ("openai-gpt-4o", "openai", ["openai", "anthropic"], "openai"),
        ("openai-1-gpt-4o", "openai", ["openai", "openai-1"], "openai-1"),
        ("openai-1-gpt-4o", "openai", ["openai"], "openai"),
        ("openai-12", "openai", ["openai-1"], "openai"),
        ("my-own-llama", "localai", ["my", "my-own"], "my-own"),
        # None of them is here: big-AGI's own names.
        ("openai-gpt-4o", "openai", [], "openai"),
        ("openai-2-gpt-4o", "openai", [], "openai-2"),
        ("togetherai-01-ai/Yi", "togetherai", [], "togetherai"),
        ("openai-4", "openai", [], "openai"),
        ("gpt-4o", "openai", [], ""),
        ("openai-gpt-4o", "", [], ""),
        ("", "", ["openai"], ""),
        ("openai", "openai", ["openai"], ""),
    ],
)
def test_a_models_id_names_its_service(model, vendor, services, service):
    assert service_in_model_id(model, vendor, services) == service
