"""Reasoning that a model writes into its text, between tags. Pure.

Open models write `<think>…</think>` before their answer (DeepSeek-R1's and Qwen3's model cards), Gemini `<thought>`,
Magistral `[THINK]`. Templates that put the opening tag into the prompt leave only the closing one in the answer.
"""

import re
from collections.abc import Iterator

from llms.calls.events import Reasoning, Rethought, Text

TAGS = {
    "<think>": "</think>",
    "<thinking>": "</thinking>",
    "<thought>": "</thought>",
    "[THINK]": "[/THINK]",
}
CLOSING = "</think>"
"""The closing tag that can come alone."""

_ALONE = re.compile(rf"(?<!`){re.escape(CLOSING)}(?=[\r\n]|\Z)")


class ThinkTags:
    """Takes the text of an answer piece by piece and tells reasoning from text, however the tags are cut.

    Only what begins an answer is taken for reasoning. White space after a closing tag belongs to it."""

    def __init__(self) -> None:
        self._held = ""
        """What may be a tag, or the white space beside one."""
        self._closing = ""
        """The tag that ends the reasoning that has begun."""
        self._state = self._at_start
        self._text: list[str] = []
        """All text so far, while a closing tag can still come alone."""

    def passes(self, text: str) -> bool:
        """Tell whether the text is none of a tag, so that it need not be taken."""
        if self._held or "<" in text or text.endswith("`"):
            return False
        if self._state == self._before_closing:
            self._text.append(text)
            return True
        return self._state == self._in_text

    def take(self, text: str) -> Iterator[Text | Reasoning | Rethought]:
        """Yield what the text adds."""
        self._held += text
        yield from self._state(is_last=False)

    def end(self) -> Iterator[Text | Reasoning | Rethought]:
        """Yield what was held back: nothing more comes."""
        yield from self._state(is_last=True)

    def pass_over(self) -> Iterator[Text | Reasoning | Rethought]:
        """Yield what was held back: what comes next is reasoning of its own, so that tags mean nothing any more."""
        yield from self.end()
        self._state = self._in_text

    def _at_start(self, *, is_last: bool) -> Iterator[Text | Reasoning | Rethought]:
        begun = self._held.lstrip()
        tag = next((tag for tag in TAGS if begun.startswith(tag)), None)
        if tag is not None:
            self._closing, self._held = TAGS[tag], begun[len(tag) :]
            self._state = self._before_reasoning
        elif not is_last and any(tag.startswith(begun) for tag in TAGS):
            return
        else:
            self._state = self._before_closing
        yield from self._state(is_last=is_last)

    def _before_reasoning(self, *, is_last: bool) -> Iterator[Text | Reasoning | Rethought]:
        self._held = self._held.lstrip()
        if self._held:
            self._state = self._in_reasoning
            yield from self._state(is_last=is_last)

    def _in_reasoning(self, *, is_last: bool) -> Iterator[Text | Reasoning | Rethought]:
        thought, tag, rest = self._held.partition(self._closing)
        if tag:
            self._held = rest
            if thought.rstrip():
                yield Reasoning(thought.rstrip())
            self._state = self._after_reasoning
            yield from self._state(is_last=is_last)
            return
        kept = 0 if is_last else _length_of_end(thought, self._closing)
        self._held = thought[len(thought) - kept :]
        if kept < len(thought):
            yield Reasoning(thought[: len(thought) - kept])

    def _after_reasoning(self, *, is_last: bool) -> Iterator[Text | Reasoning | Rethought]:
        self._held = self._held.lstrip()
        if self._held:
            self._state = self._in_text
            yield from self._state(is_last=is_last)

    def _before_closing(self, *, is_last: bool) -> Iterator[Text | Reasoning | Rethought]:
        text = self._held
        if found := self._find_closing(text, is_last=is_last):
            if thought := text[: found.start()]:
                yield Text(thought)
            yield Rethought()
            self._held = text[found.end() :]
            self._state = self._after_reasoning
            yield from self._state(is_last=is_last)
            return
        kept = 0 if is_last else _length_of_end(text, CLOSING, with_whole=True)
        self._held = text[len(text) - kept :]
        if kept < len(text):
            self._text.append(text[: len(text) - kept])
            yield Text(self._text[-1])

    def _in_text(self, *, is_last: bool) -> Iterator[Text | Reasoning | Rethought]:
        text, self._held = self._held, ""
        if text:
            yield Text(text)

    def _find_closing(self, text: str, *, is_last: bool) -> re.Match[str] | None:
        for found in _ALONE.finditer(text) if CLOSING in text else ():
            if (found.end() < len(text) or is_last) and not self._is_in_code(text[: found.start()]):
                return found
        return None

    def _is_in_code(self, text: str) -> bool:
        self._text = ["".join(self._text)]
        return (self._text[0] + text).count("```") % 2 == 1


def _length_of_end(text: str, tag: str, *, with_whole: bool = False) -> int:
    """Return how many characters at the end may begin the tag, with the one before it, which decides, and white space
    before it, which is dropped with it."""
    longest = min(len(text), len(tag) if with_whole else len(tag) - 1)
    held = next((size for size in range(longest, 0, -1) if text.endswith(tag[:size])), 0)
    if not with_whole:
        before = text[: len(text) - held]
        return held + len(before) - len(before.rstrip())
    return min(len(text), held + 1) if held else int(text.endswith("`"))
