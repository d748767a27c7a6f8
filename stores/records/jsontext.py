"""JSON as text, without loss: what Python's `json` does to it by default is not enough for law 1 (`ARCHITECTURE.md`).

Two JSON values are the same when they are equal as JSON: key order aside, a boolean is no number, `1` equals `1.0`.
"""

import hashlib
import json
import re
import uuid
from collections.abc import Callable
from itertools import accumulate
from typing import Any, NoReturn

import orjson

from stores.records.json_values import is_number

MAX_DEPTH = 200
"""Levels of nesting that are decoded; deeper text is kept raw.

Python stops near 1,000 calls less the depth of the call stack, which differs between a command and a request, and a
walk through a value takes two calls a level. A fixed limit makes what was accepted once acceptable everywhere.
"""

OWN_DEPTH = MAX_DEPTH + 20
"""Levels of what we write ourselves: accepted values stand in it a few levels deeper."""

MAX_DIGITS = 4300
"""Digits of an integer that Python converts (`sys.get_int_max_str_digits`)."""

# It matches at every quote, at one that is never closed too: what fails at each of many quotes takes quadratic time.
_STRING = re.compile(r'"(?:[^"\\]++|\\.?)*+(?:"|\Z)', re.DOTALL)
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
"""One level down and one up, as signed bytes."""
_NO_BRACKETS = bytes(set(range(256)) - set(b"[{]}"))
_TOKEN = re.compile(
    r"""[ \t\r\n]*+(?:
        (?P<s>"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+")
      | (?P<v>-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?|true|false|null)
      | (?P<mark>[\[\]{},:])
      | (?P<end>\Z)
    )""",
    re.VERBOSE,
)
_ALLOWED = {
    "value": "sv[{",
    "first item": "sv[{]",
    "key": "s",
    "first key": "s}",
    "colon": ":",
    "more": ",]}",
    "end": "",
}
"""What may stand at each place of JSON text: s for a string, v for a number or a word."""


class UndecodableJSON(ValueError):
    """Text that is not JSON, or is beyond the limits of what is decoded. `reason` says which, in words."""

    def __init__(self, reason: str, *, beyond: str | None = None) -> None:
        """`beyond`: the text, where only a limit was met and it may be JSON all the same."""
        super().__init__(reason)
        self.reason = reason
        self._beyond = beyond

    @property
    def is_json(self) -> bool:
        """Tell whether the text is JSON. That takes a second for 1 MB of brackets: only who asks has to wait."""
        return self._beyond is not None and is_json_text(self._beyond)


def _parse_float(token: str) -> float | int:
    value = float(token)
    return int(value) if value.is_integer() else value


def _refuse_constant(token: str) -> NoReturn:
    raise UndecodableJSON(f"{token} is not allowed")


def make_decoder() -> json.JSONDecoder:
    """Return a decoder by our rules: whole floats are integers, and what is no JSON is refused."""
    return json.JSONDecoder(parse_float=_parse_float, parse_constant=_refuse_constant)


_decoder = make_decoder()
scan_string: Callable[[str, int, bool], tuple[str, int]] = json.decoder.scanstring  # type: ignore[attr-defined]  # the stubs leave it out
"""Returns the text of the JSON string whose inside begins at an index, and where it ends; False lets control characters
pass. Raises ValueError."""
_encoder = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":"))
_canonical_encoder = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":"), sort_keys=True)


def depth_of(text: str) -> int:
    """Return the deepest nesting of the JSON text, without recursion and in time that grows with its length only."""
    # No loop of Python's: 10 MB of brackets would hold up all other requests for seconds.
    outside = _STRING.sub("", text).encode("ascii", "replace")
    steps = memoryview(outside.translate(_STEPS, _NO_BRACKETS)).cast("b")
    return max(accumulate(steps, initial=0))


def decode(text: str, max_depth: int = MAX_DEPTH) -> Any:
    """Return the value of the JSON text; whole floats come as integers, so that `1.0` and `1` are one value.

    Raises `UndecodableJSON` with the reason where the text is no JSON, too deep, or has too long a number.
    """
    # Fewer opening brackets than levels cannot nest too deep: the exact count is needed for few texts.
    if text.count("[") + text.count("{") > max_depth and depth_of(text) > max_depth:
        raise UndecodableJSON(f"nested deeper than {max_depth} levels", beyond=text)
    try:
        return _decoder.decode(text)
    except UndecodableJSON:
        raise
    except json.JSONDecodeError as error:
        raise UndecodableJSON(f"{error.msg} at character {error.pos}") from error
    except ValueError as error:
        raise UndecodableJSON(f"a number has more than {MAX_DIGITS} digits", beyond=text) from error
    except RecursionError as error:
        raise UndecodableJSON("nested too deeply", beyond=text) from error


def is_json_text(text: str) -> bool:
    """Tell whether the text follows JSON's grammar, at any depth and with numbers of any length."""
    # ijson takes "+1", other alphabets' digits and spaces, and raw text that a dump repeats must be JSON exactly.
    brackets: list[str] = []
    place, at = "value", 0
    while match := _TOKEN.match(text, at):
        at = match.end()
        if match.lastgroup == "end":
            return place == "end"
        symbol = match["mark"] or str(match.lastgroup)
        if symbol not in _ALLOWED[place]:
            return False
        if symbol in "[{":
            brackets.append(symbol)
            place = "first item" if symbol == "[" else "first key"
        elif symbol in ",:":
            place = "key" if symbol == "," and brackets[-1] == "{" else "value"
        elif symbol in "]}" and brackets.pop() + symbol not in ("[]", "{}"):
            return False
        elif symbol == "s" and place in ("key", "first key"):
            place = "colon"
        else:
            place = "more" if brackets else "end"
    return False


def encode(value: Any) -> str:
    """Return compact JSON text of ASCII characters only; an infinite float, which was a number too large for a
    double (`1e400`), goes out as `1e999`."""
    return _encode(_encoder, value)


def canonical(value: Any) -> str:
    """Return the JSON text that is the same for all values that are equal as JSON (keys sorted)."""
    return _encode(_canonical_encoder, value)


def _encode(encoder: json.JSONEncoder, value: Any) -> str:
    try:
        return encoder.encode(value)
    except ValueError:
        mark = uuid.uuid4().hex
        text = encoder.encode(_without_infinities(value, mark))
        return text.replace(f'"{mark}-"', "-1e999").replace(f'"{mark}+"', "1e999")


def _without_infinities(value: Any, mark: str) -> Any:
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return mark + ("+" if value > 0 else "-")
    if isinstance(value, dict):
        return {key: _without_infinities(item, mark) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_infinities(item, mark) for item in value]
    return value


def digest(text: str) -> str:
    """Return the 32 hexadecimal digits that stand for this text."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def content_hash(value: Any) -> str:
    """Return the digest of the canonical JSON of a value: equal values have equal hashes."""
    return hashlib.blake2b(canonical(value).encode("ascii"), digest_size=16).hexdigest()


def same(one: Any, other: Any) -> bool:
    """Tell whether two values are equal as JSON."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(item, other[key]) for key, item in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other or (is_number(one) and is_number(other) and one == other)


def same_quickly(one: Any, other: Any) -> bool:
    """Like `same`, for large values that are equal as a rule."""
    if one != other:
        return False
    # Python holds True for 1: texts tell them apart, and whether an infinity is one does not matter any more.
    options = orjson.OPT_SORT_KEYS
    try:
        return orjson.dumps(one, option=options) == orjson.dumps(other, option=options) or same(one, other)
    except TypeError:
        return same(one, other)
