"""JSON Merge Patch (RFC 7396). Pure."""

from typing import Any


def merge(value: Any, patch: Any) -> Any:
    """Return the value with the patch applied: null removes a member, an object goes into the object there, anything
    else takes the place of what is there."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(value) if isinstance(value, dict) else {}
    for key, item in patch.items():
        if item is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), item)
    return merged
