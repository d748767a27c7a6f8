"""The events of a generation as they are kept: bytes of server-sent events. Pure."""

import re
from collections.abc import Iterator

_NUMBER = re.compile(r"id: (\d+)\n")
_HTML = "\nevent: html\n"
DONE = "\nevent: done\n"


def pick_frames(text: str, after: int, *, html: bool) -> Iterator[str]:
    """Yield the events of a stretch beyond number `after`, those of rendered blocks only if they are asked for."""
    for piece in text.split("\n\n"):
        number = _NUMBER.match(piece)
        if number and int(number[1]) > after and (html or _HTML not in piece):
            yield f"{piece}\n\n"
