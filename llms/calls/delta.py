"""What one delta, or one whole message, of a chunk holds, in every shape that providers are known to send. Pure.

Papers: OpenAI's "The chat completion chunk object"; OpenRouter's "Reasoning Tokens", "Image Generation" and "Web
Search"; Mistral's "Reasoning" (`thinking` parts); DeepSeek's "Reasoning Model"; Groq's "Reasoning"; Perplexity's
"Chat Completions" (`search_results`); LiteLLM's `thinking_blocks`; Gemini's OpenAI compatibility.
"""

import json
from collections.abc import Iterator
from typing import Any

from llms.calls.events import Citation, Citations, Event, Extra, Media, Reasoning, Text, ToolCall
from stores.records.json_values import count_or_none, object_in, text_or_empty

REASONING = ("reasoning_content", "reasoning", "thinking", "reasoning_text")
"""Fields with reasoning as text: DeepSeek and others, OpenRouter and Groq, Ollama, Copilot. The first one counts: some
send the same in two."""
REASONING_LISTS = ("reasoning_details", "thinking_blocks")

KNOWN = frozenset(
    (
        *REASONING,
        *REASONING_LISTS,
        *("role", "content", "refusal", "tool_calls", "function_call", "images", "audio", "annotations"),
        *("citations", "name", "token_id", "token_ids", "padding"),
    )
)
"""Members that are read, or that say nothing of the answer."""

SOUND = "data:audio/pcm;rate=24000;base64,"
"""OpenAI streams sound as 16-bit samples at 24 kHz."""


def read_delta(delta: dict[str, Any]) -> Iterator[Event]:
    """Yield the events of a delta or a message. Tool calls have the index that they name, or -1."""
    if len(delta) == 1 and isinstance(content := delta.get("content"), str):
        if content:
            yield Text(content)
        return
    yield from _reasoning(delta)
    yield from _content(delta.get("content"))
    if isinstance(refusal := delta.get("refusal"), str) and refusal:
        yield Text(refusal)
    yield from _audio(delta.get("audio"))
    for image in _items(delta.get("images")):
        yield from _media(image, "images")
    if citations := find_citations(delta):
        yield Citations(citations)
    yield from other_notes(delta)
    yield from _tool_calls(delta)
    for name, value in delta.items():
        if name not in KNOWN and value:
            yield Extra(name, value)


def _reasoning(delta: dict[str, Any]) -> Iterator[Event]:
    told = next((value for name in REASONING if isinstance(value := delta.get(name), str) and value), "")
    if told:
        yield Reasoning(told)
    for name in REASONING_LISTS:
        for item in _items(delta.get(name)):
            text = "" if not isinstance(item, dict) else _first_text(item, ("text", "summary", "thinking"))
            if text and not told:
                yield Reasoning(text)
            if item and (not text or item.get("signature")):
                # Encrypted, or with a signature: for who sends it back one day.
                yield Extra(name, item)
    for name in REASONING:
        if (value := delta.get(name)) and not isinstance(value, str):
            yield from _content(value, as_reasoning=True)


def _content(content: Any, *, as_reasoning: bool = False) -> Iterator[Event]:
    """Yield what a content says: a text, a part, or a list of them."""
    if isinstance(content, str):
        if content:
            yield Reasoning(content) if as_reasoning else Text(content)
    elif isinstance(content, list):
        for part in content:
            yield from _content(part, as_reasoning=as_reasoning)
    elif isinstance(content, dict):
        yield from _part(content, as_reasoning=as_reasoning)


def _part(part: dict[str, Any], *, as_reasoning: bool) -> Iterator[Event]:
    kind = part.get("type")
    if kind in ("thinking", "reasoning", "reasoning_text") or part.get("thought") is True:
        inner = next((part[name] for name in ("thinking", "reasoning", "text", "summary") if part.get(name)), None)
        yield from _content(inner, as_reasoning=True)
    elif "image_url" in part or kind in ("image", "image_url", "output_image"):
        yield from _media(part, "content")
    elif text := _first_text(part, ("text", "content", "refusal", "value", "transcript", "output_text", "parts")):
        yield Reasoning(text) if as_reasoning else Text(text)
    elif any(value for name, value in part.items() if name not in ("type", "index", "annotations")):
        yield Extra("content", part)
    if citations := find_citations(part):
        yield Citations(citations)


def _first_text(item: dict[str, Any], names: tuple[str, ...]) -> str:
    """Return the first text under these names, or inside of one (`{"text": {"value": …}}`, `{"parts": […]}`)."""
    for name in names:
        value = item.get(name)
        if isinstance(value, list):
            value = "".join(_first_text(each, names) if isinstance(each, dict) else str(each) for each in value)
        elif isinstance(value, dict):
            value = _first_text(value, names)
        if isinstance(value, str) and value:
            return value
    return ""


def _media(item: Any, name: str) -> Iterator[Event]:
    """Yield an image: its address under `image_url`, or its bytes as base64."""
    url = item if isinstance(item, str) else ""
    if isinstance(item, dict):
        inner = item.get("image_url", item.get("url"))
        url = inner if isinstance(inner, str) else str(object_in(item, "image_url").get("url") or "")
        if not url and isinstance(bare := item.get("b64_json") or item.get("data"), str):
            url = f"data:{item.get('mime_type') or item.get('media_type') or 'image/png'};base64,{bare}"
    if url.startswith(("data:", "https://", "http://")):
        yield Media(url)
    elif item:
        yield Extra(name, item)


def _audio(audio: Any) -> Iterator[Event]:
    if not isinstance(audio, dict):
        return
    if isinstance(transcript := audio.get("transcript"), str) and transcript:
        yield Text(transcript)
    if isinstance(sound := audio.get("data"), str) and sound:
        yield Media(SOUND + sound)


def find_citations(holder: dict[str, Any]) -> list[Citation]:
    """Return the citations of a chunk, a delta or a part: `search_results`, `annotations`, `citations`."""
    found: dict[tuple[str, int | None], Citation] = {}
    for name in ("search_results", "annotations", "citations"):
        for item in _items(holder.get(name)):
            if (citation := _citation(item)) and (citation.title or (citation.url, None) not in found):
                found.setdefault((citation.url, citation.start), citation)
    return list(found.values())


def other_notes(holder: dict[str, Any]) -> Iterator[Extra]:
    """Yield what stands among the citations and names no page: OpenRouter's files, Cohere's documents."""
    for name in ("annotations", "citations"):
        for item in _items(holder.get(name)):
            if item and _citation(item) is None:
                yield Extra(name, item)


def _citation(item: Any) -> Citation | None:
    if isinstance(item, str):
        return Citation(item) if item else None
    if not isinstance(item, dict):
        return None
    inner = item | object_in(item, "url_citation")
    url = inner.get("url") or inner.get("uri")
    if not isinstance(url, str) or not url:
        return None
    start, end = count_or_none(inner.get("start_index")), count_or_none(inner.get("end_index"))
    title, snippet = inner.get("title"), inner.get("content") or inner.get("snippet")
    return Citation(
        url,
        title if isinstance(title, str) else "",
        start if end else None,
        end,
        snippet if isinstance(snippet, str) else "",
    )


def _tool_calls(delta: dict[str, Any]) -> Iterator[Event]:
    for call in _items(delta.get("tool_calls")):
        if isinstance(call, dict):
            index, id_ = call.get("index"), call.get("id")
            named = object_in(call, "function") or call
            yield from _tool_call(named, index if type(index) is int else -1, id_ if isinstance(id_, str) else "")
            if signed := call.get("extra_content"):
                # Gemini's signature of its thoughts.
                yield Extra("extra_content", signed)
    if isinstance(call := delta.get("function_call"), dict):
        yield from _tool_call(call, 0, "")


def _tool_call(named: dict[str, Any], index: int, id_: str) -> Iterator[ToolCall]:
    name, arguments = named.get("name"), named.get("arguments")
    if isinstance(arguments, dict | list):
        # Ollama and others give the object itself.
        arguments = json.dumps(arguments, ensure_ascii=False)
    name, arguments = text_or_empty(name), text_or_empty(arguments)
    # Some send an empty one with each piece of text.
    if id_ or name or arguments:
        yield ToolCall(index, id_, name, arguments)


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
