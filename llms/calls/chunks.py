"""The chunks of OpenAI's chat completions, and of those who follow it, as events. Pure.

A field of another type than documented is passed over: providers differ, and text that came is worth more than order.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from llms.calls.delta import find_citations, read_delta
from llms.calls.events import CallFailed, Citation, Citations, Event, Extra, Finish, Media, Reasoning, Text, ToolCall
from llms.calls.failures import describe_error, status_in
from llms.calls.tool_calls import ToolCalls
from llms.calls.usage import UsageReader
from llms.vendors.usage import UsageAdapter
from stores.records.json_values import object_in

FINISH_REASONS = {
    **dict.fromkeys(("stop", "eos", "eos_token", "end_turn", "stop_sequence", "complete"), "stop"),
    **dict.fromkeys(
        ("length", "max_tokens", "max_output_tokens", "model_length", "model_context_window_exceeded"), "length"
    ),
    **dict.fromkeys(("tool_calls", "tool_call", "tool_use", "function_call"), "tool_calls"),
    **dict.fromkeys(
        (
            *("content_filter", "safety", "recitation", "blocklist", "prohibited_content", "spii", "image_safety"),
            *("sensitive", "refusal"),
        ),
        "content_filter",
    ),
}
"""OpenAI's finish reason for those of others, in small letters: Anthropic's and Gemini's own, Mistral's `model_length`,
Cohere's `COMPLETE`, Zhipu's `sensitive`. Gemini adds its own to OpenAI's (`content_filter: PROHIBITED_CONTENT`). Any
other one means that the answer was broken off: DeepSeek's
`insufficient_system_resource`, Mistral's `error`, Zhipu's `network_error`, vLLM's `abort`."""

KNOWN = frozenset(
    (
        *("id", "object", "created", "model", "choices", "usage", "system_fingerprint", "service_tier", "provider"),
        *("x_groq", "citations", "search_results", "timings", "obfuscation", "error", "type", "p", "base_resp"),
    )
)
"""Members of a chunk that are read, or that say nothing of the answer."""

PLAIN = KNOWN - {"error", "base_resp", "citations", "search_results", "x_groq", "timings"}
PLAIN_CHOICE = frozenset(("index", "delta", "finish_reason", "logprobs", "native_finish_reason", "stop_reason"))
PLAIN_DELTA = frozenset(("content", "role"))


class ChunkReader:
    """Reads the chunks of one answer, in their order."""

    def __init__(self, adapter: UsageAdapter | None = None, key: str = "") -> None:
        self._key = key
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._kinds: set[type] = set()
        """Kinds of events that came."""
        self._has_deltas = False
        self._tools = ToolCalls()
        self._usage = UsageReader(adapter or UsageAdapter())
        self._citations: set[Citation] = set()
        self._extras: set[tuple[str, str]] = set()

    def read_plain(self, chunk: Any) -> str:
        """Return the text of a chunk that has nothing else, as nearly all are; an empty one for any other, which is
        then to be read by `read`."""
        try:
            [choice] = chunk["choices"]
            delta = choice["delta"]
            text = delta["content"]
            if (
                type(text) is not str
                or choice.get("finish_reason")
                or chunk.get("usage")
                or (len(delta) > 1 and any(value for name, value in delta.items() if name not in PLAIN_DELTA))
                or not (PLAIN_CHOICE.issuperset(choice) and PLAIN.issuperset(chunk))
            ):
                return ""
        except (TypeError, KeyError, ValueError, AttributeError):
            return ""
        if text:
            if not self._text:
                self._kinds.add(Text)
                self._has_deltas = True
            self._text.append(text)
        return text

    def read(self, chunk: Any) -> Iterator[Event]:
        """Yield the events of a chunk. Raises `CallFailed` for an error sent as a chunk."""
        if error := _error_in(chunk):
            if isinstance(chunk, dict):
                # OpenRouter sends the last piece beside the error, and what it bills.
                yield from self._read_choice(_choice_in(chunk), is_last=True)
                yield from self._read_usage(chunk)
            raise describe_error(status_in(error), error, key=self._key)
        if not isinstance(chunk, dict):
            return
        yield from self._new_citations(find_citations(chunk))
        choice = _choice_in(chunk)
        reason = choice.get("finish_reason")
        yield from self._read_choice(choice, is_last=bool(reason))
        if isinstance(reason, str) and reason:
            yield Finish(FINISH_REASONS.get(reason.lower().partition(":")[0], reason))
        yield from self._read_usage(chunk)
        if chunk.keys() - KNOWN:
            extras = (Extra(name, value) for name, value in chunk.items() if name not in KNOWN and value)
            yield from self._new_extras(extras)

    def _read_usage(self, chunk: dict[str, Any]) -> Iterator[Event]:
        usages = (chunk.get("usage"), _choice_in(chunk).get("usage"), object_in(chunk, "x_groq").get("usage"))
        if usage := self._usage.take(usages, otherwise=chunk.get("timings")):
            yield usage

    def _read_choice(self, choice: dict[str, Any], *, is_last: bool) -> Iterator[Event]:
        delta, message = choice.get("delta"), choice.get("message")
        if isinstance(delta, dict) and delta:
            events = [event for event in read_delta(delta) if not (is_last and self._is_repeat(event))]
            self._has_deltas = self._has_deltas or any(isinstance(event, Text | Reasoning) for event in events)
            yield from self._take(events)
        if isinstance(message, dict):
            yield from self._take(self._new_in_message(message, is_last=is_last or not delta))
        if not delta and not message and isinstance(text := choice.get("text"), str) and text:
            # Together AI sends it beside the delta.
            yield from self._take([Text(text)])

    def _is_repeat(self, event: Event) -> bool:
        """Tell whether a last piece repeats all pieces before it."""
        match event:
            case Text(text):
                pieces = self._text
            case Reasoning(text):
                pieces = self._reasoning
            case _:
                return False
        # They are joined only for what is as long, and begins so: some call each piece the last.
        is_like = 1 < len(pieces) <= len(text) and text.startswith(pieces[0])
        return is_like and text == "".join(pieces)

    def _new_in_message(self, message: dict[str, Any], *, is_last: bool) -> list[Event]:
        """Return what a message, which stands for the whole answer, adds to the deltas."""
        if self._has_deltas and not is_last:
            return []
        came = set(self._kinds)
        new: list[Event] = []
        for event in read_delta(message):
            if isinstance(event, Text) and self._text:
                so_far = "".join(self._text) if event.text.startswith(self._text[0]) else ""
                if so_far and event.text.startswith(so_far):
                    # All so far once more, and more of it.
                    new += [Text(rest)] if (rest := event.text[len(so_far) :]) else []
                elif not self._has_deltas:
                    # Some name the pieces so.
                    new.append(event)
            elif type(event) not in came or isinstance(event, Citations | Extra) or not self._has_deltas:
                new.append(event)
        return new

    def _take(self, events: Iterable[Event]) -> Iterator[Event]:
        for event in events:
            self._kinds.add(type(event))
            match event:
                case Text(text):
                    self._text.append(text)
                    yield event
                case ToolCall():
                    yield self._tools.place(event)
                case Citations(citations):
                    yield from self._new_citations(citations)
                case Extra():
                    yield from self._new_extras([event])
                case Reasoning(text):
                    self._reasoning.append(text)
                    yield event
                case Media():
                    yield event

    def _new_citations(self, citations: list[Citation]) -> Iterator[Event]:
        new = [citation for citation in citations if citation not in self._citations]
        if new:
            self._citations.update(new)
            yield Citations(new)

    def _new_extras(self, extras: Iterable[Extra]) -> Iterator[Event]:
        for extra in extras:
            if (told := (extra.name, repr(extra.value))) not in self._extras:
                self._extras.add(told)
                yield extra


def _choice_in(chunk: dict[str, Any]) -> dict[str, Any]:
    choices = chunk.get("choices")
    return choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}


def _error_in(chunk: Any) -> Any:
    """Return the error that was sent in the place of a chunk, beside its choices or in one; or nothing."""
    if isinstance(chunk, list):
        # Gemini puts the error of a whole answer into a list.
        return next((error for item in chunk if (error := _error_in(item))), None)
    if not isinstance(chunk, dict):
        return None
    if error := chunk.get("error") or _choice_in(chunk).get("error"):
        return error
    if object_in(chunk, "base_resp").get("status_code"):
        return chunk["base_resp"]
    if chunk.get("choices") or chunk.get("usage"):
        return None
    # Mistral and Anthropic say what it is; FastAPI, SiliconFlow and gateways only say what is wrong.
    is_error = "error" in (chunk.get("object"), chunk.get("type")) or any(chunk.get(name) for name in ("detail", "msg"))
    is_error = is_error or bool(chunk.get("code") and isinstance(chunk.get("message"), str))
    return chunk if is_error else None


__all__ = ["CallFailed", "ChunkReader"]
