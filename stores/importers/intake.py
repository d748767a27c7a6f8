"""The records that a parser finds, made candidates for the writer, or quarantined."""

from typing import Any

from django.db import transaction

from stores import jsontext, registry
from stores.codecs import Damaged, Unreadable
from stores.collections import Collection
from stores.importers.decision import Candidate
from stores.importers.items import DamagedItem, RecordItem, RecoveryCopy
from stores.importers.run import Progress
from stores.importers.writer import Writer, damaged_rows
from stores.models import ImportedRecord
from stores.secrets import may_hold_secrets

BATCH_CHARACTERS = 2 * 1024 * 1024
"""Characters of one transaction: some 60 ms of a machine with nothing else to do."""

BATCH_RECORDS = 200
LONGEST_TRANSACTION = 0.08
"""Seconds; batches are made smaller, down to a quarter, where their transactions take longer."""


class RecordIntake:
    """Takes the records of long lists in batches, and all that is damaged."""

    def __init__(self, writer: Writer, known: dict[tuple[str, str], ImportedRecord]) -> None:
        self.writer = writer
        self.progress: Progress = writer.progress
        self._known = known
        self._batch: list[Candidate] = []
        self._batch_characters = 0
        self._batch_limit = BATCH_CHARACTERS

    def take_record(self, item: RecordItem) -> None:
        """Take one record of a long list; it is written with the next batch."""
        collection = registry.collection_of(item.kind)
        spec_phase = "assets" if item.kind == "asset" else "chats"
        if self.progress.phase != spec_phase:
            self.flush()
            self.progress.enter(spec_phase)
        self.progress.count_read(item.kind)
        known = self._known.get((item.kind, item.digest))
        if known is not None and item.value is None:
            for kind, count in (known.counts or {}).items():
                self.progress.count_read(kind, count)
            if self.writer.is_first(item.kind, known.uid):
                self._add(Candidate(known.uid, item.index, item.digest, None, None, [], known.counts or {}), 0)
                return
            item.value = jsontext.decode(item.text)
        else:
            for kind, count in collection.count_parts(item.value).items():
                self.progress.count_read(kind, count)
        value, is_plain = item.value, not may_hold_secrets(item.text)
        if item.bytes_file is not None:
            # Bytes hold no secrets, but text that only should have been base64 can.
            value, is_plain = collection.attach(value, item.bytes_file, writes=self.writer.writes), False
            item.bytes_file.unlink()
        if not is_plain:
            value = self.writer.sealer.seal(value)
        candidate = self.candidate(collection, value, item.index, item.digest)
        if candidate is not None:
            self._add(candidate, len(item.text))

    def candidate(
        self, collection: Collection, value: Any, index: int, digest: str, uid: str | None = None
    ) -> Candidate | None:
        """Return the record as a candidate, or quarantine it."""
        reason = ""
        uid = collection.identify(value) if uid is None else uid
        if uid is None:
            reason = f"a {collection.kind} without an id that can be used"
        elif not self.writer.is_first(collection.kind, uid):
            reason = f"a {collection.kind} with an id that another one of the file has"
        else:
            try:
                converted, originals = collection.convert(value, uid)
                rows = collection.to_rows(converted, uid)
            except Unreadable as error:
                reason = error.reason
            else:
                for member in damaged_rows(rows):
                    self.progress.error(member.place, f"{member.kind} quarantined: {member.reason}")
                counts = collection.count_parts(converted)
                return Candidate(uid, index, digest, converted, rows, originals, counts)
        place = f"{collection.store}: {collection.key}[{index}]"
        position = self.writer.position(collection, index)
        raw = collection.text_of(value)
        damaged = Damaged(collection.key, position, collection.kind, reason, raw, uid=uid or "", place=place)
        self.writer.quarantine(collection.store, [damaged])
        for kind, count in collection.count_parts(value).items():
            self.progress.count(kind, "quarantined", count, reason)
        return None

    def _add(self, candidate: Candidate, characters: int) -> None:
        self._batch.append(candidate)
        self._batch_characters += characters
        if self._batch_characters > self._batch_limit or len(self._batch) >= BATCH_RECORDS:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        if not self._batch:
            return
        kind = "asset" if self.progress.phase == "assets" else "conversation"
        batch, self._batch, self._batch_characters = self._batch, [], 0
        self.writer.write(registry.collection_of(kind), batch)
        if self.writer.last_transaction > LONGEST_TRANSACTION:
            self._batch_limit = max(self._batch_limit // 2, BATCH_CHARACTERS // 4)
        elif self.writer.last_transaction < LONGEST_TRANSACTION / 2:
            self._batch_limit = min(self._batch_limit * 2, BATCH_CHARACTERS)

    def take_damaged(self, item: DamagedItem) -> None:
        """Keep text that could not be read."""
        phase = {"conversation": "chats", "asset": "assets"}.get(item.kind, "stores")
        self.progress.enter(phase)
        kind = item.kind if item.kind in self.progress.kinds else "store"
        self.progress.count_read(kind)
        position = item.index
        if item.kind in ("conversation", "asset"):
            position = self.writer.position(registry.collection_of(item.kind), item.index)
        raw = self.writer.sealer.seal_text(item.raw)
        damaged = Damaged(item.collection, position, kind, item.reason, raw, is_json=item.is_json, place=item.place)
        self.writer.quarantine(item.store or "?", [damaged])

    def take_copy(self, item: RecoveryCopy) -> None:
        """Keep a copy that is not to be imported."""
        text = self.writer.sealer.seal_text(item.text)
        if self.writer.writes:
            with transaction.atomic():
                self.writer.sealer.save()
                self.writer.keep_revisions([("store", item.name, "source", text)])
        self.progress.note(f"{item.name} is big-AGI's recovery copy of older chats: it is kept, and not imported")

    def take_rest(self, raw: str, place: str) -> None:
        """Keep the text in whose middle the file breaks off."""
        if raw.strip():
            self.progress.count_read("store")
            sealed = self.writer.sealer.seal_text(raw)
            self.writer.quarantine("?", [Damaged("file", 0, "store", "cut off", sealed, is_json=False, place=place)])
