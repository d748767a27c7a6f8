"""The inside of a JSON string, un-escaped by replacements, for the second reader of a file."""

import re

_ESCAPED_UNICODE = re.compile(rb"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|\\u([0-9a-fA-F]{4})")
_HIGH_SURROGATE = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}")
_ESCAPES = ((b"\\n", b"\n"), (b"\\r", b"\r"), (b"\\t", b"\t"), (b"\\b", b"\b"), (b"\\f", b"\f"), (b"\\/", b"/"))


class CannotReread(ValueError):
    """The file is damaged or cut where it was read."""


class OddPart(CannotReread):
    """The file has a part that big-AGI does not write. The message says which."""


def unescape(held: bytes) -> tuple[bytes, int, bool]:
    """Return what the inside of a JSON string means as far as it is held, how many bytes that took, and whether it
    ended with a quote. Both sides are UTF-8."""
    # Two bytes that UTF-8 does not have stand for escaped backslashes and quotes meanwhile: a quote or a backslash that
    # is left is none of them.
    text = held.replace(b"\\\\", b"\xff").replace(b'\\"', b"\xfe")
    end = text.find(b'"')
    is_closed = end >= 0
    if is_closed:
        text = text[:end]
        used = end + text.count(b"\xff") + text.count(b"\xfe") + 1
    else:
        text = text[: _whole_escapes(text)]
        used = len(text) + text.count(b"\xff") + text.count(b"\xfe")
    text = text.replace(b"\xfe", b'"')
    if b"\\" in text:
        for escaped, plain in _ESCAPES:
            text = text.replace(escaped, plain)
        text = _ESCAPED_UNICODE.sub(_character, text)
        if b"\\" in text:
            raise CannotReread("an unknown escape in a string")
    return text.replace(b"\xff", b"\\"), used, is_closed


def _whole_escapes(text: bytes) -> int:
    """Return how much of the text can be un-escaped: an escape, or a surrogate pair, that is not whole yet waits."""
    cut = text.rfind(b"\\", max(len(text) - 6, 0))
    if cut < 0:
        return len(text)
    return cut - 6 if _HIGH_SURROGATE.fullmatch(text, max(cut - 6, 0), cut) else cut


def _character(match: re.Match[bytes]) -> bytes:
    high, low, single = match.groups()
    if single:
        return chr(int(single, 16)).encode("utf-8", "surrogatepass")
    return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00).encode()
