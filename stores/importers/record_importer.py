"""The records that a parser finds, made candidates for the writer, or quarantined."""

from typing import Any

from django.db import transaction

from stores.importers.copies import UNREADABLE, chat_list, read_chats
from stores.importers.decision import Candidate, imported_uids
from stores.importers.items import DamagedItem, RecordItem, RecoveryCopy
from stores.importers.keeping import keep_revisions
from stores.importers.known import KnownRecords
from stores.importers.lost import find_lost
from stores.importers.outcomes import digests_before
from stores.importers.record_writer import NEW, SAME, RecordWriter
from stores.importers.run import TWICE, Progress
from stores.importers.verdict import RECOVER
from stores.importers.words import name_kind, one_or_many, tell_quarantined
from stores.records import jsontext, registry
from stores.records.codecs import Damaged, Unreadable, damaged_in
from stores.records.collections import Collection
from stores.records.sealing import may_hold_secrets

BATCH_CHARACTERS = 2 * 1024 * 1024
"""Characters of one transaction: some 60 ms of a machine with nothing else to do."""

BATCH_RECORDS = 200
LONGEST_TRANSACTION = 0.08
"""Seconds; batches are made smaller, down to a quarter, where their transactions take longer."""


class RecordImporter:
    """Takes the records of long lists in batches, and all that is damaged."""

    def __init__(self, writer: RecordWriter, known: KnownRecords) -> None:
        self.writer = writer
        self.progress: Progress = writer.progress
        self._known = known
        self._imported: dict[str, dict[str, str]] = {}
        self._collection: Collection | None = None
        """What the records that wait belong to."""
        self._batch: list[Candidate] = []
        self._batch_characters = 0
        self._batch_limit = BATCH_CHARACTERS

    def take_record(self, item: RecordItem) -> str | None:
        """Take one record of a long list; it is written with the next batch. Return its id here, if it has one."""
        collection = registry.collection_of(item.kind)
        if collection is not self._collection:
            self.flush()
            self._collection = collection
        self.progress.enter(registry.phase_of(item.kind))
        self.progress.count_read(item.kind)
        known = self._known.get((item.kind, item.digest))
        if known is not None and item.value is None:
            for kind, count in (known.counts or {}).items():
                self.progress.count_read(kind, count)
            if self.writer.note_seen(item.kind, known.uid, known.imported_hash) == NEW:
                self._add(Candidate(known.uid, item.index, item.digest, None, None, [], known.counts or {}), 0)
                return known.uid
            item.value = jsontext.decode(item.text)
        else:
            for kind, count in collection.parts.count(item.value).items():
                self.progress.count_read(kind, count)
        value, is_plain = item.value, not may_hold_secrets(item.text)
        if item.bytes_file is not None:
            # Bytes hold no secrets, but text that only should have been base64 can.
            value, is_plain = collection.files.attach(value, item.bytes_file, writes=self.writer.writes), False
            item.bytes_file.unlink()
        if not is_plain:
            value = self.writer.sealer.seal(value)
        candidate = self.candidate(collection, value, item.index, item.digest)
        if candidate is None:
            return None
        self._add(candidate, len(item.text))
        return candidate.uid

    def candidate(
        self, collection: Collection, value: Any, index: int, digest: str, uid: str | None = None
    ) -> Candidate | None:
        """Return the record as a candidate, or quarantine it."""
        if uid is None:
            uid = self._imported_uids(collection).get(digest) or collection.identify(value)
        try:
            if uid is None:
                raise Unreadable("without a valid id")
            converted, originals = collection.convert(value, uid)
            rows = collection.to_rows(converted, uid)
            own = self._own_uid(collection, uid, rows.content_hash, converted)
        except Unreadable as error:
            reason = error.reason
        else:
            if own is None:
                self._count_copy(collection, converted)
                return None
            if own != uid:
                converted, originals = collection.convert(value, own)
                rows = collection.to_rows(converted, own)
            for member in damaged_in(rows):
                self.progress.error(member.place, tell_quarantined(member.kind, member.reason))
            return Candidate(own, index, digest, converted, rows, originals, collection.parts.count(converted))
        place = f"{collection.store}: {collection.key}[{index}]"
        position = self.writer.position(collection, index)
        raw = collection.text_of(value)
        damaged = Damaged(collection.key, position, collection.kind, reason, raw, uid=uid or "", place=place)
        self.writer.quarantine(collection.store, [damaged])
        for kind, count in collection.parts.count(value).items():
            self.progress.count(kind, "quarantined", count, reason)
        return None

    def _imported_uids(self, collection: Collection) -> dict[str, str]:
        if collection.kind not in self._imported:
            uids = imported_uids(collection)
            if uids and self.progress.resumed_run:
                # As they were when the run began: that a record has the id of another one is to be told again.
                before = digests_before(self.progress.resumed_run, collection.kind)
                uids = {digest: uid for digest, uid in uids.items() if uid not in before}
                uids |= {digest: uid for uid, digest in before.items() if digest}
            self._imported[collection.kind] = uids
        return self._imported[collection.kind]

    def _own_uid(self, collection: Collection, uid: str, content_hash: str, value: Any) -> str | None:
        """Return the id under which the record is kept: its own, or where another one of the file has that, one derived
        from it; None where it is the same record once more. Raises `Unreadable`."""
        number, own = 0, uid
        while (seen := self.writer.note_seen(collection.kind, own, content_hash)) != NEW:
            if seen == SAME:
                return None
            number += 1
            twin = collection.identify_twin(uid, number)
            if twin is None:
                raise Unreadable("with a duplicate id")
            own = twin
        if own != uid:
            kind, name = name_kind(collection.kind), collection.name_of(value)
            self.progress.note(
                f"The {kind} “{name}” has the id of another {kind} in the file. Both are here, each on its own."
            )
        return own

    def _count_copy(self, collection: Collection, value: Any) -> None:
        reason = TWICE
        self.progress.count(collection.kind, "unchanged", reason=reason)
        for kind, count in collection.parts.count(value).items():
            self.progress.count(kind, "unchanged", count, reason)

    def _add(self, candidate: Candidate, characters: int) -> None:
        self._batch.append(candidate)
        self._batch_characters += characters
        if self._batch_characters > self._batch_limit or len(self._batch) >= BATCH_RECORDS:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        if not self._batch or self._collection is None:
            return
        batch, self._batch, self._batch_characters = self._batch, [], 0
        self.writer.write(self._collection, batch)
        if self.writer.last_transaction > LONGEST_TRANSACTION:
            self._batch_limit = max(self._batch_limit // 2, BATCH_CHARACTERS // 4)
        elif self.writer.last_transaction < LONGEST_TRANSACTION / 2:
            self._batch_limit = min(self._batch_limit * 2, BATCH_CHARACTERS)

    def take_damaged(self, item: DamagedItem) -> None:
        """Keep text that could not be read."""
        is_of_list = registry.is_long(item.kind)
        self.progress.enter(registry.phase_of(item.kind) if is_of_list else "stores")
        kind = item.kind if item.kind in self.progress.kinds else "store"
        self.progress.count_read(kind)
        position = item.index
        if is_of_list:
            position = self.writer.position(registry.collection_of(item.kind), item.index)
        raw = self.writer.sealer.seal_text(item.raw)
        damaged = Damaged(item.collection, position, kind, item.reason, raw, is_json=item.is_json, place=item.place)
        self.writer.quarantine(item.store or "?", [damaged])

    def take_copy(self, item: RecoveryCopy, *, recovers: bool) -> dict[str, str]:
        """Keep a copy of older chats. With `recovers`, import those of them of which something is nowhere else, and
        return their ids here by the digests of their texts."""
        writer = self.writer
        text = writer.sealer.seal_text(item.text)
        if writer.writes:
            with transaction.atomic():
                writer.sealer.save()
                keep_revisions(writer.progress.run, [("store", item.name, "source", text)])
        collection = chat_list()
        chats = read_chats(item.text)
        if chats is None:
            self.take_damaged(DamagedItem(item.name, "copy", "store", 0, item.text, UNREADABLE, False, item.name))
            return {}
        lost = self._find_lost(collection, item, chats, recovers=recovers)
        said = f"{item.name} is a copy of {one_or_many(len(chats), 'chat')} that big-AGI no longer shows. It is kept."
        if not lost:
            self.progress.note(f"{said} Nothing is only in this copy." if chats else said)
            return {}
        wholly = sum(1 for _, is_known, _ in lost if not is_known)
        partly = len(lost) - wholly
        only = []
        if wholly:
            only.append(f"{one_or_many(wholly, 'chat')} in it {'is' if wholly == 1 else 'are'} nowhere else.")
        if partly:
            has = "has" if partly == 1 else "have"
            only.append(f"{one_or_many(partly, 'chat')} in it {has} messages that are nowhere else.")
        if not recovers:
            self.progress.note(f"{said} {' '.join(only)} To import from it too, {RECOVER}.")
            return {}
        self.progress.note(f"{said} {' '.join(only)} {'It is' if len(lost) == 1 else 'They are'} imported from it.")
        first = self.progress.read[collection.kind]
        recovered = {}
        for number, (uid, is_known, chat) in enumerate(lost):
            if is_known:
                # Ours stays as it is, and this one is a chat of its own.
                writer.note_seen(collection.kind, uid)
            chat_text = jsontext.encode(chat)
            key = jsontext.digest(chat_text)
            own = self.take_record(RecordItem(collection.kind, first + number, chat_text, key, chat))
            if own is not None:
                recovered[key] = own
        self.flush()
        return recovered

    def _find_lost(
        self, collection: Collection, item: RecoveryCopy, chats: list[Any], *, recovers: bool
    ) -> list[tuple[str, bool, Any]]:
        """Return what is only in a copy, as it was before the run took any of it."""
        writer = self.writer
        found = self.progress.checkpoint.setdefault("lost", {})
        key = f"{item.name} {jsontext.digest(item.text)}"
        if key in found:
            return [(uid, is_known, chats[at]) for uid, is_known, at in found[key]]
        restores, seen = writer.source.restores_deleted, writer.seen(collection.kind)
        lost = list(find_lost(collection, chats, writer.sealer.seal, in_file=seen, restores_deleted=restores))
        if lost and recovers:
            places = {id(chat): at for at, chat in enumerate(chats)}
            found[key] = [(uid, is_known, places[id(chat)]) for uid, is_known, chat in lost]
            self.progress.save()
        return lost

    def take_rest(self, raw: str, place: str) -> None:
        """Keep the text in whose middle the file breaks off."""
        if raw.strip():
            self.progress.count_read("file")
            sealed = self.writer.sealer.seal_text(raw)
            self.writer.quarantine("?", [Damaged("file", 0, "file", "cut off", sealed, is_json=False, place=place)])
