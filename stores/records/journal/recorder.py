"""Writing the journal: an entry is opened around the work and stored together with it, or not at all."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from stores.models import Change, ChangedRecord, MigrationRun, StoreCounter
from stores.records import registry
from stores.records.codecs import storable
from stores.records.commits import note_at_commit
from stores.records.fields import compress
from stores.records.journal.delta import Delta
from stores.records.journal.telling import tell_change
from stores.records.jsontext import encode
from stores.records.sealing import Sealer, may_hold_secrets
from stores.records.secrets import hide_found
from stores.records.sql import execute, insert_one, insert_rows

Action = ChangedRecord.Action
_NAMES = ("change", "kind", "uid", "action", "hash_before", "hash_after", "position", "body")


@dataclass(frozen=True)
class Origin:
    """Who makes a change, and where; `call` is the request as method, path and a short body."""

    source: str
    actor: str = ""
    request_id: str = ""
    call: dict[str, Any] | None = None


@dataclass
class Entry:
    """A change in progress. It is written when the work is done, in the same transaction."""

    origin: Origin
    action: str
    summary: str = ""
    undoes: Change | None = None
    run: MigrationRun | None = None
    records: list[ChangedRecord] = field(default_factory=list)
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
        self.records.append(
            ChangedRecord(
                kind=kind,
                uid=uid,
                action=action,
                hash_before=hash_before,
                hash_after=hash_after,
                position=position,
                body=body,
            )
        )

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
        insert_rows(ChangedRecord, _NAMES, [self._values(self.change.pk, record) for record in self.records])
        count_up(self.stores)

    @staticmethod
    def _values(change: int, record: ChangedRecord) -> tuple[Any, ...]:
        body = None if record.body is None else compress(record.body)
        return (
            *(change, record.kind, record.uid, record.action),
            *(record.hash_before, record.hash_after, record.position, body),
        )

    def _create(self, call: dict[str, Any] | None, size: int, duration: float) -> Change:
        change = Change(
            source=self.origin.source,
            actor=self.origin.actor[:200],
            request_id=self.origin.request_id[:64],
            action=self.action,
            summary=readable(self.summary),
            call=call,
            stores=" ".join(sorted(self.stores))[:500],
            record_count=len(self.records),
            size=size,
            duration_ms=duration,
            is_purged=self.is_purged,
            undoes=self.undoes,
            run=self.run,
        )
        insert_one(change)
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
        if not execute("UPDATE {stores.StoreCounter} SET revision = revision + 1 WHERE name = %s", [name]):
            StoreCounter.objects.bulk_create([StoreCounter(name=name)], ignore_conflicts=True)
