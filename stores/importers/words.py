"""Counts in words."""

from collections.abc import Mapping

from stores.records import registry
from stores.records.units import format_count

_NOUNS = {"listed id": ("entry of a list", "entries of lists"), "file": ("part of the file", "parts of the file")}


def nouns() -> dict[str, tuple[str, str]]:
    """Return what people call the kinds of records; others go by their own name."""
    found: dict[str, tuple[str, str]] = {}
    for collection in registry.all_collections():
        found |= collection.nouns
    return found | _NOUNS


def one_or_many(count: int, one: str, many: str = "") -> str:
    """Return "1 chat" or "2 chats"."""
    return format_count(count, one, many)


def count_kinds(counts: Mapping[str, int]) -> str:
    """Return counts by kind in words: "12 chats, 60 messages, 4 images"; those with a noun come first."""
    named = nouns()
    kinds = [*(kind for kind in named if kind in counts), *(kind for kind in counts if kind not in named)]
    return ", ".join(one_or_many(counts[kind], *named.get(kind, (kind,))) for kind in kinds if counts[kind])


def sum_kinds() -> list[str]:
    """Return the kinds by which a file is summed up: the records of long lists, and what is in them."""
    return [kind for collection in registry.long_lists() for kind in (collection.kind, *collection.parts.kinds[:1])]


def name_kind(kind: str) -> str:
    """Return what people call one record of a kind."""
    return nouns().get(kind, (kind,))[0]


def tell_quarantined(kind: str, reason: str) -> str:
    """Say that a record was quarantined, and why."""
    return f"{name_kind(kind)} quarantined: {reason}"


def tell_kinds(counts: Mapping[str, int]) -> str:
    """Return counts by kind in words, without naming each: "12 chats, 4 images and 30 other records"."""
    main = {kind: counts[kind] for kind in sum_kinds() if counts.get(kind)}
    rest = sum(counts.values()) - sum(main.values())
    if not main:
        return one_or_many(rest, "record")
    other = f" and {one_or_many(rest, 'other record')}" if rest else ""
    return f"{count_kinds(main)}{other}"
