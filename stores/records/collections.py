"""Collections: the lists and maps of records inside a store's state that apps keep as rows."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from django.db import models

from stores.models import MigrationRun
from stores.records import jsontext
from stores.records.codecs import Rows, Unreadable, is_id
from stores.records.protocols import Files, Lists, Parts, States
from stores.records.sql import find_row

Original = tuple[str, str, Any]
"""Kind, id and JSON of what a conversion changed."""


class Collection(ABC):
    """One list or map of records. `to_rows` and `to_json` are its codec, and pure; the rest is its database side. What
    else there may be to say of the records is in `parts`, `states`, `files` and `lists`.

    A member of a list that no row can hold is quarantined at its position; one of a map stays in the store's state.
    """

    store: str
    """The store's name, as app-folders."""
    key: str
    """The member of the state that holds the records, as folders."""
    kind: str
    """What one record is called in counts and reports."""
    shape: Literal["list", "map"] = "list"
    model: type[models.Model]
    uid_column = "uid"
    """The model's field that holds the id."""
    parts = Parts()
    states = States()
    files = Files()
    lists = Lists()
    member_lists: Mapping[str, str] = {}
    """The lists inside a record of which single members can be quarantined, with the kind of what has the list."""
    nouns: Mapping[str, tuple[str, str]] = {}
    """What people call one and many of the records and of their parts, by kind; others go by their kind."""
    route = ""
    """Where the records are under /api/, as chats; empty: nowhere."""
    is_long = False
    """Whether an import takes the records one by one, since the whole list may not fit into memory."""
    keeps_places = False
    """Whether a file's records get the same positions again when it is imported again."""
    if_absent = ""
    """What an import says of a backup that could have the list and does not."""
    has_keys = True
    """Whether the records can hold markers of keys, which mean those that are here."""

    guards_keys = False
    """Whether the records lead to hosts for which alone their keys are meant."""

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
        return name or str(record.get("id", ""))

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

    def to_text(self, record: Any) -> str:
        """Return what a person reads in the record, or nothing where its JSON says it best."""
        return ""

    def tidy(self) -> None:
        """Delete what writers that were killed left behind."""
        return

    def is_same(self, one: Any, other: Any) -> bool:
        """Tell whether two records are equal as JSON."""
        return jsontext.same_quickly(self.files.named(one), self.files.named(other))

    def text_of(self, record: Any) -> str:
        """Return the JSON text of a record, to be kept as a revision."""
        return jsontext.encode(self.files.named(record))

    def contains(self, stored: Any, incoming: Any) -> bool:
        """Tell whether all that a person made in one state of a record is in another one too."""
        return (self.states.contains or self.is_same)(stored, incoming)

    def guard_keys(self, stored: Any, value: Any, sent: Any) -> tuple[Any, list[str]]:
        """Return the record that is to replace ours without our keys that must not go where it leads, and their names;
        `sent` is what was sent of it. Only where `guards_keys` is set."""
        return value, []

    def settle(self, stored: Any, before: Any) -> Any:
        """Return what an undo makes of `stored`, its state before, without anything that is no longer under way."""
        return before

    # --- database ---

    def find(self, uids: Iterable[str]) -> dict[str, Any]:
        """Return the rows with these ids, by id."""
        found = self.model._default_manager.filter(**{f"{self.uid_column}__in": list(uids)})
        return {getattr(row, self.uid_column): row for row in found}

    def find_for_write(self, uid: str) -> Any:
        """Return the row with this id, locked until the transaction ends, or None."""
        return find_row(self.model, self.uid_column, uid, locks=True)

    def check_free(self, record: Any) -> None:
        """Raise `Conflict` while something else writes in the record."""
        return

    @abstractmethod
    def insert(self, batch: Sequence[tuple[Rows, int]], run: MigrationRun | None = None) -> None:
        """Write new records at their positions."""

    def replace(self, record: Any, rows: Rows, run: MigrationRun | None = None) -> None:
        """Make the record what the rows say."""
        for name, value in rows.columns.items():
            setattr(record, name, value)
        record.extra = rows.extra or None
        record.content_hash = rows.content_hash
        if hasattr(record, "revision"):
            record.revision += 1
        record.save()

    def delete(self, record: Any) -> None:
        """Delete the record with all that belongs to it alone."""
        record.delete()

    def observe(self, records: Sequence[tuple[str, Any]], run: MigrationRun) -> None:
        """Look at what an import brought, as ids and JSON, without making it the records that are here."""
        return

    def read_beside(self, uids: Iterable[str]) -> dict[str, Any]:
        """Return as JSON, by id, what imports change beside these records and the journal does not keep; nothing where
        there is no such thing."""
        return {}

    def write_beside(self, uid: str, state: Any) -> None:
        """Make what stands beside a record what `read_beside` said once."""
        return

    @abstractmethod
    def load(self, records: Sequence[Any]) -> list[Any]:
        """Return the JSON of these rows, in their order, with references in the place of secrets."""

    def find_branches(self, uids: Iterable[str]) -> dict[str, list[Any]]:
        """Return the rows of the branches that imports made of these records, by the records' ids."""
        return {}

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
