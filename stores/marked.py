"""JSON that comes with markers in the place of secrets: what is stored here takes their places again."""

from typing import Any

from stores.secrets import MARKER, is_marker, is_reference, mask, may_hold_key


def keep(incoming: Any, ours: Any, key: str = "", *, lost: list[str] | None = None) -> Any:
    """Return incoming JSON with our reference wherever it has a marker, or nothing where we have a key.

    A marker for which we have nothing becomes "" under a secret's key, and its key is added to `lost`.
    """
    if isinstance(incoming, dict):
        mine = ours if isinstance(ours, dict) else {}
        kept = {name: keep(item, mine.get(name), name, lost=lost) for name, item in incoming.items()}
        absent = {
            name: item
            for name, item in mine.items()
            if name not in incoming and isinstance(item, str) and is_reference(item)
        }
        return kept | absent
    if isinstance(incoming, list):
        mine_list = ours if isinstance(ours, list) else []
        return [
            keep(item, mine_list[at] if at < len(mine_list) else None, key, lost=lost)
            for at, item in enumerate(incoming)
        ]
    if isinstance(incoming, str):
        if incoming == "" and isinstance(ours, str) and is_reference(ours):
            return ours
        # A whole secret is kept whatever the marker shows of it; a part of a text, where the rest is the same.
        if is_marker(incoming) and isinstance(ours, str) and is_reference(ours):
            return ours
        if MARKER in incoming and isinstance(ours, str) and MARKER in ours and mask(ours) == incoming:
            return ours
        if is_marker(incoming) and may_hold_key(key):
            if lost is not None:
                lost.append(key)
            return ""
    return incoming


def keep_marked(incoming: Any, ours: Any, key: str = "", *, lost: list[str]) -> Any:
    """Return what a client sent with our reference wherever it has a marker; all else is as it was sent.

    Members of lists that have ids are found by them, wherever they stand now. A marker for which we have nothing
    becomes "" under a secret's key, and the key is added to `lost`.
    """
    if isinstance(incoming, dict):
        mine = ours if isinstance(ours, dict) else {}
        return {name: keep_marked(item, mine.get(name), name, lost=lost) for name, item in incoming.items()}
    if isinstance(incoming, list):
        mine_list = ours if isinstance(ours, list) else []
        by_id = {_id_of(item): item for item in mine_list if _id_of(item)}
        return [
            keep_marked(item, by_id.get(_id_of(item)) if _id_of(item) else _member(mine_list, at), key, lost=lost)
            for at, item in enumerate(incoming)
        ]
    if not isinstance(incoming, str) or MARKER not in incoming:
        return incoming
    if isinstance(ours, str) and MARKER in ours and (mask(ours) == incoming or _is_whole(incoming, ours)):
        return ours
    if is_marker(incoming) and may_hold_key(key):
        lost.append(key)
        return ""
    return incoming


def _is_whole(incoming: str, ours: str) -> bool:
    return is_marker(incoming) and is_reference(ours)


def _id_of(item: Any) -> str:
    if isinstance(item, dict):
        for name in ("id", "fId"):
            if isinstance(item.get(name), str):
                return f"{name} {item[name]}"
    return ""


def _member(items: list[Any], at: int) -> Any:
    return items[at] if at < len(items) else None
