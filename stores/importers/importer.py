"""The import of one big-AGI file: reads it once for its digest, once for its records, and verifies what was written."""

import hashlib
import shutil
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from io import BufferedReader
from pathlib import Path

import structlog
from django.conf import settings
from django.db import DatabaseError

from stores.backups.creation import BackupError, create_backup
from stores.importers import copies as copies_of
from stores.importers import one_run as runs
from stores.importers.breaking_off import tell_broken_off, tell_closed
from stores.importers.certificate import Certificate
from stores.importers.conditions import check_keys, check_space
from stores.importers.file_facts import OMITTED_FIELDS, Source
from stores.importers.incoming import discard_kept
from stores.importers.items import CutItem, DamagedItem, RecordItem, RecoveryCopy, StoreItem
from stores.importers.known import is_known, known_records
from stores.importers.lease import LeaseLost, keep_lease
from stores.importers.opening import SourceFile, open_source
from stores.importers.options import Options, options_as_json
from stores.importers.parser import Parser
from stores.importers.record_importer import RecordImporter
from stores.importers.record_writer import RecordWriter
from stores.importers.resuming import find_broken_off, take_up
from stores.importers.run import PHASES, Progress
from stores.importers.store_importer import StoreImporter
from stores.importers.telling import mark_begin, tell_facts
from stores.importers.verifier import Verification, certify_known
from stores.models import MigrationRun, Store
from stores.querysets import how_to_resume
from stores.records import registry
from stores.records.codecs import is_id
from stores.records.errors import SecretsUnreadable
from stores.records.sql import tune_for_long_job

logger = structlog.get_logger("stores")

CUT = "The file is cut or damaged: everything after that place is missing here. Import a complete file."
"""What blocks a run of which a part could not be read at all."""


def import_file(path: Path, options: Options) -> Progress:
    """Import the file and return what became of it. Raises `Refused` and `runs.AlreadyRunning` before anything is
    written, and a fault of the disk or the database before there is a run as it comes; one in the middle leaves the run
    as `error`, and what was committed stays."""
    with open_source(path) as source:
        check_keys()
        check_space(source.path)
        with runs.only_one(), source.path.open("rb") as file:
            return Import(source, file, options).execute()


class Import:
    """One import under way."""

    def __init__(self, source: SourceFile, file: BufferedReader, options: Options) -> None:
        self.source_file = source
        self.file = file
        self.kind = source.kind
        self.options = options
        self.progress = Progress(None, options.on_progress)
        self.scratch = Path(settings.DATA_DIR) / "scratch"
        self.held = ExitStack()
        self.is_cut = False
        self.recovered: dict[str, str] = {}

    def execute(self) -> Progress:
        """Do all of it."""
        progress = self.progress
        tune_for_long_job()
        try:
            self._read()
            self._snapshot()
            self._records()
            self._verify()
        except (KeyboardInterrupt, SystemExit):
            progress.error("", "stopped")
            progress.certificate = None
            with suppress(LeaseLost):
                way_on = how_to_resume(progress.run) if progress.run else ""
                progress.finish(MigrationRun.Status.ERROR, f"The import was stopped. {way_on}")
            raise
        except LeaseLost as error:
            tell_closed(progress, error)
        except (BackupError, DatabaseError, OSError, MemoryError, SecretsUnreadable) as error:
            if progress.run is None:
                # Nothing has been written, and there is no run to tell it.
                raise
            tell_broken_off(progress, error, is_preview=self.options.dry_run)
        finally:
            self.held.close()
            shutil.rmtree(self.scratch, ignore_errors=True)
        return progress

    # --- phases ---

    def _read(self) -> None:
        progress = self.progress
        for text in self.options.notes:
            progress.note(text)
        progress.enter("read")
        sha256 = hashlib.file_digest(self.file, "sha256").hexdigest()
        self.file.seek(0)
        imports = MigrationRun.objects.filter(purpose=MigrationRun.Purpose.IMPORT)
        same = imports.filter(source_sha256=sha256).last()
        placed = [collection for collection in registry.long_lists() if collection.keeps_places]
        base = same.position_base if same else min((one.first_position() for one in placed), default=0)
        if self.options.dry_run and self.options.columns:
            progress.run = self._make_run(sha256, base)
            self.held.enter_context(keep_lease(progress.run.pk))
        if not self.options.dry_run:
            self._begin(sha256, base)
            for collection in registry.long_lists():
                collection.tidy()
        progress.complete("read", "check")
        self.source = Source(
            # Of a file that is resumed after others came, too, the run is older than theirs.
            first_run=same.pk if same else None,
            omitted_fields=OMITTED_FIELDS.get(self.kind, frozenset()),
            strategy=self.options.strategy,
            restores_deleted=self.options.restore_deleted,
        )
        self.writer = RecordWriter(progress, self.source, writes=not self.options.dry_run, actor=self.options.actor)
        for collection in placed:
            self.writer.place_at(collection, base)

    def _begin(self, sha256: str, base: int) -> None:
        """Take up the run that is to be resumed, or make a new one."""
        progress, options = self.progress, self.options
        run = find_broken_off(sha256, options_as_json(options), options.resumes)
        if run is None:
            run = progress.run = self._make_run(sha256, base)
            progress.checkpoint["notes"] = list(options.notes)
        else:
            held, now = run.source_path, options.columns.get("source_path", "")
            take_up(run, **{"source_path": now} | options.columns)
            if held != now:
                discard_kept(held)
            progress.go_on(run)
            # What is read out of the file is read again.
            run.source_taken_at = run.source_device = ""
        self.held.enter_context(keep_lease(run.pk, run.resumed))
        mark_begin(progress)
        progress.on_change(progress)

    def _make_run(self, sha256: str, base: int) -> MigrationRun:
        return runs.new_run(
            source_name=self.source_file.name[:500],
            source_kind=self.kind,
            source_size=self.source_file.path.stat().st_size,
            source_sha256=sha256,
            position_base=base,
            **{"options": options_as_json(self.options)} | self.options.columns,
        )

    def _snapshot(self) -> None:
        if self.progress.phases["snapshot"]["status"] == "complete":
            return
        self.progress.enter("snapshot")
        if self.options.dry_run:
            self.progress.complete("snapshot")
            return
        is_empty = not any(
            collection.rows().exists() for spec in registry.all_specs() for collection in spec.collections
        )
        if is_empty and not Store.objects.exists():
            self.progress.note("There was nothing to back up.", "snapshot")
        else:
            backup = create_backup("before-import")
            self.progress.note(f"Backed up to {backup.path}", "snapshot")
        self.progress.complete("snapshot")
        self.progress.save()

    def _records(self) -> None:
        known = {} if self.options.restore_deleted else known_records(self.progress.resumed_run)
        records = RecordImporter(self.writer, known)
        stores = StoreImporter(records)
        parser = Parser(self.file, self.kind, self._on_bytes, partial(is_known, known), self.scratch)
        waiting: list[StoreItem] = []
        copies: list[RecoveryCopy] = []
        local_chats: list[StoreItem] = []
        for item in parser.items():
            self.source.taken_at = parser.facts.taken_at
            if self.progress.run is not None:
                self.progress.run.source_taken_at = parser.facts.taken_at
            if isinstance(item, RecordItem):
                records.take_record(item)
                continue
            records.flush()
            match item:
                case StoreItem(name=copies_of.CHATS, is_left_over=False, is_partial=False):
                    local_chats.append(item)
                case StoreItem(name=copies_of.OLDER_CHATS):
                    copies.append(copies_of.copy_in(item))
                case StoreItem() if registry.get(item.name).is_last:
                    waiting.append(item)
                case StoreItem():
                    self._note_device(item)
                    stores.take(item)
                case DamagedItem():
                    records.take_damaged(item)
                case RecoveryCopy():
                    copies.append(item)
                case CutItem():
                    self._take_cut(item, records)
        records.flush()
        if local_chats and not parser.facts.has_chats:
            first = local_chats.pop(0)
            stores.take(replace(first, value=copies_of.unpack_chats(first.value)))
        # big-AGI reads the chats of IndexedDB, where there are any.
        copies += map(copies_of.copy_in, local_chats)
        self.has_copies = bool(copies)
        for copy in copies:
            self.recovered.update(records.take_copy(copy, recovers=self.options.recover))
        for item in waiting:
            stores.take(item)
        self.writer.place_branches()
        tell_facts(self.progress, self.writer, parser.facts)
        self.progress.complete(*(name for name in PHASES if name != "verify"))

    def _note_device(self, item: StoreItem) -> None:
        if self.progress.run is not None and item.name == "app-device":
            state = item.value.get("state") if isinstance(item.value, dict) else None
            device = state.get("localDeviceId") if isinstance(state, dict) else None
            self.progress.run.source_device = str(device) if is_id(device) else ""

    def _on_bytes(self, count: int) -> None:
        self.progress.bytes_read += count
        self.progress.on_change(self.progress)

    def _take_cut(self, item: CutItem, records: RecordImporter) -> None:
        self.is_cut = True
        message = f"the file is cut or damaged at {item.place}: {item.missing}"
        self.progress.error(item.place, message)
        records.take_rest(item.raw, item.place)

    def _verify(self) -> None:
        progress = self.progress
        if not self.options.dry_run:
            progress.enter("verify")
            progress.certificate = self._certificate().as_json() | {"is_cut": self.is_cut}
        progress.complete("verify")
        if problems := progress.disagreements():
            for problem in problems:
                progress.error("", problem)
            progress.finish(MigrationRun.Status.ERROR, "; ".join(problems))
            return
        if progress.certificate and progress.certificate["differences"]:
            progress.finish(MigrationRun.Status.ERROR, "The verification found differences.")
            return
        if self.is_cut and not self.options.dry_run:
            # Nobody may delete the browser's data on the strength of half a file.
            progress.finish(MigrationRun.Status.ERROR, CUT)
            return
        # A preview is done when it has told so.
        progress.finish(MigrationRun.Status.DONE, CUT if self.is_cut else "")

    def _certificate(self) -> Certificate:
        if not self.writer.needs_verification and not self.is_cut and not self.has_copies:
            return certify_known(self.progress)
        verification = Verification(self.source_file.path, skips_verified=True, recovered=self.recovered)
        certificate = verification.run()
        verification.mark_verified()
        return certificate
