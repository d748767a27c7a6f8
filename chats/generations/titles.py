"""Titles for a chat that nobody has named: from its first question, or from what a model says. Pure."""

import re

from stores.records.codecs import JSONObject

LONGEST = 60
"""Characters of a title that is derived from a question."""
LONGEST_OF_MODEL = 80
"""Characters of a title that a model gives; what is longer is no title."""

_CODE = re.compile(r"(```|~~~).*?(?:\1|\Z)", re.DOTALL)
_THOUGHT_BEGINS = re.compile(r"<think(?:ing)?>", re.IGNORECASE)
_THOUGHT_ENDS = re.compile(r"</think(?:ing)?>", re.IGNORECASE)


def title_of_question(message: JSONObject) -> str:
    """Return a title derived from what a person wrote in a message: its words, else its code, else what is attached.

    Empty where there is nothing of it. Secrets must be masked."""
    fragments = [fragment for fragment in message.get("fragments") or () if isinstance(fragment, dict)]
    parts = [fragment["part"] for fragment in fragments if isinstance(fragment.get("part"), dict)]
    texts = [part["text"] for part in parts if part.get("pt") == "text" and isinstance(part.get("text"), str)]
    text = "\n".join(texts)
    names = [name for fragment in fragments if isinstance(name := fragment.get("title"), str)]
    lines = (" ".join(some.split()) for some in (_CODE.sub(" ", text), text, ", ".join(names)))
    line = next(filter(None, lines), "")
    if len(line) <= LONGEST:
        return line
    return line[:LONGEST].rsplit(" ", 1)[0].rstrip(",.;:") + "…"


def title_of_answer(text: str) -> str:
    """Return a model's answer as a title: its first line, without thoughts, quotes, marks and a final stop."""
    line = next((line for line in without_thoughts(text).splitlines() if line.strip()), "")
    title = " ".join(line.split()).strip("\"'“”„«»*#` ").rstrip(".").strip()
    return title if len(title) <= LONGEST_OF_MODEL else ""


def without_thoughts(text: str) -> str:
    """Return a text without its `<think>` blocks, one that was begun before the text or never ended included."""
    return _THOUGHT_BEGINS.split(_THOUGHT_ENDS.split(text)[-1])[0]
