"""Collections: the lists and maps of records inside a store's state that apps keep as rows."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, Literal

from django.db import models

from stores import jsontext
from stores.codecs import Rows, Unreadable, is_id
from stores.models import MigrationRun, Quarantine, Record
from stores.quarantine import quarantined_members

Original = tuple[str, str, Any]
"""Kind, id and JSON of what a conversion changed."""

DUMP_BATCH = 100
"""Records that a dump holds in memory at a time."""


class Age(Enum):
    """How another state of a record stands to ours."""

    OLDER = "older"
    NEWER = "newer"
    UNKNOWN = "unknown"


class Collection(ABC):
    """One list or map of records. `to_rows` and `to_json` are its codec, and pure; the rest is its database side.

    A member of a list that no row can hold is quarantined at its position; one of a map stays in the store's state.
    """

    store: str
    """The store's name, as app-folders."""
    key: str
    """The member of the state that holds the records, as folders."""
    kind: str
    """What one record is called in counts and reports."""
    shape: Literal["list", "map"] = "list"
    model: type[Record]
    parts: tuple[str, ...] = ()
    """Kinds of what is counted inside a record."""
    has_keys = True
    guards_keys = False
    """Whether the records can hold markers of keys, which mean those that are here."""

    has_twins = False
    """Whether a list can hold two records with one id, each on its own: else the second is damage."""

    converts_records = False
    """Whether old records become new one by one, whatever version their store has."""

    keeps_revisions = False
    """Whether earlier shapes are kept as revisions, beside the journal."""

    # --- codec ---

    def identify(self, record: Any) -> str | None:
        """Return the record's id, or None where it has none that can be used."""
        uid = record.get("id") if isinstance(record, dict) else None
        return uid if is_id(uid) else None

    def identify_twin(self, uid: str, number: int) -> str | None:
        """Return an id for another record (`number` 1, 2, …) of a list with the same one; None without `has_twins`."""
        return None

    def name_of(self, record: Any) -> str:
        """Return what a person calls the record."""
        name = next((record[key] for key in ("title", "label") if isinstance(record.get(key), str)), "")
        return name or str(record.get("id"))

    @abstractmethod
    def to_rows(self, record: Any, uid: str) -> Rows:
        """Return the rows of the record's JSON. Raises `Unreadable` with the reason where no row can hold it."""

    def is_readable(self, record: Any, uid: str) -> bool:
        """Tell whether rows can hold the record."""
        try:
            self.to_rows(record, uid)
        except Unreadable:
            return False
        return True

    def convert(self, record: Any, uid: str) -> tuple[Any, list[Original]]:
        """Return the record in today's shape, with the originals of what that changed."""
        return record, []

    def count_parts(self, record: Any) -> dict[str, int]:
        """Return how many parts of each kind the record's JSON has."""
        return {}

    def count_unreadable(self, record: Any) -> dict[str, int]:
        """Return how many parts of each kind nobody can read."""
        return {}

    def seen_parts(self, record: Any) -> list[str]:
        """Return for each readable part of the first kind (the messages of a chat) what a person reads in it."""
        return []

    def to_text(self, record: Any) -> str:
        """Return what a person reads in the record, or nothing where its JSON says it best."""
        return ""

    def damaged_uids(self) -> set[str]:
        """Return the records here of which a part is in the quarantine."""
        return set()

    def attach(self, record: Any, bytes_file: Path, *, writes: bool) -> Any:
        """Return the record with the base64 text of a file in its place. Raises TypeError where it has none."""
        raise TypeError(f"a {self.kind} has no bytes")

    def attach_text(self, record: Any) -> Any:
        """Return the record with stored bytes in the place of its base64 text, without writing them."""
        return record

    def find_damage(self, record: Any) -> str:
        """Return in words what is wrong with the files that belong to a record of ours, or nothing."""
        return ""

    def tidy(self) -> None:
        """Delete what writers that were killed left behind."""
        return

    def has_damaged_files(self, uid: str) -> bool:
        """Tell whether a record here has files of which one is gone or has other bytes."""
        return False

    def file_names(self) -> Iterator[str]:
        """Yield the names (SHA-256) of the files that belong to the records here."""
        yield from ()

    def describe_files(self, names: Iterable[str]) -> dict[str, str]:
        """Return for files of records here, by name, what a person knows them by."""
        return {}

    def is_same(self, one: Any, other: Any) -> bool:
        """Tell whether two records are equal as JSON."""
        return jsontext.same_quickly(one, other)

    def text_of(self, record: Any) -> str:
        """Return the JSON text of a record, to be kept as a revision."""
        return jsontext.encode(record)

    def as_journaled(self, record: Any) -> Any:
        """Return the record as plain JSON, for the journal."""
        return record

    def from_journaled(self, record: Any) -> Any:
        """Return the record that `as_journaled` made plain."""
        return record

    def updated_of(self, record: Any) -> float | None:
        """Return when the record says that it was last changed, in ms since the epoch."""
        return None

    def compare(self, ours: Any, theirs: Any) -> Age:
        """Tell from what two states of a record say which of them is the older one, as far as that can be told."""
        return Age.UNKNOWN

    def join(self, ours: Any, theirs: Any) -> Any:
        """Return our record with what a newer state of it has beyond it."""
        return theirs

    def contains(self, ours: Any, theirs: Any) -> bool:
        """Tell whether all that a person made in one state of a record is in another one too."""
        return self.is_same(ours, theirs)

    def guard_keys(self, ours: Any, value: Any, came: Any) -> tuple[Any, list[str]]:
        """Return the record that is to replace ours without our keys that must not go where it leads, and their names;
        `came` is what was sent of it. Only where `guards_keys` is set."""
        return value, []

    # --- database ---

    def find(self, uids: Iterable[str]) -> dict[str, Record]:
        """Return the rows with these ids, by id."""
        return {record.uid: record for record in self.model._default_manager.filter(uid__in=list(uids))}

    def find_for_write(self, uid: str) -> Any:
        """Return the row with this id, locked until the transaction ends, or None."""
        return self.model._default_manager.select_for_update().filter(uid=uid).first()

    def check_free(self, record: Any) -> None:
        """Raise `Conflict` while something else writes in the record."""
        return

    @abstractmethod
    def insert(self, batch: Sequence[tuple[Rows, int]], run: MigrationRun | None = None) -> None:
        """Write new records at their positions."""

    @abstractmethod
    def replace(self, record: Record, rows: Rows, run: MigrationRun | None = None) -> None:
        """Make the record what the rows say."""

    def delete(self, record: Any) -> None:
        """Delete the record with all that belongs to it alone."""
        record.delete()

    def pass_over(self, records: Sequence[tuple[str, Any]], run: MigrationRun) -> None:
        """Look at what an import brought, as ids and JSON, without making it the records that are here."""
        return

    @abstractmethod
    def load(self, records: Sequence[Any]) -> list[Any]:
        """Return the JSON of these rows, in their order, with references in the place of secrets."""

    def has_originals(self) -> bool:
        """Tell whether a conversion changed records that are here."""
        return False

    def load_originals(self, records: Sequence[Any]) -> list[Any]:
        """Return the JSON of these rows as it was before conversion."""
        return self.load(records)

    def rows(self) -> models.QuerySet[Any]:
        """Return all rows; those of a list in their order."""
        rows = self.model._default_manager
        return rows.order_by("position", "pk") if self.shape == "list" else rows.order_by("pk")

    def first_position(self) -> int:
        """Return the position for the first of new records."""
        if self.shape == "map":
            return 0
        last = self.rows().aggregate(last=models.Max("position"))["last"]
        return 0 if last is None else last + 1

    def records(self, load: Callable[[Sequence[Any]], list[Any]] | None = None) -> Iterator[tuple[Any, Any]]:
        """Yield each row with its JSON, in order; memory does not grow with the collection."""
        load = load or self.load
        last: tuple[int, int] | None = None
        while True:
            batch = list(self._after(last)[:DUMP_BATCH])
            if not batch:
                return
            yield from zip(batch, load(batch), strict=True)
            last = (getattr(batch[-1], "position", 0), batch[-1].pk)

    def _after(self, last: tuple[int, int] | None) -> models.QuerySet[Any]:
        # By keyset rather than by a cursor: other writes may come between, and no snapshot is held open.
        rows = self.rows()
        if last is None:
            return rows
        position, pk = last
        if self.shape == "map":
            return rows.filter(pk__gt=pk)
        return rows.filter(models.Q(position__gt=position) | models.Q(position=position, pk__gt=pk))

    def quarantined(self) -> list[Quarantine]:
        """Return the damaged members of the list itself that are JSON and so can stand in it, by position."""
        return quarantined_members(self.store, self.key, None)
