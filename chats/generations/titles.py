"""The automatic title of a chat after its first exchange."""

from typing import Any

LONGEST = 60


def title_from(messages: list[dict[str, Any]]) -> str:
    """Return a title derived from the first question's text, or an empty one."""
    for message in messages:
        if message.get("role") != "user":
            continue
        content = message.get("content")
        if isinstance(content, list):
            content = " ".join(part.get("text", "") for part in content if part.get("type") == "text")
        line = " ".join(str(content).split())
        if not line:
            continue
        if len(line) <= LONGEST:
            return line
        return line[:LONGEST].rsplit(" ", 1)[0].rstrip(",.;:") + "…"
    return ""
