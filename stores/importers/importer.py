"""The import of one big-AGI file: reads it once for its digest, once for its records, and verifies what was written."""

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.db import DatabaseError, transaction

from stores import jsontext, registry
from stores.backups import create_backup
from stores.codecs import Damaged, Unreadable, is_id
from stores.collections import Collection, batched
from stores.envelope import Envelope, close_envelope, open_envelope
from stores.importers import run as runs
from stores.importers.decision import UNCARRIED, Candidate, Source
from stores.importers.items import CutItem, DamagedItem, RecordItem, RecoveryCopy, StoreItem
from stores.importers.parser import FLASH, NotBigAGI, Parser, detect_kind
from stores.importers.run import PHASES, Progress
from stores.importers.verifier import Certificate, Verification
from stores.importers.writer import Writer, damaged_rows
from stores.models import ImportedRecord, MigrationRun, Store
from stores.secrets import may_hold_secrets
from stores.sql import read_without_mapping
from stores.wholes import WHOLE_STORES

BATCH_CHARACTERS = 512 * 1024
BATCH_RECORDS = 200
LONGEST_TRANSACTION = 0.08
"""Seconds; batches are made smaller where their transactions take longer."""

SPACE_FACTOR = 2
"""Free disk that an import needs, in sizes of the file: rows, indexes and the write-ahead log."""


class Refused(Exception):
    """The file cannot be imported; nothing was written. The message says why and what to do."""


@dataclass
class Options:
    """How to import. `on_progress` is called as things go on."""

    dry_run: bool = False
    restore_deleted: bool = False
    on_progress: Callable[[Progress], None] = lambda progress: None


def check_file(path: Path) -> str:
    """Return the kind of the file. Raises `Refused` where it is not one of big-AGI's."""
    with _opened(path) as file:
        return _checked_kind(path, file)


def import_file(path: Path, options: Options) -> Progress:
    """Import the file and return what became of it. Raises `Refused` and `runs.AlreadyRunning` before anything is
    written; a fault in the middle leaves the run as `error`, and what was committed stays."""
    with _opened(path) as file:
        kind = _checked_kind(path, file)
        with runs.only_one():
            return Import(path, file, kind, options).execute()


def _opened(path: Path) -> BinaryIO:
    try:
        if path.is_dir():
            raise Refused(f"{path} is a folder: give the backup file inside it.")
        return path.open("rb")
    except FileNotFoundError:
        raise Refused(f"{path} does not exist.") from None
    except PermissionError:
        raise Refused(f"{path} cannot be read: no permission.") from None
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror or error}.") from None


def _checked_kind(path: Path, file: BinaryIO) -> str:
    try:
        kind = detect_kind(file)
    except NotBigAGI as error:
        raise Refused(f"{path} is not a file that big-AGI writes: {error}.") from None
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror or error}.") from None
    folder = Path(settings.DATA_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    needed, free = SPACE_FACTOR * path.stat().st_size, shutil.disk_usage(folder).free
    if free < needed:
        raise Refused(f"{folder} has {free >> 20} MiB of free disk space, the import needs {needed >> 20} MiB.")
    return kind


class Import:
    """One import under way."""

    def __init__(self, path: Path, file: BinaryIO, kind: str, options: Options) -> None:
        self.path = path
        self.file = file
        self.kind = kind
        self.options = options
        self.progress = Progress(None, options.on_progress)
        self.scratch = Path(settings.DATA_DIR) / "scratch"
        self.batch: list[Candidate] = []
        self.batch_characters = 0
        self.batch_limit = BATCH_CHARACTERS
        self.is_cut = False

    def execute(self) -> Progress:
        """Do all of it."""
        progress = self.progress
        read_without_mapping()
        try:
            self._read()
            self._snapshot()
            self._records()
            self._verify()
        except (KeyboardInterrupt, SystemExit):
            progress.error("", "stopped")
            progress.finish(MigrationRun.Status.ERROR, "It was stopped. Import the file again: that completes it.")
            raise
        except (DatabaseError, OSError, MemoryError) as error:
            self._broken_off(error)
        finally:
            shutil.rmtree(self.scratch, ignore_errors=True)
        return progress

    def _broken_off(self, error: Exception) -> None:
        message = f"{type(error).__name__}: {error}"
        self.progress.error("", message)
        try:
            self.progress.finish(
                MigrationRun.Status.ERROR, f"{message}. Mend that and import the file again: that completes it."
            )
        except DatabaseError:
            # A full disk takes not even this; the next look at the run closes it.
            self.progress.run = None
            self.progress.finish(MigrationRun.Status.ERROR)

    # --- phases ---

    def _read(self) -> None:
        progress = self.progress
        progress.enter("read")
        sha256 = hashlib.file_digest(self.file, "sha256").hexdigest()
        self.file.seek(0)
        same = MigrationRun.objects.filter(source_sha256=sha256).first()
        conversations = registry.collection_of("conversation")
        base = same.position_base if same else conversations.first_position()
        if not self.options.dry_run:
            progress.run = runs.new_run(
                source_name=self.path.name[:500],
                source_kind=self.kind,
                source_size=self.path.stat().st_size,
                source_sha256=sha256,
                position_base=base,
            )
        progress.complete("read", "check")
        self.source = Source(uncarried=UNCARRIED.get(self.kind, frozenset()))
        self.writer = Writer(
            progress, self.source, restores_deleted=self.options.restore_deleted, writes=not self.options.dry_run
        )
        self.writer.place_at(conversations, base)

    def _snapshot(self) -> None:
        self.progress.enter("snapshot")
        is_empty = not any(
            collection.rows().exists() for spec in registry.all_specs() for collection in spec.collections
        )
        if self.options.dry_run or (is_empty and not Store.objects.exists()):
            self.progress.note("there was nothing here to be backed up", "snapshot")
        else:
            backup = create_backup("before-import")
            self.progress.note(f"backed up to {backup.path}", "snapshot")
        self.progress.complete("snapshot")

    def _records(self) -> None:
        parser = Parser(self.file, self.kind, self._on_bytes, self._known_records(), self.scratch)
        self.source_facts = parser.facts
        for item in parser.items():
            self.source.taken_at = parser.facts.taken_at
            if self.progress.run is not None:
                self.progress.run.source_taken_at = parser.facts.taken_at
            if isinstance(item, RecordItem):
                self._take_record(item)
                continue
            self._flush()
            match item:
                case StoreItem():
                    self._take_store(item)
                case DamagedItem():
                    self._take_damaged(item)
                case RecoveryCopy():
                    self._take_copy(item)
                case CutItem():
                    self._take_cut(item)
        self._flush()
        self._tell_facts()
        self.progress.complete(*(name for name in PHASES if name != "verify"))

    def _known_records(self) -> Callable[[str, str], bool]:
        self.known: dict[tuple[str, str], ImportedRecord] = {}
        if not self.options.restore_deleted:
            kinds = ("conversation", "asset")
            for record in ImportedRecord.objects.filter(kind__in=kinds).iterator():
                self.known[(record.kind, record.source_digest)] = record
        return lambda kind, digest: (kind, digest) in self.known

    def _on_bytes(self, count: int) -> None:
        self.progress.bytes_read += count
        self.progress.on_change(self.progress)

    # --- long lists ---

    def _take_record(self, item: RecordItem) -> None:
        collection = registry.collection_of(item.kind)
        spec_phase = "assets" if item.kind == "asset" else "chats"
        if self.progress.phase != spec_phase:
            self._flush()
            self.progress.enter(spec_phase)
        self.progress.count_read(item.kind)
        known = self.known.get((item.kind, item.digest))
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
        value = self.writer.sealer.seal(item.value) if may_hold_secrets(item.text) else item.value
        if item.bytes_file is not None:
            value = collection.attach(value, item.bytes_file, writes=not self.options.dry_run)
            item.bytes_file.unlink()
        candidate = self._candidate(collection, value, item.index, item.digest)
        if candidate is not None:
            self._add(candidate, len(item.text))

    def _candidate(
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
        self.batch.append(candidate)
        self.batch_characters += characters
        if self.batch_characters > self.batch_limit or len(self.batch) >= BATCH_RECORDS:
            self._flush()

    def _flush(self) -> None:
        if not self.batch:
            return
        kind = "asset" if self.progress.phase == "assets" else "conversation"
        batch, self.batch, self.batch_characters = self.batch, [], 0
        self.writer.write(registry.collection_of(kind), batch)
        if self.writer.last_transaction > LONGEST_TRANSACTION:
            self.batch_limit = max(self.batch_limit // 2, 16 * 1024)
        elif self.writer.last_transaction < LONGEST_TRANSACTION / 4:
            self.batch_limit = min(self.batch_limit * 2, 4 * BATCH_CHARACTERS)

    # --- stores ---

    def _take_store(self, item: StoreItem) -> None:
        self.progress.count_read("store")
        spec = registry.get(item.name)
        self.progress.enter(spec.phase)
        if not is_id(item.name):
            self._quarantine_store(item, "a store with a name that cannot be used")
            return
        if not self.writer.is_first("store", item.name):
            self._quarantine_store(item, "a store with a name that another one of the file has")
            return
        sealer = self.writer.sealer
        value = sealer.seal(item.value, item.name) if may_hold_secrets(f'"{item.name}":{item.text}') else item.value
        digest = jsontext.content_hash(value)
        envelope = open_envelope(value)
        if (
            envelope.version is not None
            and envelope.version > spec.newest_version
            and registry.is_registered(item.name)
        ):
            self.progress.note(
                f"{item.name} has version {envelope.version}, newer than the newest known ({spec.newest_version}): "
                "it is kept as it is"
            )
            if not item.is_left_over:
                self._write_whole(item.name, value, digest, [])
                return
        originals: list[Any] = []
        if not item.is_left_over:
            value, originals = WHOLE_STORES.convert(value, item.name)
            if item.is_partial:
                originals = []
            value = self._take_collections(spec, value)
        self._write_whole(item.name, value, digest, originals, is_partial=item.is_partial)

    def _take_collections(self, spec: registry.StoreSpec, value: Any) -> Any:
        """Write the store's lists and maps of records, and return what is left over of it."""
        envelope = open_envelope(value)
        if envelope.shape == Store.Shape.VALUE or not isinstance(envelope.data, dict):
            return value
        state = dict(envelope.data)
        for collection in spec.collections:
            held = state.get(collection.key)
            if collection.shape == "list" and isinstance(held, list):
                state[collection.key] = []
                self._write_members(collection, [(at, None, member) for at, member in enumerate(held)])
            elif collection.shape == "map" and isinstance(held, dict):
                state[collection.key] = self._take_map(collection, held)
        return close_envelope(Envelope(envelope.shape, state, envelope.version, envelope.extra))

    def _take_map(self, collection: Collection, held: dict[str, Any]) -> dict[str, Any]:
        """Write the map's records; return the members that no row can hold, which stay where they are."""
        left: dict[str, Any] = {}
        members = []
        for uid, member in held.items():
            try:
                if not is_id(uid):
                    raise Unreadable("a key that cannot be used")
                collection.to_rows(member, uid)
            except Unreadable:
                left[uid] = member
            else:
                members.append((0, uid, member))
        self._write_members(collection, members)
        return left

    def _write_members(self, collection: Collection, members: list[tuple[int, str | None, Any]]) -> None:
        for some in batched(members, BATCH_RECORDS):
            candidates = []
            for at, uid, member in some:
                self.progress.count_read(collection.kind)
                for kind, count in collection.count_parts(member).items():
                    self.progress.count_read(kind, count)
                candidate = self._candidate(collection, member, at, jsontext.content_hash(member), uid)
                if candidate is not None:
                    candidates.append(candidate)
            self.writer.write(collection, candidates)

    def _write_whole(
        self, name: str, value: Any, digest: str, originals: list[Any], *, is_partial: bool = False
    ) -> None:
        if is_partial:
            value = self._completed(name, value)
        rows = WHOLE_STORES.to_rows(value, name)
        self.writer.write(WHOLE_STORES, [Candidate(name, 0, digest, value, rows, originals, {})])

    @staticmethod
    def _completed(name: str, value: Any) -> Any:
        """Return what an export of chats carries of a store, with the rest of it that is here."""
        store = Store.objects.filter(name=name).first()
        if store is None:
            return value | {"version": registry.get(name).newest_version}
        ours = WHOLE_STORES.load([store])[0]
        if not isinstance(ours, dict) or not isinstance(ours.get("state"), dict):
            return ours
        return ours | {"state": ours["state"] | value["state"]}

    def _quarantine_store(self, item: StoreItem, reason: str) -> None:
        raw = self.writer.sealer.seal_text(f"{jsontext.encode(item.name)}:{item.text}")
        damaged = Damaged("localStorage", 0, "store", reason, raw, is_json=False, uid=item.name, place=item.name[:200])
        self.writer.quarantine(item.name[:200] if is_id(item.name) else "?", [damaged])

    # --- the rest ---

    def _take_damaged(self, item: DamagedItem) -> None:
        phase = {"conversation": "chats", "asset": "assets"}.get(item.kind, "stores")
        self.progress.enter(phase)
        kind = item.kind if item.kind in runs.KINDS else "store"
        self.progress.count_read(kind)
        position = item.index
        if item.kind in ("conversation", "asset"):
            position = self.writer.position(registry.collection_of(item.kind), item.index)
        raw = self.writer.sealer.seal_text(item.raw)
        damaged = Damaged(item.collection, position, kind, item.reason, raw, is_json=item.is_json, place=item.place)
        self.writer.quarantine(item.store or "?", [damaged])

    def _take_copy(self, item: RecoveryCopy) -> None:
        text = self.writer.sealer.seal_text(item.text)
        if self.writer.writes:
            with transaction.atomic():
                self.writer.sealer.save()
                self.writer.keep_revisions([("store", item.name, "source", text)])
        self.progress.note(f"{item.name} is big-AGI's recovery copy of older chats: it is kept, and not imported")

    def _take_cut(self, item: CutItem) -> None:
        self.is_cut = True
        message = f"the file breaks off or is damaged at {item.place}: {item.missing}"
        self.progress.note(message)
        self.progress.error(item.place, message)
        if item.raw.strip() and self.writer.writes:
            raw = self.writer.sealer.seal_text(item.raw)
            self.progress.count_read("store")
            self.writer.quarantine("?", [Damaged("file", 0, "store", "cut off", raw, is_json=False, place=item.place)])

    def _tell_facts(self) -> None:
        facts = self.source_facts
        note = self.progress.note
        if self.kind == FLASH and not facts.has_assets:
            note('The file was made without images: tick "Include Binary Images" for a complete backup.')
        if self.kind == FLASH and not facts.has_settings:
            note("The file was made without settings.")
        if self.lost_keys:
            note(f"Keys that the file only names, and that are not here, are empty now: {', '.join(self.lost_keys)}")

    @property
    def lost_keys(self) -> list[str]:
        return self.writer.lost_keys

    def _verify(self) -> None:
        progress = self.progress
        if not self.options.dry_run:
            progress.enter("verify")
            progress.certificate = self._certificate().as_json()
        progress.complete("verify")
        if problems := progress.disagreements():
            for problem in problems:
                progress.error("", problem)
            progress.finish(MigrationRun.Status.ERROR, "; ".join(problems))
            return
        if progress.certificate and progress.certificate["differences"]:
            progress.finish(MigrationRun.Status.ERROR, "The verification found differences.")
            return
        progress.finish(MigrationRun.Status.DONE)

    def _certificate(self) -> Certificate:
        if not self.writer.needs_verification and not self.is_cut:
            read = self.progress.read
            same = sum(count for kind, count in read.items() if kind not in ("message", "fragment"))
            counts = {kind: count for kind, count in read.items() if count}
            return Certificate(counts, {"same": same}, notes=["Every record was verified by an earlier run."])
        verification = Verification(self.path, skips_verified=True)
        certificate = verification.run()
        verification.mark_verified()
        return certificate
