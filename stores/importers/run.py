"""A run's record in the database: phases, counts, errors, and what the owner should know."""

import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from filelock import FileLock, Timeout

from stores.background.leases import next_end, this_owner
from stores.importers.lease import hold
from stores.models import MigrationRun
from stores.querysets import is_abandoned, mark_ended
from stores.records import registry
from stores.records.codecs import storable
from stores.records.sql import durably, execute

PHASES = (
    *("read", "check", "snapshot", "stores", "services", "assets", "chats", "folders", "metrics", "workspace"),
    "verify",
)
OUTCOMES = ("created", "updated", "merged", "unchanged", "skipped", "quarantined")
NUMBERS = (*OUTCOMES, "conflicting", "kept_aside")
"""What is counted of a kind: each record has one outcome, and the others say more of some."""
DELETED = "deleted"
"""An outcome that only the undo of a run has."""
TWICE = "the same one is in the file twice"
"""Why a record was not written: equal copies are one record."""

SAVED_EVERY = 0.5
"""Seconds between two writes of a run's progress."""

LONGEST_LOG = 1000
"""Entries of the error log and of the notes; what is beyond is counted."""


def numbers_of(counts: Any) -> tuple[str, ...]:
    """Return what a run with these counts has numbers of."""
    kinds = counts.values() if isinstance(counts, dict) else ()
    has_deleted = any(isinstance(outcomes, dict) and DELETED in outcomes for outcomes in kinds)
    return ("created", "updated", DELETED, "unchanged", "skipped") if has_deleted else NUMBERS


class AlreadyRunning(RuntimeError):
    """Another import is under way."""


class Progress:
    """Counts what is read and what is written, apart, and keeps the run's row true. Without a run nothing is saved."""

    names: Sequence[str] = PHASES
    outcome_names: Sequence[str] = OUTCOMES

    def __init__(
        self, run: MigrationRun | None, on_change: Callable[["Progress"], None] = lambda progress: None
    ) -> None:
        self.run = run
        self.on_change = on_change
        self.kinds = (*registry.kinds(), "file")
        self.read: dict[str, int] = dict.fromkeys(self.kinds, 0)
        self.outcomes: dict[str, dict[str, int]] = {kind: dict.fromkeys(self.outcome_names, 0) for kind in self.kinds}
        self.reasons: dict[str, dict[str, int]] = {}
        self.rules: dict[str, Counter[str]] = {}
        """By kind, how often each rule of merging decided something."""
        self.conflicting: Counter[str] = Counter()
        self.kept_aside: Counter[str] = Counter()
        self.phases: dict[str, dict[str, Any]] = {
            name: {"name": name, "status": "pending", "done": 0, "notes": []} for name in self.names
        }
        self.phase = ""
        self.errors: list[dict[str, str]] = []
        self.notes: list[str] = []
        self.bytes_read = 0
        self.certificate: dict[str, Any] | None = None
        self._saved_at = 0.0

    # --- telling ---

    def enter(self, phase: str) -> None:
        """Say which phase is under way; a phase can be come back to."""
        if phase != self.phase:
            self.phase = phase
            if self.phases[phase]["status"] == "pending":
                self.phases[phase]["status"] = "running"
            self.save()

    def complete(self, *phases: str) -> None:
        """Say that these phases are done."""
        for phase in phases:
            self.phases[phase]["status"] = "complete"

    def fail(self) -> None:
        """Say that the phases under way failed."""
        for phase in self.phases.values():
            if phase["status"] == "running":
                phase["status"] = "failed"

    def note(self, text: str, phase: str = "") -> None:
        """Tell the owner something about the source or the result."""
        text = storable(text)
        if text not in self.notes and len(self.notes) < LONGEST_LOG:
            self.notes.append(text)
        if phase:
            self.phases[phase]["notes"].append(text)

    def error(self, place: str, message: str) -> None:
        """Add to the error log."""
        if len(self.errors) < LONGEST_LOG:
            # Damage can be in a key, and no terminal takes what is no text.
            error = {"place": storable(place), "message": storable(message)}
            self.errors.append({"at": timezone.now().isoformat(), "phase": self.phase, **error})

    def count_read(self, kind: str, count: int = 1) -> None:
        """Count what the reader met."""
        self.read[kind] += count

    def count(self, kind: str, outcome: str, count: int = 1, reason: str = "") -> None:
        """Count what the writer did."""
        if not count:
            return
        self.outcomes[kind][outcome] += count
        self.phases[self.phase]["done"] += count
        if reason:
            reasons = self.reasons.setdefault(kind, {})
            reasons[reason] = reasons.get(reason, 0) + count

    def count_rules(self, kind: str, rules: Counter[str]) -> None:
        """Count the rules by which two states of a record became one."""
        if rules:
            self.rules.setdefault(kind, Counter()).update(rules)

    # --- asking ---

    @property
    def counts(self) -> dict[str, Any]:
        """For each kind that was met: read, outcomes, how many are in conflict with what is here and how many are kept
        beside it, the reasons of what was skipped or quarantined, and the rules by which two states became one."""
        return {
            kind: {
                "read": self.read[kind],
                **self.outcomes[kind],
                "conflicting": self.conflicting[kind],
                "kept_aside": self.kept_aside[kind],
                "reasons": self.reasons.get(kind, {}),
                "rules": dict(self.rules.get(kind, {})),
            }
            for kind in self.kinds
            if self.read[kind] or any(self.outcomes[kind].values())
        }

    def disagreements(self) -> list[str]:
        """Return in words for which kinds the reader and the writer did not count the same."""
        return [
            f"{kind}: {self.read[kind]} read, but {sum(self.outcomes[kind].values())} accounted for"
            for kind in self.kinds
            if self.read[kind] != sum(self.outcomes[kind].values())
        ]

    def outcome(self, name: str) -> int:
        """Return how many records of all kinds had an outcome."""
        return sum(outcomes[name] for outcomes in self.outcomes.values())

    # --- keeping ---

    def save_soon(self) -> None:
        """Save the run's row if that was not done just now."""
        if time.monotonic() - self._saved_at > SAVED_EVERY:
            self.save()

    def save(self) -> None:
        """Write the run's row. Raises `LeaseLost`."""
        self._saved_at = time.monotonic()
        self.on_change(self)
        if self.run is None:
            return
        finished = [name for name in self.names if self.phases[name]["status"] == "complete"]
        run = self.run
        run.phase = self.phase
        run.phases = list(self.phases.values())
        run.counts = self.counts
        run.errors = self.errors
        run.notes = self.notes
        run.certificate = self.certificate
        run.lease_until = next_end()
        run.last_completed_task = finished[-1] if finished else ""
        behind = self.names[self.names.index(self.phase) + 1 :] if self.phase else self.names
        run.next_task = next((name for name in behind if self.phases[name]["status"] == "pending"), "")
        with transaction.atomic():
            hold(run.pk)
            run.save()

    def finish(self, status: str, blocked_by: str = "") -> None:
        """Close the run. Raises `LeaseLost`."""
        if self.run is not None:
            self.run.status = status
            self.run.blocked_by = blocked_by[:500]
            self.run.finished_at = timezone.now()
        if status == MigrationRun.Status.ERROR:
            self.fail()
        with durably():
            self.save()


def new_run(**fields: Any) -> MigrationRun:
    """Make the row of a run that begins. Raises `AlreadyRunning`."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            # SQLite's transactions begin with a lock. Here two servers could both find that none runs.
            execute("LOCK TABLE {stores.MigrationRun} IN SHARE ROW EXCLUSIVE MODE")
        _check_none_runs()
        own = {"pid": os.getpid(), "owner": this_owner(), "lease_until": next_end()}
        return MigrationRun.objects.create(phases=[], counts={}, errors=[], notes=[], **own, **fields)


# --- one at a time ---


def _lock() -> FileLock:
    folder = Path(settings.DATA_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    # The system lets go of it when the process ends, however it ends.
    return FileLock(folder / "import.lock", timeout=0)


@contextmanager
def only_one() -> Any:
    """Hold the right to import. Raises `AlreadyRunning`, which names the run that has it."""
    try:
        # The lock is for those on this data folder, leases for servers with others on the same database.
        with _lock():
            close_dead_runs()
            _check_none_runs()
            yield
    except Timeout:
        _check_none_runs()
        raise AlreadyRunning("another import is running: unknown run. Wait for it, or stop it.") from None


def _check_none_runs() -> None:
    """Raises `AlreadyRunning`."""
    if run := MigrationRun.objects.filter(status=MigrationRun.Status.RUNNING).first():
        named = f"run {run.pk} of {run.source_name} (process {run.pid})"
        raise AlreadyRunning(f"another import is running: {named}. Wait for it, or stop it.")


def close_dead_runs() -> None:
    """Mark runs as `error` that nobody does any more."""
    running = MigrationRun.objects.filter(status=MigrationRun.Status.RUNNING)
    if not any(map(is_abandoned, running)):
        return
    with transaction.atomic():
        # Read again: its owner may have renewed the lease meanwhile.
        for run in filter(is_abandoned, running.select_for_update()):
            mark_ended(run)
            run.finished_at = timezone.now()
            run.save()
