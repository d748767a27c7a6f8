"""Titles as they are shown: without the Markdown that models put around them. What is stored keeps it. Pure."""

import re
from functools import lru_cache

LONGEST = 1000
"""Characters up to which a title is looked through: what is longer is no title, and would take long."""

_HEADING = re.compile(r"\A#{1,6}\s+|\s+#+\Z")
_LINK = re.compile(r"!?\[([^\[\]]+)\]\([^()\s]*\)")
_MARKS = re.compile(
    # Stars inside of a word, as in 2*3*4, and underscores around one, as in __init__, are no marks.
    r"(?<![\w*])(?P<star>\*{1,3})(?=[^\s*])(?P<starred>.+?)(?<=[^\s*])(?P=star)(?!\w)"
    r"|(?<!\w)(?P<line>_{1,3})(?=[^\s_])(?P<lined>[^_\n]*?\s[^_\n]*?)(?<=[^\s_])(?P=line)(?!\w)"
    r"|~~(?=\S)(?P<struck>.+?)(?<=\S)~~"
    r"|(?<!`)`(?P<code>[^`]+)`(?!`)"
)


@lru_cache(maxsize=2_000)
def without_markdown(title: str) -> str:
    """Return the title without headings' and links' marks, emphasis and code. One of marks alone stays as it is."""
    if len(title) > LONGEST:
        return title
    plain = _LINK.sub(r"\1", _HEADING.sub("", title.strip()))
    for _ in range(3):
        plain = _MARKS.sub(_inside, plain)
    return plain.strip() or title


def _inside(found: re.Match[str]) -> str:
    return next(text for text in found.group("starred", "lined", "struck", "code") if text is not None)
