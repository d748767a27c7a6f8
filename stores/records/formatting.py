"""Values as text for people: times, JSON and text without secrets. For pages, the admin and commands."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.text import Truncator

from stores.records import jsontext
from stores.records.secrets import hide, mask

NOTHING = "–"
"""What stands where there is no value."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SURROGATE = re.compile("[\ud800-\udfff]")


def format_time(at: datetime, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """Return a time as people read it, in the time zone that is active: the browser's on pages, else UTC."""
    at = timezone.localtime(at)
    return f"{at:{form}} {name_zone(at)}"


def name_zone(at: datetime) -> str:
    """Return the short name of a time's zone: `CET`, or `UTC+03` where it has none."""
    name = at.tzname() or "UTC"
    return f"UTC{name}" if name[:1] in "+-" else name


def format_moment(value: Any, *, unit: str = "milliseconds") -> str:
    """Return a readable time for a time since the epoch in `unit`; other values unchanged."""
    if value is None:
        return NOTHING
    if isinstance(value, bool) or not isinstance(value, int):
        return str(value)
    try:
        return format_time(_EPOCH + timedelta(**{unit: value}))
    except (OverflowError, ValueError):
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
