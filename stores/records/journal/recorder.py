"""Writing the journal: an entry is opened around the work and stored together with it, or not at all."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from stores.models import Change, ChangedRecord, MigrationRun, StoreCounter
from stores.records import registry, sql
from stores.records.codecs import storable
from stores.records.commits import note_at_commit
from stores.records.fields import compress
from stores.records.journal.delta import Delta
from stores.records.journal.telling import tell_change
from stores.records.jsontext import encode
from stores.records.sealing import Sealer, may_hold_secrets
from stores.records.secrets import hide_found

Action = ChangedRecord.Action
_CHANGE = (
    *("at", "actor", "source", "request_id", "action", "summary", "call", "stores", "record_count", "size"),
    *("duration_ms", "is_purged", "undoes_id", "run_id"),
)
_RECORD = ("change", "kind", "uid", "action", "hash_before", "hash_after", "position", "body")


@dataclass(frozen=True)
class Origin:
    """Who makes a change, and where; `call` is the request as method, path and a short body."""

    source: str
    actor: str = ""
    request_id: str = ""
    call: dict[str, Any] | None = None


@dataclass(slots=True)
class EntryRecord:
    """What becomes a `ChangedRecord`, with its fields."""

    kind: str
    uid: str
    action: str
    hash_before: str
    hash_after: str
    position: int | None
    body: str | None

    def values(self, change: int) -> tuple[Any, ...]:
        """Return the row of the table, in the order of `_RECORD`."""
        body = None if self.body is None else compress(self.body)
        return (change, self.kind, self.uid, self.action, self.hash_before, self.hash_after, self.position, body)


@dataclass
class Entry:
    """A change in progress. It is written when the work is done, in the same transaction."""

    origin: Origin
    action: str
    summary: str = ""
    undoes: Change | None = None
    run: MigrationRun | None = None
    records: list[EntryRecord] = field(default_factory=list)
    stores: set[str] = field(default_factory=set)
    sealer: Sealer = field(default_factory=Sealer)
    lost_keys: list[str] = field(default_factory=list)
    """Keys that were sent only as a marker and are not stored: they are now empty."""
    dropped_keys: list[str] = field(default_factory=list)
    """Stored keys that were removed because their service leads to another host now, each with its service."""
    into: Change | None = None
    """An entry of the same work, made by an earlier transaction, to which this one adds."""
    is_purged: bool = False
    is_kept: bool = False
    """Whether the entry is stored even without records, because its effect is kept elsewhere, such as in the ledger."""
    change: Change | None = None
    """The stored entry; None before the end, and where nothing was changed."""

    def created(self, kind: str, uid: str, hash_after: str) -> None:
        """Note a new record."""
        self._add(kind, uid, Action.CREATED, "", hash_after)

    def updated(self, kind: str, uid: str, hash_before: str, hash_after: str, delta: Delta) -> None:
        """Note an altered record with the difference."""
        self._add(kind, uid, Action.UPDATED, hash_before, hash_after, body=encode(delta))

    def deleted(self, kind: str, uid: str, hash_before: str, body: str, position: int | None = None) -> None:
        """Note a deleted record with its JSON text and its place."""
        self._add(kind, uid, Action.DELETED, hash_before, "", body=body, position=position)

    def _add(
        self,
        kind: str,
        uid: str,
        action: str,
        hash_before: str,
        hash_after: str,
        *,
        body: str | None = None,
        position: int | None = None,
    ) -> None:
        self.stores.add(store_of(kind, uid))
        self.records.append(EntryRecord(kind, uid, action, hash_before, hash_after, position, body))

    def save(self, started: float) -> None:
        """Write new secrets, and the entry if anything was changed."""
        call = self.origin.call
        if call is not None and may_hold_secrets(encode(call)):
            call = self.sealer.seal(call)
        self.sealer.save()
        if not self.records and not self.is_kept:
            return
        size = sum(len(record.body or "") for record in self.records)
        duration = round((time.perf_counter() - started) * 1000, 3)
        self.change = (
            self._create(call, size, duration) if self.into is None else self._add_to(self.into, size, duration)
        )
        sql.insert_rows(ChangedRecord, _RECORD, [record.values(self.change.pk) for record in self.records])
        count_up(self.stores)

    def _create(self, call: dict[str, Any] | None, size: int, duration: float) -> Change:
        at = timezone.now()
        values = (
            *(sql.as_stored(at), self.origin.actor[:200], self.origin.source, self.origin.request_id[:64]),
            *(self.action, readable(self.summary), None if call is None else encode(call)),
            *(" ".join(sorted(self.stores))[:500], len(self.records), size, duration, self.is_purged),
            *(self.undoes and self.undoes.pk, self.run and self.run.pk),
        )
        pk = sql.insert_values(Change, _CHANGE, values)
        # As the ORM reads it, but for what is not JSON yet or no longer.
        change = Change.from_db(connection.alias, ("id", *_CHANGE), (pk, *values))
        change.at, change.call = at, call
        return change

    def _add_to(self, change: Change, size: int, duration: float) -> Change:
        change.stores = " ".join(sorted({*change.stores.split(), *self.stores}))[:500]
        change.record_count += len(self.records)
        change.size += size
        change.duration_ms = round((change.duration_ms or 0) + duration, 3)
        change.save(update_fields=["stores", "record_count", "size", "duration_ms"])
        return change


def readable(title: str) -> str:
    """Return a title that the database can store, without secrets."""
    return storable(hide_found(title))[:500]


@contextmanager
def record_change(origin: Origin, action: str, summary: str = "", **kwargs: Any) -> Iterator[Entry]:
    """Open a transaction and a journal entry around the work."""
    started = time.perf_counter()
    with transaction.atomic():
        entry = Entry(origin, action, summary, **kwargs)
        yield entry
        entry.save(started)
        if entry.change is not None:
            note_at_commit()
    if entry.change is not None:
        tell_change(entry.change)


def store_of(kind: str, uid: str) -> str:
    """Return the name of the store that a record of this kind belongs to."""
    if kind == "store":
        return uid
    if kind in ("positions", "damaged"):
        return uid.partition("/")[0]
    return registry.collection_of(kind).store


def count_up(names: set[str]) -> None:
    """Raise the counters of those of the stores that are kept as rows."""
    # In a fixed order, to prevent deadlocks.
    for name in sorted(names):
        if not registry.is_relational(name):
            continue
        if not sql.execute("UPDATE {stores.StoreCounter} SET revision = revision + 1 WHERE name = %s", [name]):
            StoreCounter.objects.bulk_create([StoreCounter(name=name)], ignore_conflicts=True)
