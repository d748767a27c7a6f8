"""The disjoint tokens of a provider's usage sum up to what it said, whichever way it counts; and odd chunks."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llms.calls.chunks import ChunkReader
from llms.calls.events import Citations, Extra, Finish, Reasoning, Text, ToolCall, Usage
from llms.calls.usage import fill_tokens
from llms.pricing.tokens import Tokens
from llms.vendors.table import VENDORS
from llms.vendors.usage import ADAPTERS, UsageReading, adapter_of

counts = st.integers(0, 10**7)


def read(usage: dict[str, Any], vendor: str = "openai") -> UsageReading:
    return adapter_of(vendor).read(usage)


@given(counts, counts, counts, counts, counts)
def test_cached_tokens_inside_the_prompt_and_reasoning_inside_the_completion(new, cached, written, out, reasoning):
    usage = {
        "prompt_tokens": new + cached + written,
        "completion_tokens": out + reasoning,
        "total_tokens": new + cached + written + out + reasoning,
        "prompt_tokens_details": {"cached_tokens": cached, "cache_write_tokens": written},
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    }
    tokens = read(usage).tokens
    assert tokens == Tokens(new, cached, written, out, reasoning)
    assert tokens.total == usage["total_tokens"]


@given(counts, counts, counts, st.sampled_from(["xai", "openai"]))
def test_xai_counts_reasoning_beside_the_completion(prompt, out, reasoning, vendor):
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": out,
        "total_tokens": prompt + out + reasoning,
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    }
    tokens = read(usage, vendor).tokens
    assert tokens.total == usage["total_tokens"]
    assert tokens.total_output == out + reasoning


@given(counts, counts, counts)
def test_gemini_tells_its_reasoning_in_the_total_alone(prompt, out, thought):
    usage = {"prompt_tokens": prompt, "completion_tokens": out, "total_tokens": prompt + out + thought}
    tokens = read(usage, "googleai").tokens
    assert tokens.total == usage["total_tokens"]
    assert (tokens.output, tokens.reasoning or 0) == (out, thought)
    # Perplexity's total has the tokens of its sources.
    assert read(usage, "perplexity").tokens == Tokens(prompt, None, None, out, None)


@given(counts, counts, counts)
def test_deepseek_names_hits_and_misses(hit, miss, out):
    usage = {
        "prompt_tokens": hit + miss,
        "completion_tokens": out,
        "total_tokens": hit + miss + out,
        "prompt_cache_hit_tokens": hit,
        "prompt_cache_miss_tokens": miss,
    }
    assert read(usage, "deepseek").tokens == Tokens(miss, hit, None, out, None)


@given(counts, counts, counts, counts)
def test_cached_tokens_beside_anthropics_input_are_added(new, cached, written, out):
    usage = {"input_tokens": new, "output_tokens": out}
    usage |= {"cache_read_input_tokens": cached, "cache_creation_input_tokens": written}
    assert read(usage).tokens == Tokens(new, cached, written, out, None)


anything = st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.text(max_size=3), st.lists(st.integers()))
details = st.one_of(anything, st.dictionaries(st.sampled_from(["cached_tokens", "reasoning_tokens"]), anything))


@given(
    st.dictionaries(
        st.sampled_from(["prompt_tokens", "completion_tokens", "total_tokens", "cost", "prompt_cache_hit_tokens"]),
        anything,
    ),
    details,
    details,
    st.sampled_from(sorted(VENDORS)),
)
def test_any_usage_gives_counts_that_are_not_negative_and_a_prompt_that_is_kept(usage, inside, outside, vendor):
    found = read(usage | {"prompt_tokens_details": inside, "completion_tokens_details": outside}, vendor)
    tokens = found.tokens
    parts = (tokens.input, tokens.cache_read, tokens.cache_write, tokens.output, tokens.reasoning)
    assert all(part is None or part >= 0 for part in parts)
    prompt = usage.get("prompt_tokens")
    if isinstance(prompt, int) and not isinstance(prompt, bool) and 0 <= prompt < 2**53:
        assert tokens.total_input == prompt


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        ({"cost": 0.0001234}, 123_400),
        ({"cost": 0.00002, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.0004}}, 420_000),
        ({"cost": 0.0004, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.0004}}, 400_000),
        ({"cost": {"input_tokens_cost": 0.001, "request_cost": 0.005}}, 6_000_000),
        ({"cost": {"input_tokens_cost": 0.001, "total_cost": 0.007}}, 7_000_000),
        ({"cost_in_usd_ticks": 12_340_000}, 1_234_000),
        *(({"cost": bad}, None) for bad in (-1, True, "1", float("nan"), float("inf"), 10**9, {}, {"total_cost": "1"})),
    ],
)
def test_the_reported_cost_is_read_in_every_shape(usage, cost):
    assert read(usage).reported_nano_usd == cost


def test_each_vendor_has_an_adapter_that_names_its_paper():
    assert set(ADAPTERS) == set(VENDORS)
    assert all(type(adapter).__doc__ and '"' in str(type(adapter).__doc__) for adapter in ADAPTERS.values())


@pytest.mark.parametrize(
    ("told", "filled", "is_estimated"),
    [
        (Tokens(9, None, None, 3, None), Tokens(9, None, None, 3, None), False),
        (Tokens(0, 0, None, 0, None), Tokens(70, None, None, 20, 5), True),
        (Tokens(9, 2, None, None, None), Tokens(9, 2, None, 20, 5), True),
        (Tokens(None, None, None, 3, 4), Tokens(70, None, None, 3, 4), True),
        (Tokens(), Tokens(70, None, None, 20, 5), True),
    ],
)
def test_counts_that_cannot_be_are_estimated(told, filled, is_estimated):
    assert fill_tokens(told, prompt=70, output=20, reasoning=5) == (filled, is_estimated)


def test_a_call_that_said_nothing_has_no_output():
    assert fill_tokens(Tokens(9), prompt=70, output=0, reasoning=0) == (Tokens(9), False)


def test_a_chunk_tells_all_it_has():
    delta = {
        "reasoning": "hm",
        "content": [{"type": "text", "text": "a"}, {"text": "b"}],
        "tool_calls": [{"id": "t", "function": {"name": "f", "arguments": "{"}}],
        "mood": "good",
    }
    chunk = {
        "choices": [{"delta": delta, "finish_reason": "stop"}],
        "citations": ["https://a.example", 5],
        "usage": {"prompt_tokens": 1},
        "weather": "fair",
    }
    kinds = [Citations, Reasoning, Text, Text, ToolCall, Extra, Finish, Usage, Extra]
    assert [type(event) for event in ChunkReader().read(chunk)] == kinds
    assert list(ChunkReader().read({"choices": [{"delta": {"content": None}}]})) == []
    assert list(ChunkReader().read({"choices": []})) == []


names = ["choices", "delta", "message", "content", "usage", "tool_calls", "function", "reasoning", "reasoning_details"]
more_names = ["annotations", "citations", "images", "image_url", "audio", "text", "thinking", "url", "type", "cost"]


@given(
    st.recursive(
        anything,
        lambda inner: (
            st.dictionaries(st.sampled_from(names + more_names), inner, max_size=4) | st.lists(inner, max_size=2)
        ),
    )
)
def test_no_chunk_is_too_odd(chunk):
    reader = ChunkReader()
    list(reader.read({"choices": [{"delta": chunk, "message": chunk}]}))
    list(reader.read(chunk if not isinstance(chunk, dict) else chunk | {"error": None, "detail": None, "msg": None}))
