"""Values as text for people: times, JSON and text without secrets. For pages, the admin and commands."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils.text import Truncator

from stores.records import jsontext
from stores.records.secrets import hide, mask

NOTHING = "–"
"""What stands where there is no value."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SURROGATE = re.compile("[\ud800-\udfff]")


def format_moment(value: Any, *, unit: str = "milliseconds") -> str:
    """Return a readable time for a time since the epoch in `unit`; other values unchanged."""
    if value is None:
        return NOTHING
    if isinstance(value, bool) or not isinstance(value, int):
        return str(value)
    try:
        return f"{_EPOCH + timedelta(**{unit: value}):%Y-%m-%d %H:%M:%S} UTC"
    except OverflowError:
        return str(value)


def format_json(value: Any) -> str:
    """Return JSON for people to read: indented, with markers in the place of secrets and without lone surrogates."""
    try:
        text = json.dumps(mask(value), ensure_ascii=False, indent=2)
    except RecursionError:
        text = jsontext.encode(mask(value))
    return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def format_text(text: str) -> str:
    """Return raw text with markers in the place of secrets and escapes in the place of lone surrogates."""
    return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", str(mask(text)))


def shorten(text: str, length: int) -> str:
    """Return text of at most so many characters; a reference to a secret is never cut in two."""
    return Truncator(hide(text)).chars(length)
