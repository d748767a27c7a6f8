"""Taking back a run of the import: a run itself, which works from the journal's parts, is verified, and can be undone.

Every batch of records is one short transaction, in which the undo notes what became of each: killed at any moment and
called again, it goes on where it was.
"""

import os
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import structlog
from django.db import DatabaseError, transaction

from stores.background.leases import next_end, this_owner
from stores.importers import one_run as runs
from stores.importers import record_writer
from stores.importers.lease import LeaseLost, hold, keep_lease
from stores.importers.record_importer import BATCH_RECORDS, LONGEST_TRANSACTION
from stores.importers.run import DELETED, OUTCOMES, Progress
from stores.importers.undoing_plan import (
    LONGEST_UID,
    Key,
    backup_of,
    check_journal,
    find_keys,
    find_revisions,
)
from stores.importers.undoing_proof import is_redo, verify_undo
from stores.importers.undoing_records import Undoing
from stores.models import Change, MigrationRun, RunRecord
from stores.querysets import is_abandoned, standing_undos
from stores.records import registry
from stores.records.errors import Conflict, Missing
from stores.records.faults import fault_of
from stores.records.journal.lists import DAMAGED
from stores.records.journal.recorder import Origin, record_change
from stores.records.sql import tune_for_long_job
from stores.records.undoing import KIND

logger = structlog.get_logger("stores")

PHASES = ("check", "records", "calls", "verify")
AGAIN = "What was taken back until then stays so. Undo the same run again to complete it."
FIRST_BATCH = 20


@dataclass
class Options:
    """How to undo. `force`: also what was changed since. `on_progress` is called as things go on."""

    force: bool = False
    actor: str = ""
    """Who undoes it, for the journal."""
    on_progress: Callable[[Progress], None] = lambda progress: None


class UndoProgress(Progress):
    """Counts what an undo does: `read` is what the run had done, the outcomes what became of it."""

    names = PHASES
    outcome_names = (*OUTCOMES, DELETED)

    def count_record(self, record: RunRecord) -> None:
        if record.kind not in self.outcomes:
            self.kinds = (*self.kinds, record.kind)
            self.read[record.kind] = 0
            self.outcomes[record.kind] = dict.fromkeys(self.outcome_names, 0)
        self.count_read(record.kind)
        # By which change, the certificate says of each.
        reason = record.reason.partition(" by ")[0] if record.outcome == "skipped" else ""
        self.count(record.kind, record.outcome, reason=reason)


def undo_run(pk: int, options: Options) -> Progress:
    """Take back what a run did; or, where an undo of it was interrupted, go on with that.

    Raises `Missing`, `Conflict` with the reason where it cannot be undone, and `runs.AlreadyRunning`, before anything
    is written. A fault in the middle leaves the new run as `error`."""
    with runs.only_one():
        run = find_undoable(pk)
        by = find_interrupted(run)
        if by is not None:
            return _go_on(by, options)
        by = runs.new_run(
            purpose=MigrationRun.Purpose.UNDO,
            based_on=run,
            source_name=run.source_name,
            source_kind=run.source_kind,
            options={"force": options.force, "actor": options.actor},
        )
        return _Undo(run, by, options).execute()


def resume_undo(by: MigrationRun, on_progress: Callable[[Progress], None] = lambda progress: None) -> Progress:
    """Go on with an undo that was interrupted, given by its row, as it was asked for. Raises as `undo_run`."""
    with runs.only_one():
        by.refresh_from_db()
        if by.purpose != MigrationRun.Purpose.UNDO or by.status != MigrationRun.Status.ERROR or by.based_on is None:
            raise Conflict(f"Run {by.pk} is no undo that was interrupted.", KIND)
        asked = by.options or {}
        return _go_on(by, Options(bool(asked.get("force")), str(asked.get("actor", "")), on_progress))


def _go_on(by: MigrationRun, options: Options) -> Progress:
    assert by.based_on is not None
    with transaction.atomic():
        by = MigrationRun.objects.select_for_update(of=("self",)).get(pk=by.pk)
        by.status, by.blocked_by, by.finished_at = MigrationRun.Status.RUNNING, "", None
        by.resumed += 1
        by.pid, by.owner, by.lease_until = os.getpid(), this_owner(), next_end()
        # What is wanted can have changed: the rest is done with force, or without.
        by.options = {"force": options.force, "actor": options.actor}
        by.save()
    assert by.based_on is not None
    return _Undo(by.based_on, by, options).execute()


def find_undoable(pk: int) -> MigrationRun:
    """Return the run, if it can be undone, or an undo of it be completed. Raises `Missing` and `Conflict`."""
    run = MigrationRun.objects.filter(pk=pk).first()
    if run is None:
        raise Missing(f"There is no run {pk}.")
    if run.purpose == MigrationRun.Purpose.PREVIEW:
        raise Conflict("A preview changes nothing, so there is nothing to undo.", KIND)
    if _is_under_way(run):
        raise Conflict(f"Run {pk} is still running. Undo it when it has ended.", KIND)
    interrupted = find_interrupted(run)
    if interrupted is None and (by := standing_undos().get(pk)) is not None:
        if _is_under_way(MigrationRun.objects.get(pk=by)):
            words = f"Run {by} is undoing it now."
        elif run.purpose == MigrationRun.Purpose.UNDO:
            words = f"This undo was already undone by run {by}. Undo that run to take the import back again."
        else:
            words = f"This import was already undone by run {by}. Undo that run to bring it back."
        raise Conflict(words, KIND, {"undone_by": by})
    if interrupted is None:
        check_journal(run)
    return run


def find_interrupted(run: MigrationRun) -> MigrationRun | None:
    """Return the undo of a run that was interrupted, and is not complete."""
    by = MigrationRun.objects.filter(pk=standing_undos().get(run.pk, 0)).first()
    return by if by is not None and by.status != MigrationRun.Status.DONE and not _is_under_way(by) else None


def _is_under_way(run: MigrationRun) -> bool:
    return run.status == MigrationRun.Status.RUNNING and not is_abandoned(run)


def can_be_undone(run: MigrationRun) -> bool:
    """Tell whether an undo of the run would be begun, or completed."""
    try:
        find_undoable(run.pk)
    except (Missing, Conflict):
        return False
    return True


class _Undo:
    """One undo under way."""

    def __init__(self, run: MigrationRun, by: MigrationRun, options: Options) -> None:
        self.run = run
        self.by = by
        self.options = options
        self.progress = UndoProgress(by, options.on_progress)
        self.progress.notes = list(by.notes or [])
        self.progress.errors = list(by.errors or [])
        self._change = Change.objects.filter(run=by).last()

    def execute(self) -> Progress:
        progress = self.progress
        tune_for_long_job()
        with ExitStack() as held:
            held.enter_context(keep_lease(self.by.pk))
            try:
                self._do_all()
            except (KeyboardInterrupt, SystemExit):
                progress.error("", "stopped")
                with suppress(LeaseLost):
                    progress.finish(MigrationRun.Status.ERROR, f"The undo was stopped. {AGAIN}")
                raise
            except LeaseLost:
                logger.warning("an undo had been closed by another server", run=self.by.pk)
                self.by.refresh_from_db()
                self.by.blocked_by = f"Another server has closed this undo, since nobody answered for it here. {AGAIN}"
            except (DatabaseError, OSError, MemoryError) as error:
                self._broken_off(error)
        return progress

    def _broken_off(self, error: Exception) -> None:
        fault = fault_of(error)
        message = fault.what if fault else f"{type(error).__name__}: {error}."
        remedy = f" {fault.remedy}" if fault else ""
        self.progress.error("", message)
        with suppress(LeaseLost, DatabaseError):
            self.progress.finish(MigrationRun.Status.ERROR, f"{message}{remedy} {AGAIN}")

    def _do_all(self) -> None:
        progress = self.progress
        progress.enter("check")
        keys = find_keys(self.run)
        revisions = find_revisions(self.run, keys)
        known = set(keys)
        keys += [key for key in revisions if key not in known]
        self._tell_means()
        done = set()
        for record in RunRecord.objects.filter(run=self.by).defer("imported_before", "difference", "beside"):
            done.add((record.kind, record.uid))
            progress.phase = "records"
            progress.count_record(record)
        progress.complete("check")
        progress.enter("records")
        undoing = Undoing(self.run, self.by, revisions, force=self.options.force)
        self._take_back(undoing, [key for key in keys if (key[0], key[1][:LONGEST_UID]) not in done])
        progress.complete("records")
        progress.enter("calls")
        self._undo_beside()
        progress.complete("calls")
        progress.enter("verify")
        progress.certificate = verify_undo(self.run, self.by)
        progress.complete("verify")
        if progress.certificate["differences"]:
            progress.finish(MigrationRun.Status.ERROR, f"The verification found differences. {AGAIN}")
            return
        progress.finish(MigrationRun.Status.DONE)

    def _take_back(self, undoing: Undoing, keys: list[Key]) -> None:
        size, at = FIRST_BATCH, 0
        while at < len(keys):
            batch = keys[at : at + size]
            at += len(batch)
            _close_abandoned(batch)
            started = time.monotonic()
            action = "bring import back" if is_redo(self.run) else "undo import"
            origin = Origin(Change.Source.IMPORT, self.options.actor)
            undoes = Change.objects.filter(run=self.run).last()
            facts = {"run": self.by, "into": self._change, "undoes": undoes}
            with record_change(origin, action, self.run.source_name, **facts) as entry:
                hold(self.by.pk)
                decided = undoing.take_back(entry, batch)
            self._change = entry.change or self._change
            for record in decided:
                self.progress.count_record(record)
            self.progress.save_soon()
            took = time.monotonic() - started
            if took > LONGEST_TRANSACTION:
                size = max(size // 2, 1)
            elif took < LONGEST_TRANSACTION / 2:
                size = min(size * 2, BATCH_RECORDS)
            time.sleep(record_writer.PAUSE)

    def _undo_beside(self) -> None:
        for spec in registry.all_specs(with_databases=True):
            steps = spec.undo_run(self.run, self.by)
            is_done = False
            while not is_done:
                with transaction.atomic():
                    hold(self.by.pk)
                    is_done = next(steps, self) is self
                self.progress.save_soon()

    def _tell_means(self) -> None:
        """Say what the undo works from, and what else could bring back what was."""
        path = backup_of(self.run)
        text = "This was done from the journal, so that what came later stays."
        if path:
            gone = "" if Path(path).exists() else ", which is no longer there"
            text = f"{text} The second net is the backup made before the import: {path}{gone}."
        self.progress.note(text, "check")


def _close_abandoned(keys: list[Key]) -> None:
    uids = Counter(kind for kind, _ in keys)
    for kind in uids:
        if kind not in ("store", DAMAGED):
            registry.close_abandoned(kind, [uid for one, uid in keys if one == kind])
