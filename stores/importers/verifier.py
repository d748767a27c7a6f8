"""Compares a big-AGI file with the database, record by record and by content, and names every difference."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count as counting
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings

from stores import jsontext, registry
from stores.codecs import Unreadable, is_id
from stores.collections import Collection
from stores.envelope import open_envelope
from stores.importers.certificate import LONGEST_LIST, Certificate, name_differences
from stores.importers.copies import CHATS, OLDER_CHATS, UNREADABLE, read_chats, unpack_chats
from stores.importers.decision import UNCARRIED, complete, imported_uids
from stores.importers.items import CutItem, DamagedItem, RecordItem, RecoveryCopy, StoreItem
from stores.importers.kinds import detect_kind
from stores.importers.lost import find_lost
from stores.importers.parser import Parser
from stores.importers.rereader import CannotReread, Found, OddPart, reread
from stores.importers.tally import Tally
from stores.models import ImportedRecord, Quarantine, Revision, Store
from stores.secrets import Sealer
from stores.wholes import WHOLE_STORES

BATCH = 20


@dataclass
class _Record:
    """A record as the file has it; `is_sealed`: with references in the place of secrets."""

    uid: str
    value: Any
    digest: str
    is_sealed: bool = True


class Verification:
    """One comparison. With `skips_verified`, records that an earlier run verified are only counted. `recovered` are
    the ids of chats that were imported out of a copy, by the digests of their texts."""

    def __init__(self, path: Path, *, skips_verified: bool = False, recovered: Mapping[str, str] | None = None) -> None:
        self.path = path
        self._skips_verified = skips_verified
        self._recovered = recovered or {}
        self._sealer = Sealer()
        self._imported: dict[str, dict[str, str]] = {}
        self._begin()

    def _begin(self) -> None:
        self.certificate = Certificate()
        self._tally = Tally(self.certificate.verdict)
        self._batches: dict[str, list[_Record]] = {}
        self._seen: dict[tuple[str, str], str] = {}
        self._same: list[tuple[str, str]] = []
        self._last_places: dict[str, tuple[int, str]] = {}
        self._copies: list[Found] = []
        self._older_chats: Found | None = None
        self._has_chats = False

    def run(self) -> Certificate:
        """Compare everything in the file."""
        with self.path.open("rb") as file:
            self.kind = detect_kind(file)
        self._uncarried = UNCARRIED.get(self.kind, frozenset())
        try:
            for found in reread(self.path):
                self._take(found)
        except CannotReread as error:
            self._begin()
            told = f"The file is damaged ({error}). What can be read of it was compared."
            if isinstance(error, OddPart):
                told = f"The file has something that big-AGI does not write: {error}."
            self.certificate.notes.append(told)
            for found in self._read_damaged():
                self._take(found)
        self._take_copies()
        for kind in list(self._batches):
            self._compare(kind)
        return self.certificate

    def mark_verified(self) -> None:
        """Remember which records were found the same, so that the next run need not compare them again."""
        by_kind: dict[str, list[str]] = {}
        for kind, uid in self._same:
            by_kind.setdefault(kind, []).append(uid)
        for kind, uids in by_kind.items():
            for at in range(0, len(uids), 500):
                ImportedRecord.objects.filter(kind=kind, uid__in=uids[at : at + 500]).update(is_verified=True)

    def _read_damaged(self) -> Iterator[Found]:
        """Yield what is in a file that cannot be read in the second way."""
        with self.path.open("rb") as file:
            parser = Parser(
                file, self.kind, lambda count: None, lambda kind, key: False, Path(settings.DATA_DIR) / "scratch"
            )
            for item in parser.items():
                match item:
                    case StoreItem(is_left_over=True):
                        yield Found("left over", item.name, item.value)
                    case StoreItem():
                        yield Found("partial" if item.is_partial else "store", item.name, item.value, item.text)
                    case RecordItem(bytes_file=None):
                        yield Found(item.kind, "", item.value, item.text)
                    case RecordItem(bytes_file=Path() as bytes_file):
                        record = registry.collection_of(item.kind).attach(item.value, bytes_file, writes=False)
                        bytes_file.unlink()
                        yield Found(item.kind, "attached", record, item.text)
                    case DamagedItem():
                        self._check_quarantine(item.kind, item.place, self._sealer.seal_text(item.raw))
                    case RecoveryCopy():
                        yield Found("copy", item.name, item.text)
                    case CutItem():
                        self.certificate.notes.append(f"The file is cut or damaged at {item.place}: {item.missing}.")
                        if item.raw.strip():
                            self._check_quarantine("file", item.place, self._sealer.seal_text(item.raw))
                        else:
                            self._tally.note_cut()
            # Also where what is around the chats is damaged.
            self._has_chats = parser.facts.has_chats

    # --- taking what is found ---

    def _take(self, found: Found) -> None:
        match found.kind:
            case "conversation" | "asset":
                self._take_record(found)
            case "copy":
                self._copies.append(found)
            case "store" if found.name == OLDER_CHATS:
                self._copies.append(found)
            case "store" if found.name == CHATS:
                self._older_chats = found
            case "left over":
                self._has_chats = True
                sealed = self._sealer.seal(found.value, found.name)
                converted, _ = WHOLE_STORES.convert(sealed, found.name)
                self._take_whole(found.name, converted, jsontext.content_hash(sealed))
            case "partial":
                self._take_store(found.name, found.value, is_partial=True)
            case "store" if not is_id(found.name) or self._seen.get(("store", found.name), found.text) != found.text:
                raw = self._sealer.seal_text(f"{jsontext.encode(found.name)}:{found.text}")
                self.certificate.count("store")
                self._check_quarantine("store", found.name, raw)
            case "store":
                self._seen["store", found.name] = found.text
                self._take_store(found.name, found.value)

    def _take_record(self, found: Found) -> None:
        collection = registry.collection_of(found.kind)
        # Bytes hold no secrets, though their base64 text may look like one.
        value = collection.attach_text(found.value)
        digest = jsontext.digest(found.text or collection.text_of(value))
        self._take_member(collection, value, digest, None, is_sealed=False)

    def _take_member(
        self, collection: Collection, value: Any, digest: str, uid: str | None, *, is_sealed: bool = True
    ) -> None:
        self.certificate.count(collection.kind)
        for kind, count in collection.count_parts(value).items():
            self.certificate.count(kind, count)
        if uid is None:
            uid = self._imported_uids(collection).get(digest) or self._identify(collection, value, is_sealed=is_sealed)
        is_readable = uid is not None and collection.is_readable(value, uid)
        if is_readable and uid is not None and (collection.kind, uid) in self._seen:
            twin = self._find_twin(collection, uid, value, digest)
            if twin == uid:
                # One record, and no damage.
                self.certificate.add(collection.kind, uid, "same", [])
                return
            uid = twin
        if uid is None or not is_readable:
            value = value if is_sealed else self._sealer.seal(value)
            self._check_quarantine(collection.kind, uid or "without an id", collection.text_of(value), value)
            return
        self._seen[collection.kind, uid] = digest
        converted, _ = collection.convert(value, uid)
        batch = self._batches.setdefault(collection.kind, [])
        batch.append(_Record(uid, converted, digest, is_sealed))
        if len(batch) >= BATCH:
            self._compare(collection.kind)

    def _imported_uids(self, collection: Collection) -> dict[str, str]:
        if collection.kind not in self._imported:
            self._imported[collection.kind] = imported_uids(collection)
        return self._imported[collection.kind]

    def _identify(self, collection: Collection, value: Any, *, is_sealed: bool) -> str | None:
        uid = collection.identify(value)
        if uid is None or is_sealed:
            return uid
        if uid == value.get("id"):
            return str(self._sealer.seal(uid))
        # It is derived from the record, with references in the place of secrets.
        return collection.identify(self._sealer.seal(value))

    def _find_twin(self, collection: Collection, uid: str, value: Any, digest: str) -> str | None:
        """Return the id of a record whose own id another one of the file has; that id itself where it is the same one
        once more, and None where it can only be in the quarantine."""
        sealed = self._sealer.seal(value)
        for number in counting(0):
            own = collection.identify_twin(uid, number) if number else uid
            if own is None:
                return self._find_damaged_twin(collection, uid, digest)
            if (collection.kind, own) not in self._seen:
                return own
            if self._seen[collection.kind, own] == digest or self._is_same_here(collection, own, sealed):
                return uid
        raise AssertionError

    def _find_damaged_twin(self, collection: Collection, uid: str, digest: str) -> str | None:
        key = collection.kind, f"{uid}/{digest}"
        is_known = key in self._seen
        self._seen[key] = digest
        return uid if is_known else None

    def _is_same_here(self, collection: Collection, uid: str, sealed: Any) -> bool:
        """Tell whether a record says what the file's first one with this id said, or what is here under it."""
        converted, _ = collection.convert(sealed, uid)
        imported = ImportedRecord.objects.filter(kind=collection.kind, uid=uid).first()
        is_as_imported = imported is not None and _is_as_imported(collection, converted, uid, imported)
        return is_as_imported or collection.is_same(converted, self._load(collection, uid))

    @staticmethod
    def _load(collection: Collection, uid: str) -> Any:
        return next(iter(collection.load(list(collection.find([uid]).values()))), None)

    def _take_copies(self) -> None:
        """Take the copies of older chats, once it is known which chats the file shows."""
        if self._older_chats is not None and self._has_chats:
            self._copies.append(self._older_chats)
        elif self._older_chats is not None:
            self._take_store(CHATS, unpack_chats(self._older_chats.value))
        for found in self._copies:
            self._take_copy(found)

    def _take_copy(self, found: Found) -> None:
        text = found.value if isinstance(found.value, str) else found.text
        sealed = self._sealer.seal_text(text)
        kept = Revision.objects.filter(kind="store", uid=found.name, content_hash=jsontext.digest(sealed)).exists()
        chats = read_chats(text)
        if chats is None:
            self._check_quarantine("store", f"{found.name} ({UNREADABLE})", sealed)
            return
        self.certificate.add("store", found.name, "same" if kept else "missing", [])
        self.certificate.verdict.add("here" if kept else "missing", "store")
        collection = next(iter(registry.get(CHATS).collections))
        shown = {uid for kind, uid in self._seen if kind == collection.kind}
        lost = find_lost(collection, chats, self._sealer.seal, in_file=shown)
        self.certificate.verdict.recoverable += sum(1 for _ in lost)
        for chat in chats if self._recovered else ():
            digest = jsontext.digest(jsontext.encode(chat))
            if digest in self._recovered:
                self._take_member(collection, chat, digest, self._recovered[digest], is_sealed=False)

    def _take_store(self, name: str, value: Any, *, is_partial: bool = False) -> None:
        sealed = self._sealer.seal(value, name)
        digest = jsontext.content_hash(sealed)
        spec = registry.get(name)
        if not is_partial:
            sealed, _ = WHOLE_STORES.convert(sealed, name)
        envelope = open_envelope(sealed)
        is_newer = envelope.version is not None and envelope.version > spec.newest_version
        if envelope.shape == Store.Shape.ENVELOPE and isinstance(envelope.data, dict) and not is_newer:
            state = dict(envelope.data)
            for collection in spec.collections:
                held = state.get(collection.key)
                if type(held) is {"list": list, "map": dict}[collection.shape]:
                    state[collection.key] = self._take_members(collection, held)
            sealed = sealed | {"state": state}
        self._take_whole(name, sealed, digest, is_partial=is_partial)

    def _take_members(self, collection: Collection, held: Any) -> Any:
        if collection.shape == "list":
            for member in held:
                self._take_member(collection, member, jsontext.content_hash(member), None)
            return []
        usable = [key for key in held if is_id(key)]
        imported = ImportedRecord.objects.filter(kind=collection.kind, uid__in=usable)
        known = {*collection.find(usable), *imported.values_list("uid", flat=True)}
        left = {}
        for key, member in held.items():
            if key in known and collection.is_readable(member, key):
                self._take_member(collection, member, jsontext.content_hash(member), key)
            else:
                left[key] = member
        return left

    def _take_whole(self, name: str, value: Any, digest: str, *, is_partial: bool = False) -> None:
        self.certificate.count("store")
        store = Store.objects.filter(name=name).first()
        if is_partial and store is not None:
            ours = WHOLE_STORES.load([store])[0]
            if isinstance(ours, dict) and isinstance(ours.get("state"), dict):
                value = ours | {"state": ours["state"] | value["state"]}
        self._batches.setdefault("store", []).append(_Record(name, value, digest))

    # --- comparing ---

    def _compare(self, kind: str) -> None:
        batch = self._batches.pop(kind, [])
        collection = WHOLE_STORES if kind == "store" else registry.collection_of(kind)
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
                    self._tally.note_here(collection, record.value)
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
    def _was_verified(record: _Record, imported: ImportedRecord | None, row: Any) -> bool:
        return (
            imported is not None
            and imported.is_verified
            and record.digest == imported.source_digest
            and row is not None
            and row.content_hash == imported.imported_hash
        )

    def _judge(
        self, collection: Collection, record: _Record, row: Any, ours: Any, imported: ImportedRecord | None
    ) -> None:
        add = self.certificate.add
        if row is None and imported is None:
            sealed = self._sealed(record)
            self._check_quarantine(collection.kind, record.uid, collection.text_of(sealed), sealed)
            return
        if row is None:
            self._tally.note_parts(collection, record.uid, self._sealed(record), None)
            add(collection.kind, record.uid, "deleted here", [])
            return
        if problem := collection.find_damage(ours):
            self.certificate.verdict.add("missing", collection.kind)
            add(collection.kind, record.uid, "differs", [{"path": "/", "source": "the bytes", "ours": problem}])
            return
        if not record.is_sealed and not collection.is_same(record.value, ours):
            record.value = self._sealer.seal(record.value)
        if collection.is_same(record.value, ours):
            self._note_same(collection, record)
            return
        value = complete(record.value, ours, self._uncarried)
        differences = list(islice(name_differences(value, ours), LONGEST_LIST))
        if not differences:
            self._note_same(collection, record)
            return
        self._tally.note_parts(collection, record.uid, self._sealed(record), ours)
        if collection.to_rows(ours, record.uid).content_hash != row.content_hash:
            # Neither a person nor an import wrote this: both leave a row whose hash is that of its content.
            add(collection.kind, record.uid, "differs", differences)
        elif imported is not None and row.content_hash != imported.imported_hash:
            add(collection.kind, record.uid, "changed here", differences)
        elif imported is None or not _is_as_imported(collection, value, record.uid, imported):
            add(collection.kind, record.uid, "from another file", differences)
        else:
            add(collection.kind, record.uid, "differs", differences)

    def _check_quarantine(self, kind: str, uid: str, raw: str, value: Any = None) -> None:
        kept = Quarantine.objects.filter(raw_digest=jsontext.digest(raw)).exists()
        self.certificate.add(kind, uid, "quarantined" if kept else "missing", [])
        self._tally.note_quarantined(kind, value, is_kept=kept)

    def _sealed(self, record: _Record) -> Any:
        return record.value if record.is_sealed else self._sealer.seal(record.value)

    def _note_same(self, collection: Collection, record: _Record) -> None:
        self._same.append((collection.kind, record.uid))
        self._tally.note_here(collection, record.value)
        self.certificate.add(collection.kind, record.uid, "same", [])


def _is_as_imported(collection: Collection, value: Any, uid: str, imported: ImportedRecord) -> bool:
    """Tell whether this is what an import brought last."""
    try:
        return collection.to_rows(value, uid).content_hash == imported.imported_hash
    except Unreadable:
        return False
