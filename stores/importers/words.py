"""Counts in words."""

from collections.abc import Mapping

NOUNS = {
    "conversation": ("chat", "chats"),
    "message": ("message", "messages"),
    "fragment": ("part of a message", "parts of messages"),
    "asset": ("image", "images"),
    "listed id": ("entry of a list", "entries of lists"),
    "file": ("part of the file", "parts of the file"),
}
"""What people call the kinds of records; others go by their own name."""


def one_or_many(count: int, one: str, many: str = "") -> str:
    """Return "1 chat" or "2 chats"."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def count_kinds(counts: Mapping[str, int]) -> str:
    """Return counts by kind in words: "12 chats, 60 messages, 4 images"; chats, messages and images come first."""
    kinds = [*(kind for kind in NOUNS if kind in counts), *(kind for kind in counts if kind not in NOUNS)]
    return ", ".join(one_or_many(counts[kind], *NOUNS.get(kind, (kind,))) for kind in kinds if counts[kind])


def name_kind(kind: str) -> str:
    """Return what people call one record of a kind."""
    return NOUNS.get(kind, (kind,))[0]


def tell_quarantined(kind: str, reason: str) -> str:
    """Say that a record was quarantined, and why."""
    return f"{name_kind(kind)} quarantined: {reason}"
