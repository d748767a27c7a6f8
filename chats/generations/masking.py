"""Masks keys in streamed text, however it is split, so that none is sent or stored in plain text. Pure."""

import re

from stores.records.secrets import mask_found

LONGEST = 512
"""Number of characters to hold back for a possible key."""

_BEGUN = re.compile(
    r"(?:(?<![A-Za-z0-9])|(?<=\\[bfnrt]))"
    r"(?:s|sk|sk-[A-Za-z0-9_\-]*|A|AI|AIz|AIza[A-Za-z0-9_\-]*|AK|AKI|AKIA[A-Z0-9]*)\Z"
)
"""A possible start of a key at the end of a text."""

_LOOKED_BEHIND = 2
"""Characters before a key that decide whether one starts there: not inside a word."""


class PieceMask:
    """Masks keys in streamed text. The last characters are held back if they may start a key."""

    def __init__(self) -> None:
        self.held = ""
        """What waits for more."""
        self._before = ""

    def take(self, piece: str) -> str:
        """Return what can be sent of the text so far."""
        text = self._before + self.held + piece
        start = len(self._before)
        begun = _BEGUN.search(text, max(start, len(text) - LONGEST))
        end = begun.start() if begun else len(text)
        self.held = text[end:]
        return self._release(text[:end], start)

    def rest(self) -> str:
        """Return what waits: nothing more comes."""
        text, self.held = self._before + self.held, ""
        return self._release(text, len(self._before))

    def _release(self, text: str, start: int) -> str:
        self._before = text[-_LOOKED_BEHIND:]
        return mask_found(text, start)
