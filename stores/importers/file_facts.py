"""What is known of the file that is imported, and what was asked for."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from stores.records.merging.rules import Told, believable


class Strategy(StrEnum):
    """What becomes of a record that is here in another state than in the file."""

    MERGE = "merge"
    OURS = "ours"
    THEIRS = "theirs"
    COPY = "copy"


OMITTED_FIELDS = {
    "all-chats": frozenset({"isArchived", "userSymbol", "tokenCount"}),
    "one-chat": frozenset({"isArchived", "userSymbol", "tokenCount"}),
}
"""What of a chat each kind of file leaves out (`bigagi-format.md` § 2)."""


@dataclass
class Source:
    """What is known of the file that the candidates are from."""

    taken_at: str = ""
    first_run: int | None = None
    """The run that imported these very bytes first, if one did."""
    omitted_fields: frozenset[str] = frozenset()
    """Members of a record that this kind of file does not carry."""
    strategy: Strategy = Strategy.MERGE
    restores_deleted: bool = False
    in_file: Callable[[str], Collection[str]] = lambda kind: ()
    """Returns the ids of the records of a kind that were met so far."""

    def told(self, value: Any) -> Told:
        """Return what is known of the file, for one of its records."""
        at = time_of(self.taken_at)
        omits = frozenset(key for key in self.omitted_fields if isinstance(value, dict) and key not in value)
        return Told(at.timestamp() * 1000 if at else 0, omits, self.in_file)


def time_of(text: str) -> datetime | None:
    """Return the time that a file says, unless only a wrong clock can have told it."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return at if believable(at.timestamp() * 1000) is not None else None
