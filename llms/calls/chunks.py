"""The chunks of OpenAI's chat completions, and of those who follow it, as events. Pure.

A field of another type than documented is passed over: providers differ, and text that came is worth more than order.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from llms.calls.events import CallFailed, Citations, Event, Finish, Reasoning, Text, ToolCall, Usage
from llms.calls.failures import describe_error
from llms.pricing.tokens import Tokens

REASONING = ("reasoning_content", "reasoning")
"""Fields that vendors use for reasoning: DeepSeek and others, OpenRouter and Groq."""


def events_of(chunk: Any, *, cache_inside_input: bool = True) -> Iterator[Event]:
    """Yield the events of a chunk. Raises `CallFailed` for an error sent as a chunk."""
    if not isinstance(chunk, dict):
        return
    if error := chunk.get("error"):
        code = error.get("code") if isinstance(error, dict) else None
        # OpenRouter and others tell the status as the code.
        raise describe_error(code if isinstance(code, int) and 400 <= code < 600 else 0, error)
    if isinstance(citations := chunk.get("citations"), list) and citations:
        yield Citations([url for url in citations if isinstance(url, str)])
    choices = chunk.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    yield from _delta_events(choice.get("delta") or choice.get("message"))
    if isinstance(reason := choice.get("finish_reason"), str) and reason:
        yield Finish(reason)
    if isinstance(usage := chunk.get("usage"), dict):
        yield usage_of(usage, cache_inside_input=cache_inside_input)


def _delta_events(delta: Any) -> Iterator[Event]:
    if not isinstance(delta, dict):
        return
    for name in REASONING:
        if isinstance(thought := delta.get(name), str) and thought:
            yield Reasoning(thought)
            break
    content = delta.get("content")
    if isinstance(content, list):
        # Mistral and others give the parts of a message.
        content = "".join(part.get("text") or "" for part in content if isinstance(part, dict))
    if isinstance(content, str) and content:
        yield Text(content)
    if isinstance(refusal := delta.get("refusal"), str) and refusal:
        yield Text(refusal)
    calls = delta.get("tool_calls")
    for at, call in enumerate(calls if isinstance(calls, list) else ()):
        if isinstance(call, dict):
            function = call.get("function")
            function = function if isinstance(function, dict) else {}
            index = call.get("index")
            id_, name, arguments = (
                value if isinstance(value, str) else ""
                for value in (call.get("id"), function.get("name"), function.get("arguments"))
            )
            yield ToolCall(index if isinstance(index, int) else at, id_, name, arguments)


def usage_of(usage: dict[str, Any], *, cache_inside_input: bool = True) -> Usage:
    """Return the disjoint tokens of a provider's usage. `cache_inside_input`: its `prompt_tokens` count cached ones."""
    prompt = _count(usage.get("prompt_tokens"))
    completion = _count(usage.get("completion_tokens"))
    inside = _member(usage, "prompt_tokens_details")
    read = _count(inside.get("cached_tokens"))
    if read is None:
        read = _count(usage.get("prompt_cache_hit_tokens"))  # DeepSeek
    write = _count(inside.get("cache_creation_tokens"))
    if write is None:
        write = _count(inside.get("cache_write_tokens"))
    reasoning = _count(_member(usage, "completion_tokens_details").get("reasoning_tokens"))
    new = prompt
    if prompt is not None and cache_inside_input:
        read = None if read is None else min(read, prompt)
        write = None if write is None else min(write, prompt - (read or 0))
        new = prompt - (read or 0) - (write or 0)
    output = completion
    total = _count(usage.get("total_tokens"))
    if completion is not None and reasoning is not None:
        if reasoning > completion or (prompt is not None and total == prompt + completion + reasoning):
            # xAI does not include reasoning in the completion tokens.
            output = completion
        else:
            output = completion - reasoning
    elif completion is not None and prompt is not None and total is not None and cache_inside_input:
        # Gemini includes reasoning only in the total.
        reasoning = total - prompt - completion if total > prompt + completion else None
    return Usage(Tokens(new, read, write, output, reasoning), usage, _reported(usage))


def _reported(usage: dict[str, Any]) -> int | None:
    """Return the cost reported by the provider, in nano-dollars; OpenRouter reports USD."""
    cost = usage.get("cost")
    if isinstance(cost, bool) or not isinstance(cost, int | float) or not 0 <= cost < 10**6:
        return None
    return int((Decimal(str(cost)) * 10**9).to_integral_value())


def _member(usage: dict[str, Any], name: str) -> dict[str, Any]:
    value = usage.get(name)
    return value if isinstance(value, dict) else {}


def _count(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**53:
        return None
    return int(value)


__all__ = ["CallFailed", "events_of", "usage_of"]
