"""The disjoint tokens of a provider's usage sum up to what it said, whichever way it counts."""

from hypothesis import given
from hypothesis import strategies as st

from llms.calls.chunks import events_of, usage_of
from llms.calls.events import Citations, Finish, Reasoning, Text, ToolCall, Usage
from llms.pricing.tokens import Tokens

counts = st.integers(0, 10**7)


@given(counts, counts, counts, counts, counts)
def test_cached_tokens_inside_the_prompt_and_reasoning_inside_the_completion(new, read, write, out, reasoning):
    usage = {
        "prompt_tokens": new + read + write,
        "completion_tokens": out + reasoning,
        "total_tokens": new + read + write + out + reasoning,
        "prompt_tokens_details": {"cached_tokens": read, "cache_write_tokens": write},
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    }
    tokens = usage_of(usage).tokens
    assert tokens == Tokens(new, read, write, out, reasoning)
    assert tokens.total == usage["total_tokens"]


@given(counts, counts, counts)
def test_xai_counts_reasoning_beside_the_completion(prompt, out, reasoning):
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": out,
        "total_tokens": prompt + out + reasoning,
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    }
    tokens = usage_of(usage).tokens
    assert tokens.total == usage["total_tokens"]
    assert tokens.total_output == out + reasoning


@given(counts, counts, counts)
def test_gemini_tells_its_reasoning_in_the_total_alone(prompt, out, thought):
    usage = {"prompt_tokens": prompt, "completion_tokens": out, "total_tokens": prompt + out + thought}
    tokens = usage_of(usage).tokens
    assert tokens.total == usage["total_tokens"]
    assert (tokens.output, tokens.reasoning or 0) == (out, thought)


@given(counts, counts, counts)
def test_deepseek_names_hits_and_misses(hit, miss, out):
    usage = {
        "prompt_tokens": hit + miss,
        "completion_tokens": out,
        "total_tokens": hit + miss + out,
        "prompt_cache_hit_tokens": hit,
        "prompt_cache_miss_tokens": miss,
    }
    assert usage_of(usage).tokens == Tokens(miss, hit, None, out, None)


@given(counts, counts, counts, counts)
def test_cached_tokens_outside_the_prompt_are_added(new, read, write, out):
    details = {"cached_tokens": read, "cache_creation_tokens": write}
    usage = {"prompt_tokens": new, "completion_tokens": out, "prompt_tokens_details": details}
    assert usage_of(usage, cache_inside_input=False).tokens == Tokens(new, read, write, out, None)


anything = st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.text(max_size=3), st.lists(st.integers()))
details = st.one_of(anything, st.dictionaries(st.sampled_from(["cached_tokens", "reasoning_tokens"]), anything))


@given(
    st.dictionaries(
        st.sampled_from(["prompt_tokens", "completion_tokens", "total_tokens", "cost", "prompt_cache_hit_tokens"]),
        anything,
    ),
    details,
    details,
)
def test_any_usage_gives_counts_that_are_not_negative_and_a_prompt_that_is_kept(usage, inside, outside):
    found = usage_of(usage | {"prompt_tokens_details": inside, "completion_tokens_details": outside})
    tokens = found.tokens
    parts = (tokens.input, tokens.cache_read, tokens.cache_write, tokens.output, tokens.reasoning)
    assert all(part is None or part >= 0 for part in parts)
    prompt = usage.get("prompt_tokens")
    if isinstance(prompt, int) and not isinstance(prompt, bool) and 0 <= prompt < 2**53:
        assert tokens.total_input == prompt


def test_openrouter_tells_the_cost():
    assert usage_of({"cost": 0.0001234}).reported_nano_usd == 123_400
    for bad in (-1, True, "1", float("nan"), float("inf"), 10**9):
        assert usage_of({"cost": bad}).reported_nano_usd is None


def test_a_chunk_tells_all_it_has():
    delta = {
        "reasoning": "hm",
        "content": [{"type": "text", "text": "a"}, {"text": "b"}],
        "tool_calls": [{"id": "t", "function": {"name": "f", "arguments": "{"}}],
    }
    chunk = {
        "choices": [{"delta": delta, "finish_reason": "stop"}],
        "citations": ["https://a.example", 5],
        "usage": {"prompt_tokens": 1},
    }
    assert [type(event) for event in events_of(chunk)] == [Citations, Reasoning, Text, ToolCall, Finish, Usage]
    assert list(events_of({"choices": [{"delta": {"content": None}}]})) == []
    assert list(events_of({"choices": []})) == []


@given(
    st.recursive(
        anything, lambda inner: st.dictionaries(st.sampled_from(["choices", "delta", "content", "usage"]), inner)
    )
)
def test_no_chunk_is_too_odd(chunk):
    list(events_of(chunk))
