"""The prompt for a chat: system message, history and attachments, cut to the model's context. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from chats.rendering import printable
from chats.system_messages import find_system_messages, is_sent
from llms.pricing.estimator import estimate_tokens
from stores.records.codecs import JSONObject
from stores.records.jsontext import encode

TOKENS_A_MESSAGE = 4
TOKENS_AN_IMAGE = 800
DEFAULT_SYSTEM = "You are a helpful assistant. Today is {date}."
SHARED = ("app-ui", "app-ux-labs")
"""Stores whose state is shared on request."""

_FENCES = re.compile("`{3,}")
_THOUGHTS = re.compile(r"\A(?:\s*<(think|thinking)>.*?</\1>)+\s*", re.DOTALL | re.IGNORECASE)
"""A model's reasoning as many servers write it, in front of the answer in the same text."""

ImageOf = Callable[[JSONObject], str | None]
"""Returns the data URL of an image that a part names; None where it is not here."""


@dataclass
class Prompt:
    """Messages in OpenAI's shape; `tokens` is an estimate; `left_out` counts messages that did not fit."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    tokens: int = 0
    system_tokens: int = 0
    """Those of the system messages."""
    left_out: int = 0
    images_captioned: int = 0
    """Images sent as captions, for a model without image input."""
    keys: int = 0
    """Passages that look like API keys."""
    keys_masked: int = 0
    """Those of them that are sent as markers, because they cannot be read; `why_masked` says why."""
    why_masked: str = ""


def build_prompt(
    chat: JSONObject,
    *,
    date: str,
    sees_images: bool,
    image_of: ImageOf,
    context_tokens: int | None,
    answer_tokens: int | None,
    shared: dict[str, Any] | None = None,
    system: str = "",
) -> Prompt:
    """Return what is sent of a chat's JSON, whose last message is the one to answer.

    A chat's own system prompt is sent as it is; one without gets `system` or `DEFAULT_SYSTEM` (`find_system_messages`).
    From the oldest on, messages that do not fit into the context beside an answer are left out.
    """
    prompt = Prompt()
    found = find_system_messages(chat["messages"], chat.get("systemPurposeId"))
    turns = [message for message in chat["messages"] if is_sent(message) and message["role"] != "system"]
    converted = [_convert(message, sees_images, image_of, prompt) for message in found.prompt]
    if not converted:
        converted = [{"role": "system", "content": printable(system) or DEFAULT_SYSTEM.format(date=date)}]
    converted += [_convert(message, sees_images, image_of, prompt) for message in found.notes]
    if shared:
        converted.append({"role": "system", "content": describe_shared(shared)})
    prompt.system_tokens = sum(map(size_of, converted))
    room = _room(context_tokens, answer_tokens) - prompt.system_tokens
    kept: list[dict[str, Any]] = []
    for at, message in enumerate(reversed(turns)):
        one = _convert(message, sees_images, image_of, prompt)
        size = size_of(one)
        # The last message is always sent: the provider reports best if it is too long.
        if kept and size > room:
            prompt.left_out = len(turns) - at
            break
        if one["content"]:
            room -= size
            kept.append(one)
    prompt.messages = [*converted, *reversed(kept)]
    prompt.tokens = sum(map(size_of, prompt.messages))
    return prompt


def describe_masked_keys(prompt: Prompt) -> str:
    """Return in words that keys were not sent as they were typed, and how to send them; or an empty text."""
    if not prompt.keys_masked:
        return ""
    count = "1 passage" if prompt.keys_masked == 1 else f"{prompt.keys_masked:,} passages"
    return (
        f"{count} of this chat that looked like an API key could not be read. The model was sent bigagi-secret:… "
        f"instead. {prompt.why_masked} To send the chat as it was typed, fix this and regenerate the answer."
    )


def describe_shared(shared: dict[str, Any]) -> str:
    """Return the system message that shares preferences."""
    return "The person's preferences, from the stores app-ui and app-ux-labs:\n" + encode(shared)


def size_of(message: dict[str, Any]) -> int:
    """Return about how many tokens a message has."""
    content = message["content"]
    if isinstance(content, str):
        return estimate_tokens(content) + TOKENS_A_MESSAGE
    sizes = (estimate_tokens(part["text"]) if part["type"] == "text" else TOKENS_AN_IMAGE for part in content)
    return sum(sizes) + TOKENS_A_MESSAGE


def _room(context: int | None, answer: int | None) -> int:
    return 10**9 if not context else context - reserve_of(context, answer) - 64


def reserve_of(context: int, answer: int | None) -> int:
    """Return how many tokens of the context are kept free for an answer that is limited to so many."""
    return min(answer or 0, context // 2)


def _convert(message: JSONObject, sees_images: bool, image_of: ImageOf, prompt: Prompt) -> dict[str, Any]:
    texts: list[str] = []
    parts: list[dict[str, Any]] = []
    for fragment in message["fragments"]:
        part = fragment.get("part") if isinstance(fragment, dict) else None
        if not isinstance(part, dict):
            continue
        match part.get("pt"):
            case "text" if isinstance(part.get("text"), str):
                texts.append(part["text"])
            case "doc":
                texts.append(_document(fragment, part))
            case "reference" | "image_ref":
                url = image_of(part) if sees_images and message.get("role") == "user" else None
                if url:
                    parts.append({"type": "image_url", "image_url": {"url": url}})
                else:
                    prompt.images_captioned += 1
                    kind = "Sound" if part.get("assetType") == "audio" else "Image"
                    texts.append(f"[{kind}: {_caption(fragment, part)}]")
    # Half of a surrogate pair cannot be sent.
    text = printable("\n\n".join(filter(None, texts)))
    role = str(message["role"])
    if role == "assistant":
        # Makers of reasoning models ask to leave it out of the history: it is no part of the answer.
        text = _THOUGHTS.sub("", text)
    if not parts:
        return {"role": role, "content": text}
    return {"role": role, "content": [*([{"type": "text", "text": text}] if text else []), *parts]}


def _document(fragment: JSONObject, part: JSONObject) -> str:
    data = part.get("data")
    text = data.get("text") if isinstance(data, dict) else None
    title = fragment.get("title") or part.get("l1Title") or part.get("ref") or "document"
    if not isinstance(text, str):
        return ""
    # A document can have fenced code of its own.
    longest = max(map(len, _FENCES.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{title}\n{text}\n{fence}"


def _caption(fragment: JSONObject, part: JSONObject) -> str:
    for value in (fragment.get("caption"), part.get("altText"), part.get("zRefSummary"), fragment.get("title")):
        if isinstance(value, dict):
            value = value.get("text")
        if isinstance(value, str) and value:
            return value
    return "no description"
