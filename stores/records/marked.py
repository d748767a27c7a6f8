"""JSON that comes with markers in the place of secrets: what is stored here takes their places again."""

from collections.abc import Iterable
from typing import Any

from stores.records.secrets import (
    MARKER,
    REFERENCE_LENGTH,
    is_host_key,
    is_marker,
    is_reference,
    mask,
    may_hold_key,
    shown_as,
)


def keep(incoming: Any, stored: Any, key: str = "", *, lost: list[str] | None = None) -> Any:
    """Return incoming JSON with our reference wherever it has a marker, or nothing where we have a key.

    A marker for which we have nothing becomes "" under a secret's key, and its key is added to `lost`.
    """
    if isinstance(incoming, dict):
        own = stored if isinstance(stored, dict) else {}
        kept = {name: keep(item, own.get(name), name, lost=lost) for name, item in incoming.items()}
        absent = {
            name: item
            for name, item in own.items()
            if name not in incoming and isinstance(item, str) and is_reference(item)
        }
        return kept | absent
    if isinstance(incoming, list):
        mine_list = stored if isinstance(stored, list) else []
        return [
            keep(item, mine_list[at] if at < len(mine_list) else None, key, lost=lost)
            for at, item in enumerate(incoming)
        ]
    if isinstance(incoming, str):
        if incoming == "" and isinstance(stored, str) and is_reference(stored):
            return stored
        # A whole secret is kept whatever the marker shows of it; a part of a text, where the rest is the same.
        if is_marker(incoming) and isinstance(stored, str) and is_reference(stored):
            return stored
        if MARKER in incoming and isinstance(stored, str) and MARKER in stored and mask(stored) == incoming:
            return stored
        if is_marker(incoming) and may_hold_key(key):
            if lost is not None:
                lost.append(key)
            return ""
    return incoming


def keep_marked(incoming: Any, stored: Any, key: str = "", *, lost: list[str]) -> Any:
    """Return what a client sent with our reference wherever it has a marker; all else is as it was sent.

    Members of lists that have ids are found by them, wherever they stand now. In a text that was edited each marker is
    the reference that is shown so. A marker for which we have nothing becomes "" under a secret's key, and the key is
    added to `lost`.
    """
    if isinstance(incoming, dict):
        own = stored if isinstance(stored, dict) else {}
        return {name: keep_marked(item, own.get(name), name, lost=lost) for name, item in incoming.items()}
    if isinstance(incoming, list):
        mine_list = stored if isinstance(stored, list) else []
        by_id = {_id_of(item): item for item in mine_list if _id_of(item)}
        return [
            keep_marked(item, by_id.get(_id_of(item)) if _id_of(item) else _member(mine_list, at), key, lost=lost)
            for at, item in enumerate(incoming)
        ]
    if not isinstance(incoming, str) or MARKER not in incoming:
        return incoming
    if isinstance(stored, str) and MARKER in stored and (mask(stored) == incoming or _is_whole(incoming, stored)):
        return stored
    if is_marker(incoming) and may_hold_key(key):
        lost.append(key)
        return ""
    # A host's parts are for it alone.
    is_text = isinstance(stored, str) and MARKER in stored and not is_host_key(key)
    return put_back(incoming, shown_as(stored)) if is_text else incoming


def put_back(text: str, pairs: Iterable[tuple[str, str]]) -> str:
    """Return a text that was edited as it is shown, with the references in the places of the markers that show them;
    of several alike, in their order."""
    pairs = list(pairs)
    pieces, at = [], 0
    while (found := text.find(MARKER, at)) >= 0:
        pieces.append(text[at:found])
        at = found + REFERENCE_LENGTH
        if is_reference(text[found:at]):
            # A key that was typed just now.
            pieces.append(text[found:at])
            continue
        fitting = [pair for pair in pairs if text.startswith(pair[0], found)]
        marker, reference = max(fitting, key=lambda pair: len(pair[0]), default=(MARKER, MARKER))
        if fitting:
            # The last place: the text can have the same marker more often than ours.
            pairs.remove((marker, reference))
            pairs.append((marker, reference))
        pieces.append(reference)
        at = found + len(marker)
    return "".join([*pieces, text[at:]])


def _is_whole(incoming: str, stored: str) -> bool:
    return is_marker(incoming) and is_reference(stored)


def _id_of(item: Any) -> str:
    if isinstance(item, dict):
        for name in ("id", "fId"):
            if isinstance(item.get(name), str):
                return f"{name} {item[name]}"
    return ""


def _member(items: list[Any], at: int) -> Any:
    return items[at] if at < len(items) else None
