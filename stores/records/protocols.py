"""What a collection may say of its records beside their codec and their table, by the job that asks for it: functions
of the app that keeps them. By default there is nothing to say."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from django.db import models

from stores.records.jsontext import canonical
from stores.records.merging.members import fingerprint, has_members, merge_members
from stores.records.merging.rules import Branch, Merged, Sides


@dataclass(frozen=True)
class Parts:
    """What is counted inside a record, as the messages of a chat."""

    kinds: tuple[str, ...] = ()
    tables: Mapping[str, type[models.Model]] = field(default_factory=dict)
    """The tables of those that have pages of their own in the admin, by kind."""
    count: Callable[[Any], dict[str, int]] = lambda record: {}
    """Returns how many parts of each kind a record's JSON has."""
    count_unreadable: Callable[[Any], dict[str, int]] = lambda record: {}
    """Returns how many parts of each kind nobody can read."""
    seen: Callable[[Any], list[str]] = lambda record: []
    """Returns for each readable part of the first kind (the messages of a chat) what a person reads in it."""
    seen_part: Callable[[Any], str] = canonical
    """Returns what a person reads in one part of the first kind."""
    to_text: Callable[[Any], str] = lambda part: ""
    """Returns one part of the first kind as plain text; nothing for what is none."""
    damaged_uids: Callable[[], set[str]] = set
    """Returns the records here of which a part is in the quarantine."""


@dataclass(frozen=True)
class States:
    """How two states of one record become one (`stores.records.merging`)."""

    merge: Callable[[Sides], Merged | None] | None = None
    """Merges two states; None: these two cannot be merged. Where there is no rule, the newer one replaces the other."""
    merges_always: bool = False
    """Whether they are merged also where nobody has changed ours since an import brought it."""
    merges_again: bool = False
    """Whether they are merged also where the other one is what was imported last: a later file may mean more by it."""
    base: Callable[..., Any] = lambda record, told, rows=None: None
    """Returns the base of a record as a file has it (`Told`), with its rows where there are any."""
    goes_on: Callable[[Any, Any], bool] = lambda base, incoming: False
    """Tells whether a state has parts that no import brought before."""
    copy: Callable[[Sides], Branch] | None = None
    """Returns the incoming state as a record of its own."""
    contains: Callable[[Any, Any], bool] | None = None
    """Tells whether all that a person made in another state is in ours too; None: only where they are the same."""


BY_MEMBER = States(merge_members, base=lambda record, told, rows=None: fingerprint(record), contains=has_members)
"""How settings, services and models are merged where they were changed here."""


def _unfollowed(value: Any, branches: Mapping[str, Sequence[str]]) -> Any:
    return value


@dataclass(frozen=True)
class Lists:
    """The list of other records' ids in a record: their branches are listed with them. `branches` are the ids of those
    by the ids of what they are branches of."""

    kind: str = ""
    """What is listed; empty: nothing is."""
    with_branches: Callable[[Any, Mapping[str, Sequence[str]]], Any] = _unfollowed
    """Returns a record that also lists the branches of what it lists, each behind it."""
    base_with_branches: Callable[[Any, Mapping[str, Sequence[str]]], Any] = _unfollowed
    """Returns the base of a record in which files said of branches what they said of the others."""


def _no_bytes(*args: Any, **kwargs: Any) -> NoReturn:
    raise TypeError("these records have no bytes")


def _as_it_is(record: Any) -> Any:
    return record


@dataclass(frozen=True)
class Files:
    """The files that belong to records."""

    path: tuple[str, ...] = ()
    """The path in a record to base64 text that an import keeps in a file of its own; empty: there is none."""
    attach: Callable[..., Any] = _no_bytes
    """Returns a record with the base64 text of a file in its place; `writes` says whether its bytes are stored."""
    attach_text: Callable[[Any], Any] = _as_it_is
    """Returns a record with stored bytes in the place of its base64 text, without writing them."""
    find_damage: Callable[[Any], str] = lambda record: ""
    """Returns in words what is wrong with the files of a record of ours, or nothing."""
    are_damaged: Callable[[str], bool] = lambda uid: False
    """Tells whether a record here has files of which one is gone or has other bytes."""
    names: Callable[[], Iterable[str]] = tuple
    """Returns the names (SHA-256) of the files of all records here."""
    describe: Callable[[Iterable[str]], dict[str, str]] = lambda names: {}
    """Returns for files of records here, by name, what a person knows them by."""
    named: Callable[[Any], Any] = _as_it_is
    """Returns a record as JSON that names its files, to be compared and kept as a revision."""
    journaled: Callable[[Any], Any] = _as_it_is
    """Returns a record as plain JSON, for the journal."""
    unjournaled: Callable[[Any], Any] = _as_it_is
    """Returns the record that `journaled` made plain."""
