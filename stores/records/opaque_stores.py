"""Stores that are kept whole, and what is left of those kept as rows, seen as a collection of records."""

from collections.abc import Sequence
from typing import Any

from django.db import models

from stores.models import MigrationRun, Store
from stores.records import jsontext, registry
from stores.records.codecs import Rows
from stores.records.collections import Collection, Original
from stores.records.envelope import Envelope, close_envelope, envelope_of, open_envelope
from stores.records.hosts import guard_beside_hosts
from stores.records.protocols import BY_MEMBER


class OpaqueStores(Collection):
    """Each record is one store's value, and its id the store's name."""

    store, key, kind, model, uid_column = "", "", "store", Store, "name"
    shape = "map"
    keeps_revisions = True
    guards_keys = True
    states = BY_MEMBER

    def guard_keys(self, stored: Any, value: Any, sent: Any) -> tuple[Any, list[str]]:
        """Remove the stored keys beside hosts that now have another address, as of engines for speech; but for those
        that were sent anew."""
        return guard_beside_hosts(stored, value, sent)

    def identify(self, record: Any) -> str | None:
        raise TypeError("a store is named by its place, not by its value")

    def convert(self, record: Any, uid: str) -> tuple[Any, list[Original]]:
        envelope = open_envelope(record)
        if "version" in envelope.extra:
            # A version that is missing counts as 0, one that is no number says nothing.
            return record, []
        state, version = registry.convert(registry.get(uid), envelope.data, envelope.version)
        if envelope.shape == Store.Shape.VALUE or (state is envelope.data and version == envelope.version):
            return record, []
        converted = close_envelope(Envelope(envelope.shape, state, version, envelope.extra))
        # What only got the number of the newest version has lost nothing, but its original is cheap.
        return converted, [("store", uid, record)]

    def to_rows(self, record: Any, uid: str) -> Rows:
        envelope = open_envelope(record)
        columns = {"shape": envelope.shape, "data": envelope.data, "version": envelope.version}
        return Rows(uid, columns, envelope.extra, jsontext.content_hash(record))

    def rows(self) -> models.QuerySet[Any]:
        return Store.objects.order_by("name")

    def insert(self, batch: Sequence[tuple[Rows, int]], run: MigrationRun | None = None) -> None:
        Store.objects.bulk_create(
            Store(name=rows.uid, extra=rows.extra or None, content_hash=rows.content_hash, **rows.columns)
            for rows, _ in batch
        )

    def load(self, records: Sequence[Any]) -> list[Any]:
        return [close_envelope(envelope_of(store)) for store in records]


OPAQUE_STORES = OpaqueStores()
