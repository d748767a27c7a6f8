"""Server-sent events as bytes (WHATWG HTML, section 9.2). Pure."""

from typing import Any

from stores.records.jsontext import encode

COMMENT = b": still here\n\n"
"""What keeps a connection open on which nothing happens."""
COMMENT_SECONDS = 15
"""After how long without an event a comment is sent."""


def frame(uid: int | str, name: str, data: Any) -> bytes:
    """Return one event. The data must be masked: nobody looks for secrets in it any more."""
    return f"id: {uid}\nevent: {name}\ndata: {encode(data)}\n\n".encode("ascii")
