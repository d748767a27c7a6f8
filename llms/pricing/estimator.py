"""Estimates the number of tokens of a text; the only place that does. Pure, offline; estimates are shown with ≈."""

CHARACTERS_A_TOKEN = 3.6
"""Characters per token in typical text."""
_WIDE_FROM = 0x2E80
"""The first of the characters of scripts without spaces (CJK radicals)."""


def estimate_tokens(text: str) -> int:
    """Return about how many tokens a text has."""
    if text.isascii():
        return int(len(text) / CHARACTERS_A_TOKEN) + 1
    # Scripts without spaces come near a token a character.
    wide = sum(ord(character) > _WIDE_FROM for character in text)
    return int((len(text) - wide) / CHARACTERS_A_TOKEN + wide) + 1
