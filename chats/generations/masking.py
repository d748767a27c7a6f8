"""Text that comes in pieces, without what looks like a key: none is sent or kept in clear, however it is cut. Pure."""

import re

from stores.secrets import mask_found

LONGEST = 512
"""Characters of a key that are waited for."""

_BEGUN = re.compile(
    r"(?:(?<![A-Za-z0-9])|(?<=\\[bfnrt]))"
    r"(?:s|sk|sk-[A-Za-z0-9_\-]*|A|AI|AIz|AIza[A-Za-z0-9_\-]*|AK|AKI|AKIA[A-Z0-9]*)\Z"
)
"""What can be the beginning of a key at the end of a text."""

_LOOKED_BEHIND = 2
"""Characters before a key that tell whether one begins there: inside a word none does."""


class PieceMask:
    """Masks keys in a text that comes in pieces. The last characters wait where they may begin one."""

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
