"""What was read of a document: its text, what was counted, and what the person has to know of it. Pure."""

import re
from dataclasses import dataclass, field

MAX_CHARACTERS = 2_000_000
"""Of a document's text; about 500,000 tokens."""

_SINGLE = r"\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_SINGLE}]|[^\W{_SINGLE}]+(?:['’.\-][^\W{_SINGLE}]+)*")
"""A word; of scripts without spaces between words each character, as word processors count."""
_UNSTORABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_MANY_LINES = re.compile(r"\n{4,}")


@dataclass
class Findings:
    """`counts` are those of pages, slides, sheets and rows, as far as the kind has them. `warnings` are pairs of a code
    and a sentence."""

    text: str = ""
    title: str = ""
    mime_type: str = "text/markdown"
    counts: dict[str, int] = field(default_factory=dict)
    warnings: list[tuple[str, str]] = field(default_factory=list)

    def warn(self, code: str, sentence: str) -> None:
        self.warnings.append((code, sentence))


def finish(found: Findings) -> Findings:
    """Clean the text, cut it to its limit, and count its words and characters."""
    text = found.text
    if len(text) > MAX_CHARACTERS:
        text = text[:MAX_CHARACTERS]
        found.warn("cut", f"Only the first {MAX_CHARACTERS:,} characters were read.")
    text = _UNSTORABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = _MANY_LINES.sub("\n\n\n", "\n".join(line.rstrip() for line in text.split("\n"))).strip("\n")
    found.text = text
    found.title = " ".join(_UNSTORABLE.sub("", found.title).split())[:300]
    found.counts |= {"words": count_words(text), "characters": len(text)}
    return found


def count_words(text: str) -> int:
    """Return how many words a text has."""
    return sum(1 for _ in _WORD.finditer(text))


def say_counts(counts: dict[str, int]) -> str:
    """Return the counts in words, as “12 pages, 8,432 words”."""
    # Cells are counted by their rows.
    names = ("pages", "slides", "sheets", "rows" if "sheets" in counts else "words")
    return ", ".join(
        f"{counts[name]:,} {name.removesuffix('s') if counts[name] == 1 else name}" for name in names if name in counts
    )


def say_numbers(numbers: list[int]) -> str:
    """Return numbers, counted up, as “2, 5–8 and 11”."""
    ranges: list[tuple[int, int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    words = [str(first) if first == last else f"{first}–{last}" for first, last in ranges]
    if len(words) > 10:
        words = [*words[:9], f"{len(words) - 9} more"]
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
