"""The names of the rules, and what goes into a merge and comes out of it.

A merge has three sides: what is here, what a file brings, and the *base*, which tells what imports had made of the
record when they last met it. The base is no copy but digests, so it can say *this is as it was* and nothing else: no
text that was deleted stays in it, and no secret. Where it is not known, two sides are merged.

No rule deletes. What is only on one side stays, unless it was deleted here.
"""

import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from stores.records.json_values import is_number

CLOCK_SKEW_MS = 24 * 60 * 60 * 1000
"""How far in the future a browser's time may lie and still be believed: clocks and zones differ."""


class Rule(StrEnum):
    """What was decided, in the words of the report."""

    OLDER = "older"
    CHANGED_HERE = "changed here"
    DELETED = "deleted here"
    DELETED_AND_CONTINUED = "deleted here, continued in the file"
    CONTINUED = "continued in the file"
    JOINED = "messages of both"
    BRANCHED = "both continued: a branch"
    EDITED = "edited: the newer shown"
    EDITED_TWICE = "edited on both sides: the newer shown"
    REASONING = "dropped reasoning kept"
    MESSAGE_DELETED = "message deleted here"
    FIELD = "field changed"
    NEWER_FIELD = "changed on both sides: the newer"
    OUR_FIELD = "changed on both sides: ours"
    MEMBER = "setting changed"
    LISTED = "entries of both"
    READABLE = "readable again"
    BUSY = "an answer is being written in it: import the file again"
    OURS = "ours, as asked"
    THEIRS = "the file's, as asked"
    COPIED = "a copy, as asked"


CONFLICTS = frozenset({Rule.BRANCHED, Rule.EDITED_TWICE, Rule.NEWER_FIELD, Rule.OUR_FIELD, Rule.DELETED_AND_CONTINUED})
"""Rules that decide between two sides which were both changed since an import brought the record."""


@dataclass(frozen=True)
class Told:
    """What is known of the file that a state is from."""

    taken_at: float = 0
    """When it was written, in ms; 0: not known."""
    omits: frozenset[str] = frozenset()
    """Members of the record of which such a file says nothing."""
    in_file: Callable[[str], Collection[str]] = lambda kind: ()
    """Returns the ids of the records of a kind that the file has."""


NOTHING = Told()


@dataclass
class Sides:
    """Two states of a record that differ, and what is known of them."""

    uid: str
    stored: Any
    incoming: Any
    base: Any = None
    """What imports made of it, as `Merged.base`; None: not known."""
    root: str = ""
    """The record that it is a branch of; by default itself."""
    is_as_imported: bool = False
    """Whether nobody has changed it here since the last import."""
    is_newer: bool = False
    """Whether the file is newer than what brought it, for records without a time of their own."""
    told: Told = NOTHING
    restores_deleted: bool = False
    is_readable_again: Callable[[Any, Any], bool] = lambda stored, incoming: False
    """Tells whether an incoming value is the stored one, but for secrets that cannot be read here any more."""

    def __post_init__(self) -> None:
        self.root = self.root or self.uid


@dataclass
class Branch:
    """A record that another one is continued as, under an id that is always the same."""

    uid: str
    record: Any
    root: str


@dataclass
class Merged:
    """What two states became."""

    record: Any
    base: Any
    rules: Counter[Rule] = field(default_factory=Counter)
    branch: Branch | None = None
    versions: list[tuple[str, Any]] = field(default_factory=list)
    """Other states of parts of the record (the messages of a chat), by the part's id."""
    is_whole: bool = True
    """Whether all that the incoming state says is in the record, its branch or the versions."""
    left_out: set[str] = field(default_factory=set)
    """The incoming parts that are not in the record because they were deleted here."""


def believable(at: Any, *, since: float = 0) -> float | None:
    """Return a time in ms; None for what is no time, and for one that only a wrong clock can have told: in the future,
    or before `since`."""
    return at if is_number(at) and since <= at <= time.time() * 1000 + CLOCK_SKEW_MS else None
