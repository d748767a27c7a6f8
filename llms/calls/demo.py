"""The Demo service: it replies offline, always the same, and says that it is no AI. Its models exercise the page."""

import asyncio
import re
from collections.abc import AsyncGenerator, Iterator
from typing import Any

from llms.calls.events import CallFailed, Event, Finish, Reasoning, Request, Text, Usage
from llms.pricing.tokens import Tokens
from stores.records.units import format_count

SERVICE = "bigagi-demo"
LABEL = "Demo (not an AI)"

MODELS: dict[str, tuple[str, str]] = {
    "echo": ("Demo", "Shows what was sent to it: preferences, labs, history, attachments."),
    "fast": ("Demo fast", "Thousands of words per second."),
    "slow": ("Demo slow", "Thinks first, then writes a word every half second."),
    "long": ("Demo long", "Some 2,000 words."),
    "markdown": ("Demo Markdown", "Headings, lists, tables, code, formulas, links and markup that must not run."),
    "failing": ("Demo failing", "Fails in the middle of its answer."),
}
"""By the reference of a model: its label, and what it does."""

_DELAYS = {"slow": 0.5, "fast": 0.0, "echo": 0.03, "long": 0.02, "markdown": 0.02, "failing": 0.05}
_WORD = re.compile(r"\S+\s*|\s+")

_MARKDOWN = """# What Markdown can do

Some **bold**, some *italic*, some `code`, and a [link](https://big-agi.com).

- one
- two
  1. two and a half
- three

| animal | legs |
| --- | ---: |
| cat | 4 |
| snail | 1 |

> A quotation
> over two lines.

```python
def add(one: int, other: int) -> int:
    return one + other
```

<script>document.title = "markup ran"</script><img src=x onerror="document.title = 'markup ran'">

That was markup, and it did not run.
"""


async def stream_demo(request: Request) -> AsyncGenerator[Event, None]:
    """Yield the answer of a Demo model, word by word: a word is a token."""
    ref = request.model
    text = answer_of(ref, request.messages)
    delay = _DELAYS.get(ref, 0.03)
    thought = 0
    if ref == "slow":
        for word in _words("I look at the message, count its words, and take my time. "):
            await asyncio.sleep(delay / 2)
            thought += 1
            yield Reasoning(word)
    words = list(_words(text))
    is_cut = request.max_tokens is not None and len(words) > request.max_tokens
    words = words[: request.max_tokens] if is_cut else words
    for at, word in enumerate(words):
        if ref == "failing" and at == len(words) // 2:
            raise CallFailed("The demo failed, as it is meant to. Try again, or choose another model.", "provider")
        if delay or at % 50 == 0:
            await asyncio.sleep(delay)
        yield Text(word)
    size = sum(len(_text_of(message).split()) for message in request.messages)
    yield Finish("length" if is_cut else "stop")
    yield Usage(Tokens(size, None, None, len(words), thought or None), {"demo": True})


def _words(text: str) -> Iterator[str]:
    return (match[0] for match in _WORD.finditer(text))


def answer_of(ref: str, messages: list[dict[str, Any]]) -> str:
    """Return the whole answer of a Demo model to these messages."""
    if ref == "markdown":
        return _MARKDOWN
    if ref == "long":
        return "\n\n".join(f"Paragraph {at}. " + "A sentence of seven words stands here. " * 10 for at in range(1, 29))
    if ref == "failing":
        return "This answer begins well, goes on for a while, and then it breaks off in the middle, as it was asked to."
    return _echo(messages)


def _echo(messages: list[dict[str, Any]]) -> str:
    system = [_text_of(message) for message in messages if message.get("role") == "system"]
    turns = [message for message in messages if message.get("role") != "system"]
    asked = _text_of(turns[-1]) if turns else ""
    shared = next((text for text in system if "app-ui" in text or "app-ux-labs" in text), "")
    lines = [
        "This is the demo service, not an AI. It received:",
        "",
        f"- {format_count(len(turns), 'message')} of this chat, {_count_words(*map(_text_of, turns))}",
        f"- a system message of {_count_words(system[0])}" if system else "- no system message",
    ]
    if images := sum(_count_images(turn) for turn in turns):
        lines.append(f"- {format_count(images, 'image')}")
    if shared:
        lines += ["- your preferences, as shared:", "", "```json", shared[:1500], "```"]
    else:
        lines.append("- no preferences (not shared)")
    lines += ["", "You said:", "", *(f"> {line}" for line in (asked[:2000] or "(nothing)").splitlines())]
    return "\n".join(lines)


def _count_words(*texts: str) -> str:
    return format_count(sum(len(text.split()) for text in texts), "word")


def _text_of(message: dict[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(part.get("text", "") for part in parts if isinstance(part, dict) and part.get("type") == "text")


def _count_images(message: dict[str, Any]) -> int:
    content = message.get("content")
    parts = content if isinstance(content, list) else []
    return sum(isinstance(part, dict) and part.get("type") == "image_url" for part in parts)
