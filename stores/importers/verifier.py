"""Compares a big-AGI file with the database, record by record and by content, and names every difference."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings

from stores.importers.certificate import Certificate
from stores.importers.comparison import Comparison, SourceRecord
from stores.importers.copies import CHATS, OLDER_CHATS, UNREADABLE, chat_list, read_chats, unpack_chats
from stores.importers.file_facts import OMITTED_FIELDS
from stores.importers.independent_reader import SourceValue, read_independently
from stores.importers.items import CutItem, DamagedItem, RecordItem, RecoveryCopy, StoreItem
from stores.importers.kinds import detect_kind
from stores.importers.lost import find_lost
from stores.importers.naming import Names
from stores.importers.parser import Parser
from stores.importers.run import TWICE, Progress
from stores.importers.unescaping import CannotReread, OddPart
from stores.importers.verdict import Verdict
from stores.models import ImportedRecord, Revision, Store
from stores.records import jsontext, registry
from stores.records.codecs import is_id
from stores.records.collections import Collection
from stores.records.envelope import open_envelope
from stores.records.opaque_stores import OPAQUE_STORES
from stores.records.sealing import Sealer


class Verification:
    """One comparison. With `skips_verified`, records that an earlier run verified are only counted. `recovered` are
    the ids of chats that were imported out of a copy, by the digests of their texts."""

    def __init__(self, path: Path, *, skips_verified: bool = False, recovered: Mapping[str, str] | None = None) -> None:
        self.path = path
        self._skips_verified = skips_verified
        self._recovered = recovered or {}
        self._sealer = Sealer()

    def _begin(self) -> None:
        omitted_fields = OMITTED_FIELDS.get(self._kind, frozenset())
        self._comparison = Comparison(self._sealer, skips_verified=self._skips_verified, omitted_fields=omitted_fields)
        self._names = Names(self._sealer)
        self._copies: list[SourceValue] = []
        self._local_chats: list[SourceValue] = []
        self._has_chats = False

    @property
    def certificate(self) -> Certificate:
        return self._comparison.certificate

    def run(self) -> Certificate:
        """Compare everything in the file."""
        with self.path.open("rb") as file:
            self._kind = detect_kind(file)
        self._begin()
        try:
            for found in read_independently(self.path):
                self._take(found)
        except CannotReread as error:
            self._begin()
            words = f"The file is damaged ({error}). What can be read of it was compared."
            if isinstance(error, OddPart):
                words = f"The file has something that big-AGI does not write: {error}."
            self.certificate.notes.append(words)
            for found in self._read_damaged():
                self._take(found)
        self._take_copies()
        self._comparison.flush()
        return self.certificate

    def mark_verified(self) -> None:
        """Remember which records were found the same, so that the next run need not compare them again."""
        by_kind: dict[str, list[str]] = {}
        for kind, uid in self._comparison.same:
            by_kind.setdefault(kind, []).append(uid)
        for kind, uids in by_kind.items():
            for at in range(0, len(uids), 500):
                ImportedRecord.objects.filter(kind=kind, uid__in=uids[at : at + 500]).update(is_verified=True)

    def _read_damaged(self) -> Iterator[SourceValue]:
        """Yield what is in a file that cannot be read in the second way."""
        with self.path.open("rb") as file:
            parser = Parser(
                file, self._kind, lambda count: None, lambda kind, key: False, Path(settings.DATA_DIR) / "scratch"
            )
            for item in parser.items():
                match item:
                    case StoreItem(is_left_over=True):
                        yield SourceValue("left over", item.name, item.value)
                    case StoreItem():
                        yield SourceValue("partial" if item.is_partial else "store", item.name, item.value, item.text)
                    case RecordItem(bytes_file=None):
                        yield SourceValue(item.kind, "", item.value, item.text)
                    case RecordItem(bytes_file=Path() as bytes_file):
                        record = registry.collection_of(item.kind).files.attach(item.value, bytes_file, writes=False)
                        bytes_file.unlink()
                        yield SourceValue(item.kind, "attached", record, item.text)
                    case DamagedItem():
                        self._comparison.check_quarantine(item.kind, item.place, self._sealer.seal_text(item.raw))
                    case RecoveryCopy():
                        yield SourceValue("copy", item.name, item.text)
                    case CutItem():
                        self.certificate.notes.append(f"The file is cut or damaged at {item.place}: {item.missing}.")
                        if item.raw.strip():
                            self._comparison.check_quarantine("file", item.place, self._sealer.seal_text(item.raw))
                        else:
                            self._comparison.tally.note_cut()
            # Also where what is around the chats is damaged.
            self._has_chats = parser.facts.has_chats

    # --- taking what is found ---

    def _take(self, found: SourceValue) -> None:
        stores = self._names.seen("store")
        match found.kind:
            case kind if registry.is_long(kind):
                self._take_record(found)
            case "copy":
                self._copies.append(found)
            case "store" if found.name == OLDER_CHATS:
                self._copies.append(found)
            case "store" if found.name == CHATS:
                self._local_chats.append(found)
            case "left over":
                self._has_chats = True
                sealed = self._sealer.seal(found.value, found.name)
                converted, _ = OPAQUE_STORES.convert(sealed, found.name)
                self._take_whole(found.name, converted, jsontext.content_hash(sealed))
            case "partial":
                self._take_store(found.name, found.value, is_partial=True)
            case "store" if not is_id(found.name) or stores.get(found.name, found.text) != found.text:
                raw = self._sealer.seal_text(f"{jsontext.encode(found.name)}:{found.text}")
                self.certificate.count("store")
                self._comparison.check_quarantine("store", found.name, raw)
            case "store":
                stores[found.name] = found.text
                self._take_store(found.name, found.value)

    def _take_record(self, found: SourceValue) -> None:
        collection = registry.collection_of(found.kind)
        # Bytes hold no secrets, though their base64 text may look like one.
        value = collection.files.attach_text(found.value)
        digest = jsontext.digest(found.text or collection.text_of(value))
        self._take_member(collection, value, digest, None, is_sealed=False)

    def _take_member(
        self, collection: Collection, value: Any, digest: str, uid: str | None, *, is_sealed: bool = True
    ) -> None:
        self.certificate.count(collection.kind)
        for kind, count in collection.parts.count(value).items():
            self.certificate.count(kind, count)
        if uid is None:
            uid = self._names.identify(collection, value, digest, is_sealed=is_sealed)
        is_readable = uid is not None and collection.is_readable(value, uid)
        seen = self._names.seen(collection.kind)
        if is_readable and uid is not None and uid in seen:
            twin = self._names.find_twin(collection, uid, value, digest)
            if twin == uid:
                # One record, and no damage.
                self.certificate.add(collection.kind, uid, "same", [])
                return
            uid = twin
        if uid is None or not is_readable:
            value = value if is_sealed else self._sealer.seal(value)
            self._comparison.check_quarantine(collection.kind, uid or "without an id", collection.text_of(value), value)
            return
        seen[uid] = digest
        converted, _ = collection.convert(value, uid)
        self._comparison.add(collection.kind, SourceRecord(uid, converted, digest, is_sealed))

    def _take_copies(self) -> None:
        """Take the copies of older chats, once it is known which chats the file shows."""
        if self._local_chats and not self._has_chats:
            self._take_store(CHATS, unpack_chats(self._local_chats.pop(0).value))
        self._copies += self._local_chats
        for found in self._copies:
            self._take_copy(found)

    def _take_copy(self, found: SourceValue) -> None:
        text = found.value if isinstance(found.value, str) else found.text
        sealed = self._sealer.seal_text(text)
        kept = Revision.objects.filter(kind="store", uid=found.name, content_hash=jsontext.digest(sealed)).exists()
        chats = read_chats(text)
        if chats is None:
            self._comparison.check_quarantine("store", f"{found.name} ({UNREADABLE})", sealed)
            return
        self.certificate.add("store", found.name, "same" if kept else "missing", [])
        self.certificate.verdict.add("here" if kept else "missing", "store")
        collection = chat_list()
        lost = find_lost(collection, chats, self._sealer.seal, in_file=self._names.seen(collection.kind))
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
            sealed, _ = OPAQUE_STORES.convert(sealed, name)
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
            stored = OPAQUE_STORES.load([store])[0]
            if isinstance(stored, dict) and isinstance(stored.get("state"), dict):
                value = stored | {"state": stored["state"] | value["state"]}
        self._comparison.add("store", SourceRecord(name, value, digest))


def certify_known(progress: Progress) -> Certificate:
    """Return the certificate of a file of which every record was verified by an earlier import."""
    inside = {part for collection in registry.long_lists() for part in collection.parts.kinds}
    same = sum(count for kind, count in progress.read.items() if kind not in inside)
    counts = {kind: count for kind, count in progress.read.items() if count}
    here = {kind: count - progress.reasons.get(kind, {}).get(TWICE, 0) for kind, count in counts.items()}
    notes = ["Every record was verified by an earlier import."]
    return Certificate(counts, {"same": same}, notes=notes, verdict=Verdict(here=here))
