"""What a parser finds in a file."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from stores.records.merging.rules import believable

_TIME = re.compile(r'"(?:created|updated)"\s*+:\s*+(\d{1,15})\b')
"""A time in the text of a chat. Inside of a string, quotes have a backslash before them."""


@dataclass
class StoreItem:
    """A whole store, or what is left of one whose records come one by one (`is_left_over`).

    `is_partial`: the file's kind carries only some of the store's members.
    """

    name: str
    value: Any
    text: str
    is_left_over: bool = False
    is_partial: bool = False


@dataclass
class RecordItem:
    """One record of a list that is too long to be held whole. `value` is None where its text is known by its digest."""

    kind: str
    index: int
    text: str
    digest: str
    value: Any = None
    bytes_file: Path | None = None
    """The base64 text that stands in the record (`Files.path`), in a file of its own."""


@dataclass
class DamagedItem:
    """Text that could not be read, or not as what it should be."""

    store: str
    collection: str
    kind: str
    index: int
    raw: str
    reason: str
    is_json: bool
    place: str


@dataclass
class RecoveryCopy:
    """The text of `app-chats-v3`: kept, never imported."""

    name: str
    text: str


@dataclass
class CutItem:
    """The file ends before its JSON does."""

    place: str
    missing: str
    raw: str = ""


Item = StoreItem | RecordItem | DamagedItem | RecoveryCopy | CutItem


@dataclass
class FileFacts:
    """What a file says about itself."""

    kind: str = ""
    taken_at: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    has_settings: bool = False
    has_chats: bool = False
    tables: set[str] = field(default_factory=set)
    """Kinds of the records whose tables the file has."""

    def note_time(self, text: str) -> None:
        """Take a chat's latest time for that of the file, where it is later: a file that does not say when it was
        written is at least as new as what is in it."""
        told = (believable(int(at)) for at in _TIME.findall(text))
        if latest := max((at for at in told if at), default=0):
            self.taken_at = max(
                self.taken_at, datetime.fromtimestamp(latest / 1000, UTC).isoformat(timespec="milliseconds")
            )


IsKnown = Callable[[str, str], bool]
"""Tells whether a record of this kind with this digest was imported before, so that it need not be decoded."""
