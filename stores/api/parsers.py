"""Bodies of requests: JSON by our own rules, within the limits that each view sets."""

from typing import Any, BinaryIO

from rest_framework.parsers import BaseParser

from stores.api.problems import Problem
from stores.records.jsontext import UndecodableJSON, decode

MIB = 2**20
MAX_BODY = 10 * MIB
MAX_CHAT = 128 * MIB
MAX_FILE = 16 * MIB


def read_body(stream: BinaryIO, context: dict[str, Any]) -> bytes:
    """Return the body. Raises `Problem` where it is longer than the view's `max_body`."""
    limit = getattr(context["view"], "max_body", MAX_BODY)
    length = context["request"].META.get("CONTENT_LENGTH") or "0"
    if length.isascii() and length.isdigit() and int(length) > limit:
        raise too_large(limit)
    body = stream.read(limit + 1)
    if len(body) > limit:
        raise too_large(limit)
    return body


def too_large(limit: int) -> Problem:
    """Return the problem of a body that is too long."""
    hint = "To import a whole backup, use POST /api/migrations or manage.py import_indexeddb."
    return Problem(413, f"The body must be at most {limit // MIB} MiB. {hint}")


class JSONParser(BaseParser):
    """JSON in UTF-8. Numbers of any size, lone surrogates and NUL are accepted; NaN and too deep nesting are not. DRF's
    own knows no longest body, and fails on what is too deep."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        body = read_body(stream, parser_context)
        try:
            return decode(body.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise Problem(400, f"The body must be UTF-8 ({error.reason} at byte {error.start}).") from error
        except UndecodableJSON as error:
            raise Problem(400, f"The body must be valid JSON: {error.reason}.") from error


class MergePatchParser(JSONParser):
    """JSON Merge Patch under its own type (RFC 7396)."""

    media_type = "application/merge-patch+json"


class TextParser(BaseParser):
    """Raw text in UTF-8, of whatever type."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            return read_body(stream, parser_context).decode("utf-8")
        except UnicodeDecodeError as error:
            raise Problem(400, f"The body must be UTF-8 ({error.reason} at byte {error.start}).") from error


class UnreadParser(BaseParser):
    """Leaves the body for the view to read. DRF accesses the data early, for example for a CSRF token in a form."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        return {}
