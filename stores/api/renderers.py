"""JSON as the API writes it."""

from typing import Any

from rest_framework.renderers import BaseRenderer

from stores.records.jsontext import encode
from stores.records.secrets import MARKER, mask


def write_json(value: Any) -> str:
    """Return the JSON text of a response: ASCII, with numbers and text unchanged, secrets masked."""
    text = encode(value)
    # Searching the text for the marker avoids a second encoding by `mask` for most responses.
    return encode(mask(value)) if MARKER in text else text


class JSONRenderer(BaseRenderer):
    """big-AGI's JSON and ours. DRF's own renderer fails on lone surrogates and on `1e400`."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return b"" if data is None and _has_no_body(renderer_context) else write_json(data).encode("ascii")


class EventStreamRenderer(JSONRenderer):
    """Lets clients request server-sent events; what this renders is still JSON."""

    media_type = "text/event-stream"
    format = "events"


def _has_no_body(renderer_context: Any) -> bool:
    response = (renderer_context or {}).get("response")
    return response is not None and response.status_code in (204, 304)
