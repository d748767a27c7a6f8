"""The texts of files: what can come, and how long they can be."""

from typing import Any

from stores.api.parsers import MIB, TextParser, read_body
from stores.api.problems import Problem
from stores.records.codecs import JSONObject
from workspace.services.files import size_of

MAX_TEXT = 10 * MIB
"""Bytes of a file's text, as UTF-8 (`bigagi-format.md` § 7)."""


class FileTextParser(TextParser):
    """Raw text in UTF-8, of whatever type. Lone surrogates come as their three bytes, as they are given."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            return read_body(stream, parser_context or {}).decode("utf-8", "surrogatepass")
        except UnicodeDecodeError as error:
            raise Problem(400, f"The body must be UTF-8 ({error.reason} at byte {error.start}).") from error


def check_text(record: JSONObject) -> None:
    """Raise `Problem` where the record's text is too long."""
    text = record.get("content")
    if isinstance(text, str) and size_of(text) > MAX_TEXT:
        raise Problem(413, f"The text must be at most {MAX_TEXT // MIB} MiB, the limit of big-AGI.")
