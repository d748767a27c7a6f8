"""What chats are called. Pure."""

import re
from typing import Any

_NUMBERED = re.compile(r"\((\d{1,9})\) ")


def title_of(record: Any) -> str:
    """Return the title that big-AGI shows of a chat's JSON."""
    for name in ("userTitle", "autoTitle"):
        if isinstance(record.get(name), str) and record[name]:
            return str(record[name])
    return "(untitled)"


def number_title(title: str) -> str:
    """Return the title of a branch: `(1) ` in front, or the next number."""
    if match := _NUMBERED.match(title):
        return f"({int(match[1]) + 1}) {title[match.end() :]}"
    return f"(1) {title}"
