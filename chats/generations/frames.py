"""Server-sent events as bytes (WHATWG HTML, section 9.2). Pure."""

import re
from collections.abc import Iterator
from typing import Any

from stores.records.jsontext import encode

_NUMBER = re.compile(r"id: (\d+)\n")
_HTML = "\nevent: html\n"
DONE = "\nevent: done\n"


def frame(number: int, name: str, data: Any) -> bytes:
    """Return one event. The data must be masked: nobody looks for secrets in it any more."""
    return f"id: {number}\nevent: {name}\ndata: {encode(data)}\n\n".encode("ascii")


def pick_frames(text: str, after: int, *, html: bool) -> Iterator[str]:
    """Yield the events of a stretch beyond number `after`, those of rendered blocks only if they are asked for."""
    for piece in text.split("\n\n"):
        number = _NUMBER.match(piece)
        if number and int(number[1]) > after and (html or _HTML not in piece):
            yield f"{piece}\n\n"
