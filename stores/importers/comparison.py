"""Records of a file held against what is here, in batches, by content; each is counted and judged once."""

from dataclasses import dataclass
from itertools import islice
from typing import Any

from stores.importers.branches import branches_here
from stores.importers.certificate import LONGEST_LIST, Certificate, name_differences
from stores.importers.decision import complete
from stores.importers.tally import Tally
from stores.models import ImportedRecord, Quarantine
from stores.records import jsontext, registry
from stores.records.codecs import Unreadable
from stores.records.collections import Collection
from stores.records.opaque_stores import OPAQUE_STORES
from stores.records.sealing import Sealer

BATCH = 20


@dataclass
class SourceRecord:
    """A record as the file has it; `is_sealed`: with references in the place of secrets."""

    uid: str
    value: Any
    digest: str
    is_sealed: bool = True


class Comparison:
    """Fills one certificate. With `skips_verified`, records that an earlier run verified are only counted;
    `omitted_fields` are members of a record that the file's kind does not carry."""

    def __init__(self, sealer: Sealer, *, skips_verified: bool, omitted_fields: frozenset[str]) -> None:
        self.certificate = Certificate()
        self.tally = Tally(self.certificate.verdict)
        self.same: list[tuple[str, str]] = []
        """Kind and id of the records that are here as they are in the file."""
        self._sealer = sealer
        self._skips_verified = skips_verified
        self._uncarried = omitted_fields
        self._batches: dict[str, list[SourceRecord]] = {}
        self._last_places: dict[str, tuple[int, str]] = {}

    def add(self, kind: str, record: SourceRecord) -> None:
        """Compare the record, with the next ones of its kind."""
        batch = self._batches.setdefault(kind, [])
        batch.append(record)
        if len(batch) >= BATCH and kind != "store":
            self._compare(kind)

    def flush(self) -> None:
        """Compare all that waits."""
        for kind in list(self._batches):
            self._compare(kind)

    def _compare(self, kind: str) -> None:
        batch = self._batches.pop(kind, [])
        collection = OPAQUE_STORES if kind == "store" else registry.collection_of(kind)
        uids = [record.uid for record in batch]
        imported = {record.uid: record for record in ImportedRecord.objects.filter(kind=kind, uid__in=uids)}
        rows = collection.find(uids)
        if collection.shape == "list":
            self._check_order(kind, [rows[uid] for uid in uids if uid in rows])
        if self._skips_verified:
            skipped = {
                record.uid
                for record in batch
                if self._was_verified(record, imported.get(record.uid), rows.get(record.uid))
            }
            for record in batch:
                if record.uid in skipped:
                    self.tally.note_here(collection, record.value)
                    self.certificate.add(kind, record.uid, "same", [])
                    del rows[record.uid]
            batch = [record for record in batch if record.uid not in skipped]
        loaded = dict(zip(rows, collection.load(list(rows.values())), strict=True)) if rows else {}
        for record in batch:
            row = rows.get(record.uid)
            self._judge(collection, record, row, loaded.get(record.uid), imported.get(record.uid))

    def _check_order(self, kind: str, rows: list[Any]) -> None:
        """Name what stands here before a record that it follows in the file."""
        for row in rows:
            position, uid = self._last_places.get(kind, (row.position, ""))
            if row.position < position:
                there, here = f"behind {uid}", f"before {uid}"
                self.certificate.add(kind, row.uid, "in another order", [{"path": "/", "source": there, "ours": here}])
                self.certificate.verdict.reordered += 1
            else:
                self._last_places[kind] = (row.position, row.uid)

    @staticmethod
    def _was_verified(record: SourceRecord, imported: ImportedRecord | None, row: Any) -> bool:
        return (
            imported is not None
            and imported.is_verified
            and record.digest == imported.source_digest
            and row is not None
            and row.content_hash == imported.imported_hash
        )

    def _judge(
        self, collection: Collection, record: SourceRecord, row: Any, stored: Any, imported: ImportedRecord | None
    ) -> None:
        add = self.certificate.add
        if row is None and imported is None:
            sealed = self._sealed(record)
            self.check_quarantine(collection.kind, record.uid, collection.text_of(sealed), sealed)
            return
        if row is None:
            # Its branches can be here still.
            self.tally.note_parts(
                collection, record.uid, self._sealed(record), None, self._branches_of(collection, record)
            )
            add(collection.kind, record.uid, "deleted here", [])
            return
        if problem := collection.files.find_damage(stored):
            self.certificate.verdict.add("missing", collection.kind)
            add(collection.kind, record.uid, "differs", [{"path": "/", "source": "the bytes", "ours": problem}])
            return
        if not record.is_sealed and not collection.is_same(record.value, stored):
            record.value, record.is_sealed = self._sealer.seal(record.value), True
        if collection.is_same(record.value, stored):
            self._note_same(collection, record)
            return
        value = complete(record.value, stored, self._uncarried)
        if collection.lists.kind:
            value = collection.lists.with_branches(value, branches_here().get(collection.lists.kind, {}))
        differences = list(islice(name_differences(value, stored), LONGEST_LIST))
        if not differences:
            self._note_same(collection, record)
            return
        is_merged = imported is not None and row.content_hash == imported.merged_hash
        others = self._branches_of(collection, record)
        is_found = self.tally.note_parts(
            collection, record.uid, self._sealed(record), stored, others, is_merged=is_merged
        )
        if collection.to_rows(stored, record.uid).content_hash != row.content_hash:
            # Neither a person nor an import wrote this: both leave a row whose hash is that of its content.
            add(collection.kind, record.uid, "differs", differences)
        elif is_merged:
            add(collection.kind, record.uid, "merged" if is_found else "differs", differences)
        elif imported is not None and row.content_hash != imported.imported_hash:
            add(collection.kind, record.uid, "changed here", differences)
        elif imported is None or not is_as_imported(collection, value, record.uid, imported):
            add(collection.kind, record.uid, "from another file", differences)
        else:
            add(collection.kind, record.uid, "differs", differences)

    @staticmethod
    def _branches_of(collection: Collection, record: SourceRecord) -> list[Any]:
        branches = collection.find_branches([record.uid]).get(record.uid, [])
        return collection.load(branches) if branches else []

    def _sealed(self, record: SourceRecord) -> Any:
        return record.value if record.is_sealed else self._sealer.seal(record.value)

    def _note_same(self, collection: Collection, record: SourceRecord) -> None:
        self.same.append((collection.kind, record.uid))
        self.tally.note_here(collection, record.value)
        self.certificate.add(collection.kind, record.uid, "same", [])

    def check_quarantine(self, kind: str, uid: str, raw: str, value: Any = None) -> None:
        """Compare raw text, and where it is a record's JSON its value, with what is in the quarantine."""
        kept = Quarantine.objects.filter(raw_digest=jsontext.digest(raw)).exists()
        self.certificate.add(kind, uid, "quarantined" if kept else "missing", [])
        self.tally.note_quarantined(kind, value, is_kept=kept)


def is_as_imported(collection: Collection, value: Any, uid: str, imported: ImportedRecord) -> bool:
    """Tell whether this is what an import brought last."""
    try:
        return collection.to_rows(value, uid).content_hash == imported.imported_hash
    except Unreadable:
        return False
