"""The effective values of a model: the owner's settings override the vendor's (`bigagi-format.md` § 5). Pure."""

from collections.abc import Callable
from typing import Any

from stores.records.codecs import JSONObject


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_RULES: dict[str, tuple[tuple[str, ...], Callable[[Any], bool], Any]] = {
    "label": (("userLabel", "label"), lambda value: isinstance(value, str), None),
    "hidden": (("userHidden", "hidden"), lambda value: isinstance(value, bool), False),
    "starred": (("userStarred",), lambda value: isinstance(value, bool), False),
    "contextTokens": (("userContextTokens", "contextTokens"), _is_count, None),
    "maxOutputTokens": (("userMaxOutputTokens", "maxOutputTokens"), _is_count, None),
    "pricing": (("userPricing", "pricing"), lambda value: isinstance(value, dict), None),
}
"""For each value: the members that give it, the first one first; what it must be; what it is where none gives it."""


def effective_values(model: JSONObject) -> JSONObject:
    """Return the model's label, hidden, starred, contextTokens, maxOutputTokens and pricing (USD per million tokens).

    A price set by the owner replaces all of the vendor's prices. A field of a wrong type counts as absent.
    """
    return {
        name: next((model[key] for key in keys if fits(model.get(key))), otherwise)
        for name, (keys, fits, otherwise) in _RULES.items()
    }
