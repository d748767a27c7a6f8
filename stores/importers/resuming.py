"""Runs that were broken off and can go on: which they are, and why others cannot."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from stores.background.leases import LEASE_MS
from stores.importers.incoming import Refused
from stores.importers.one_run import close_dead_runs, ownership, while_none_runs
from stores.importers.run import RESUMED, kept_phases
from stores.models import MigrationRun
from stores.querysets import INTERRUPTED, UNDER_WAY, as_seen_now, standing_undos

MOST_BY_ITSELF = 3
"""How often a run is resumed that was not asked for: one that ends the process each time must not do so for ever."""

Status, Purpose = MigrationRun.Status, MigrationRun.Purpose


@dataclass
class NotResumable(Exception):
    """A run cannot go on. `is_gone` says that it could, if its file were still here."""

    reason: str
    is_gone: bool = False

    def __str__(self) -> str:
        return self.reason


def find_broken_off(sha256: str, options: dict[str, Any], wanted: int | None = None) -> MigrationRun | None:
    """Return the last import of a file if it was broken off, and began with these options. Raises `Refused` where
    another run than that is `wanted`."""
    if wanted is not None:
        run = MigrationRun.objects.get(pk=wanted)
        if reason := why_not(run):
            raise Refused(reason)
        if run.source_sha256 != sha256:
            raise Refused(f"The file kept for import {run.pk} has changed. Import the file again.")
        return run
    last = MigrationRun.objects.filter(purpose=Purpose.IMPORT, source_sha256=sha256).first()
    if last is None or why_not(last) is not None:
        return None
    return last if _without_actor(last.options) == _without_actor(options) else None


def _without_actor(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name != "actor"}


def why_not(run: MigrationRun) -> str | None:
    """Return in words why a run cannot go on, wherever its file is; None where it can."""
    named, status = f"Import {run.pk} of {run.source_name}", as_seen_now(run).status
    if run.purpose == Purpose.UNDO:
        return f"Run {run.pk} is an undo. To complete it, undo the same run again."
    if run.purpose == Purpose.PREVIEW:
        return f"Run {run.pk} is a preview, and does not go on. Send the file again."
    if status == Status.RUNNING:
        return f"{named} is running (process {run.pid}). Wait until it has finished."
    if status == Status.DONE:
        return f"{named} has finished: nothing of it is left to do."
    if run.certificate is not None:
        return (
            f"{named} read the whole file and compared it: there is nothing to go on with. {run.blocked_by} "
            "Its certificate lists each difference."
        )
    if (undo := standing_undos().get(run.pk)) is not None:
        return f"{named} was taken back by run {undo}. Import the file again."
    later = MigrationRun.objects.filter(
        purpose=Purpose.IMPORT, source_sha256=run.source_sha256, pk__gt=run.pk, status=Status.DONE
    ).first()
    if later is not None and run.source_sha256:
        return f"{named} need not go on: run {later.pk} has imported the same file since."
    if run.options is None:
        return f"{named} was begun by an earlier version of bigagi. Import the same file again."
    return None


def check_resumable(run: MigrationRun) -> None:
    """Close the run if nobody does it any more. Raises `NotResumable`; whether its file is here is not asked."""
    close_dead_runs()
    run.refresh_from_db()
    if reason := why_not(run):
        raise NotResumable(reason)
    if not run.source_path:
        raise NotResumable(
            f"Import {run.pk} of {run.source_name} was not an upload, so its file was not kept. Import the same file "
            "again to resume it: manage.py import_indexeddb FILE"
        )


def find_upload(number: int | None) -> MigrationRun:
    """Return the run of this number, or the last upload that was broken off. Raises `NotResumable`."""
    if number is not None:
        run = MigrationRun.objects.filter(pk=number).first()
        if run is None:
            raise NotResumable(f"There is no import {number}. `manage.py migration_status` shows the last one.")
        return run
    close_dead_runs()
    uploads = MigrationRun.objects.filter(purpose=Purpose.IMPORT, status=Status.ERROR).exclude(source_path="")
    run = next((run for run in uploads if why_not(run) is None), None)
    if run is None:
        raise NotResumable("No upload was broken off: there is nothing to resume.")
    return run


def file_is_gone(run: MigrationRun) -> NotResumable:
    """Return the error for a run whose file is not here, or held by another process."""
    return NotResumable(
        f"The file of import {run.pk}, {run.source_name}, is not kept any more. Import the same file again to resume "
        "it.",
        is_gone=True,
    )


def find_interrupted() -> list[MigrationRun]:
    """Return the runs that go on by themselves, imports of uploads and undos: their process ended in the middle, and
    not again and again."""
    ended = MigrationRun.objects.filter(status=Status.ERROR, certificate=None, resumed__lt=MOST_BY_ITSELF)
    ended = ended.filter(blocked_by__contains=INTERRUPTED).order_by("pk")
    undos = list(ended.filter(purpose=Purpose.UNDO))
    return [*undos, *(run for run in ended.exclude(source_path="") if why_not(run) is None)]


def take_up(run: MigrationRun, **fields: Any) -> None:
    """Make the row of a run that was broken off one that goes on, and note in it when that was. Raises
    `AlreadyRunning`, and `Refused` where another server has completed it meanwhile."""
    # Nobody may take it for one that nobody does, as soon as it can be seen.
    UNDER_WAY.add(run.pk)
    try:
        with while_none_runs():
            run.refresh_from_db()
            if reason := why_not(run):
                raise Refused(reason)
            _go_on(run)
            for name, value in (ownership() | fields).items():
                setattr(run, name, value)
            run.save()
    except BaseException:
        UNDER_WAY.discard(run.pk)
        raise


def _go_on(run: MigrationRun) -> None:
    broken_off = datetime.fromtimestamp((run.lease_until - LEASE_MS) / 1000, UTC)
    # The others are told again.
    kept = [*(run.checkpoint or {}).get("notes", []), *(note for one in kept_phases(run) for note in one["notes"])]
    kept += [note for note in run.notes if note.startswith(RESUMED)]
    run.notes, run.errors = [*kept, f"{RESUMED} {broken_off:%Y-%m-%d %H:%M:%S} UTC."], []
    run.status, run.blocked_by, run.finished_at = Status.RUNNING, "", None
    run.resumed += 1
