"""Collections whose records fit one table, alone or with a list of ids."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from django.db import models

from stores.models import MigrationRun, Quarantine, Record
from stores.records import jsontext
from stores.records.codecs import Columns, Damaged, JSONObject, Rows, Unreadable, is_id
from stores.records.collections import Collection
from stores.records.protocols import Parts
from stores.records.quarantine import load_quarantined, save_quarantine


class TableCollection(Collection):
    """A collection whose records are objects that fit one table."""

    paths: Mapping[str, str] = {}
    """For each column the path of its member in the record, as `Columns` has them."""
    id_in_record = True
    """Whether the id stands in the record too; the keys of some maps are the only place of it."""

    @cached_property
    def columns(self) -> Columns:
        return Columns(self.model, self.paths)

    def to_rows(self, record: Any, uid: str) -> Rows:
        if not isinstance(record, dict):
            raise Unreadable(f"a {self.kind} that is not an object")
        columns, extra = self.columns.split(record)
        if self.id_in_record and extra.get("id") == uid:
            del extra["id"]
        return Rows(uid, columns, extra, jsontext.content_hash(record))

    def to_json(self, uid: str, columns: Mapping[str, Any], extra: JSONObject | None) -> JSONObject:
        """Return the JSON that `to_rows` took apart."""
        record = self.columns.join(columns, extra)
        if self.id_in_record:
            record.setdefault("id", uid)
        return record

    def insert(self, batch: Sequence[tuple[Rows, int]], run: MigrationRun | None = None) -> None:
        self.model._default_manager.bulk_create([self._build(rows, position) for rows, position in batch])

    def _build(self, rows: Rows, position: int) -> Any:
        place = {"position": position} if self.shape == "list" else {}
        return self.model(
            uid=rows.uid, extra=rows.extra or None, content_hash=rows.content_hash, **rows.columns, **place
        )

    def load(self, records: Sequence[Any]) -> list[Any]:
        return [
            self.to_json(record.uid, {name: getattr(record, name) for name in self.columns.names}, record.extra)
            for record in records
        ]


class ListingCollection(TableCollection):
    """A collection whose records also list ids, each id a row of its own."""

    listing: str
    """The key of the list in the record; empty where the record is the list."""
    entries: type[models.Model]
    owner_field: str
    uid_field: str

    def to_rows(self, record: Any, uid: str) -> Rows:
        listed = record if not self.listing else record.get(self.listing) if isinstance(record, dict) else None
        if self.listing and not isinstance(record, dict):
            raise Unreadable(f"a {self.kind} that is not an object")
        if not isinstance(listed, list):
            raise Unreadable(f"a {self.kind} without a list of ids")
        rest = {key: value for key, value in record.items() if key != self.listing} if self.listing else {}
        rows = super().to_rows(rest, uid)
        rows.content_hash = jsontext.content_hash(record)
        for at, listed_uid in enumerate(listed):
            if not is_id(listed_uid):
                reason = "an invalid id"
            elif any(listed_uid == known for _, known in rows.parts):
                reason = "a duplicate id"
            else:
                rows.parts.append((at, listed_uid))
                continue
            raw = jsontext.encode(listed_uid)
            pointer = f"/{self.listing}/{at}" if self.listing else f"/{at}"
            place = f"{self.kind} {uid}, entry {at}"
            rows.damaged.append(
                Damaged(self.listing or self.key, at, "listed id", reason, raw, place=place, pointer=pointer)
            )
        return rows

    @cached_property
    def parts(self) -> Parts:  # type: ignore[override]  # not known before the codec
        return Parts(count_unreadable=lambda record: {"listed id": len(self.to_rows(record, "").damaged)})

    def join_listing(
        self, uid: str, columns: Mapping[str, Any], extra: JSONObject | None, listed: Iterable[tuple[int, Any]]
    ) -> Any:
        """Return the JSON that `to_rows` took apart; `listed` are positions with ids or damaged members."""
        members = [member for _, member in sorted(listed, key=lambda pair: pair[0])]
        return super().to_json(uid, columns, extra) | {self.listing: members} if self.listing else members

    def insert(self, batch: Sequence[tuple[Rows, int]], run: MigrationRun | None = None) -> None:
        super().insert(batch, run)
        records = self.find(rows.uid for rows, _ in batch)
        for rows, _ in batch:
            self._write_listing(records[rows.uid], rows, run)

    def replace(self, record: Any, rows: Rows, run: MigrationRun | None = None) -> None:
        super().replace(record, rows, run)
        self.entries._default_manager.filter(**{self.owner_field: record}).delete()
        Quarantine.objects.filter(store=self.store, collection=self.listing or self.key, owner=record.pk).delete()
        self._write_listing(record, rows, run)

    def delete(self, record: Any) -> None:
        Quarantine.objects.filter(store=self.store, collection=self.listing or self.key, owner=record.pk).delete()
        super().delete(record)

    def _write_listing(self, record: Record, rows: Rows, run: MigrationRun | None) -> None:
        self.entries._default_manager.bulk_create(
            self.entries(**{self.owner_field: record, self.uid_field: uid, "position": at}) for at, uid in rows.parts
        )
        save_quarantine(self.store, rows.damaged, run, owner=record.pk)

    def load(self, records: Sequence[Any]) -> list[Any]:
        by_pk: dict[int, list[tuple[int, Any]]] = {record.pk: [] for record in records}
        entries = self.entries._default_manager.filter(**{f"{self.owner_field}__in": list(by_pk)})
        for owner, at, uid in entries.values_list(f"{self.owner_field}_id", "position", self.uid_field):
            by_pk[owner].append((at, uid))
        for owner, at, member in load_quarantined(self.store, self.listing or self.key, by_pk):
            by_pk[owner].append((at, member))
        return [
            self.join_listing(
                record.uid,
                {name: getattr(record, name) for name in self.columns.names},
                record.extra,
                by_pk[record.pk],
            )
            for record in records
        ]
