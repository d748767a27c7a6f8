"""A run's record in the database: phases, counts, errors, and what the owner should know."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from django.db import DatabaseError, transaction
from django.utils import timezone

from stores.background.leases import next_end
from stores.importers.lease import hold
from stores.models import MigrationRun
from stores.records import registry
from stores.records.codecs import storable
from stores.records.sql import durably

PHASES = (
    *("read", "check", "snapshot", "stores", "services", "assets", "chats", "folders", "metrics", "workspace"),
    "verify",
)
BEFORE_RECORDS = ("read", "check", "snapshot")
"""The phases that are not done again by a run that is resumed."""
RESUMED = "Resumed after an interruption at"
"""How the note begins that a run was resumed."""
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
        self.resumed_run: MigrationRun | None = None
        """The run, if it was broken off before."""
        self.checkpoint: dict[str, Any] = {}
        """What the run has to know of its beginning where it is resumed; stored with its row."""
        self._saved_at = 0.0

    def go_on(self, run: MigrationRun) -> None:
        """Take up a run where it was broken off: what is not told again is taken from its row."""
        self.run = self.resumed_run = run
        self.checkpoint = run.checkpoint or {}
        self.notes = list(run.notes)
        self.phases |= {phase["name"]: phase for phase in kept_phases(run)}

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
        run.bytes_read = self.bytes_read
        run.checkpoint = self.checkpoint or None
        run.lease_until = next_end()
        run.last_completed_task = finished[-1] if finished else ""
        behind = self.names[self.names.index(self.phase) + 1 :] if self.phase else self.names
        run.next_task = next((name for name in behind if self.phases[name]["status"] == "pending"), "")
        with transaction.atomic():
            hold(run.pk, run.resumed)
            run.save()

    def finish(self, status: str, blocked_by: str = "") -> None:
        """Close the run. Raises `LeaseLost`."""
        run = self.run
        if status == MigrationRun.Status.ERROR:
            self.fail()
        if run is None:
            self.save()
            return
        run.status, run.blocked_by, run.finished_at = status, blocked_by[:500], timezone.now()
        kept = self.checkpoint, run.source_path
        if run.purpose == MigrationRun.Purpose.IMPORT and self.certificate is not None:
            # It is over for good, and needs its file no more.
            self.checkpoint, run.source_path = {}, ""
        try:
            with durably():
                self.save()
        except DatabaseError:
            self.checkpoint, run.source_path = kept
            raise


def kept_phases(run: MigrationRun) -> list[dict[str, Any]]:
    """Return the phases of a run that was broken off that are not done again."""
    return [phase for phase in run.phases if phase["name"] in BEFORE_RECORDS and phase["status"] == "complete"]
