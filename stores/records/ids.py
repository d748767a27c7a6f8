"""big-AGI's ids in URLs: opaque text that can hold anything, a slash as well."""

import base64
import binascii
import re
from urllib.parse import quote

from stores.records.codecs import is_id

ROOT = "/api/"

RESERVED = frozenset({"bulk", "export", "search", "init", "order", "events"})
"""Words used in place of an id; a record with such an id is found only under its encoded form."""

_PLAIN = re.compile(r"[A-Za-z0-9_\-.:]+")

LOOKUP = "[^/]+"
"""One segment of a path, as a regular expression."""


class UnknownId(LookupError):
    """A path's segment that is no id."""


def encode_id(uid: str) -> str:
    """Return the id as one segment of a URL's path, quoted.

    Servers decode `%2F` before routing, and clients resolve `.` and `..`. Such ids, reserved words, and ids
    that look like this form are written as `~` and base64url.
    """
    if _PLAIN.fullmatch(uid) and uid not in RESERVED and uid not in (".", ".."):
        return uid
    if "/" in uid or uid in RESERVED or uid in (".", "..") or uid.startswith("~"):
        return "~" + base64.urlsafe_b64encode(uid.encode()).decode("ascii").rstrip("=")
    return quote(uid, safe="-._:@!$'()*,;")


def decode_id(segment: str) -> str:
    """Return the id of a path's segment, which the server has unquoted. Raises `UnknownId`."""
    uid = segment
    if segment.startswith("~"):
        digits = segment[1:]
        try:
            uid = base64.b64decode(digits + "=" * (-len(digits) % 4), altchars="-_", validate=True).decode()
        except (binascii.Error, ValueError) as error:
            raise UnknownId(segment) from error
    elif segment in RESERVED:
        raise UnknownId(segment)
    if not is_id(uid):
        raise UnknownId(segment)
    return uid


def href(*segments: str) -> str:
    """Return the path of a resource: `href("chats", uid, "messages")`. Fixed words and ids alternate."""
    return ROOT + "/".join(encode_id(segment) if at % 2 else segment for at, segment in enumerate(segments))
