"""What the readers of one file share."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stores.importers.items import FileFacts, IsKnown
from stores.importers.scanner import Scanner
from stores.records.jsontext import UndecodableJSON, decode

_BYTES_NOT_UTF8 = re.compile("[\udc80-\udcff]")


@dataclass
class Reading:
    """A file being read. `place` says in words where the cursor is; `scratch` is the folder for long strings."""

    scanner: Scanner
    facts: FileFacts
    is_known: IsKnown
    scratch: Path
    place: str = "the beginning"
    seen: set[tuple[str, str]] = field(default_factory=set)
    """Kind and id of the records of tables that the file had so far."""


def decoded(text: str) -> Any:
    """Return the value of a record's text. Raises `UndecodableJSON`, also for bytes that were no UTF-8."""
    if not text.isascii() and _BYTES_NOT_UTF8.search(text):
        raise UndecodableJSON("bytes that are not UTF-8")
    return decode(text)
