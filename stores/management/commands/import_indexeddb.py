"""`manage.py import_indexeddb PATH…`: import files that big-AGI wrote."""

import gc
import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.progress import Progress as Bar

from stores.backups.intact import describe_emptied_database
from stores.importers.file_facts import Strategy
from stores.importers.importer import import_file
from stores.importers.incoming import Refused
from stores.importers.one_run import AlreadyRunning
from stores.importers.options import Options
from stores.importers.report import counts_table, describe_counts, is_all_here, proof, run_report
from stores.importers.resuming import NotResumable, find_upload
from stores.importers.run import Progress
from stores.importers.uploads import import_here, reopen_upload
from stores.importers.words import count_kinds, sum_kinds
from stores.management.actors import user_name
from stores.models import MigrationRun
from stores.records.codecs import storable
from stores.records.faults import describe_fault

LAST = 0
"""Stands for the last upload that was broken off."""


class Command(BaseCommand):
    # Neither URLs nor templates are needed, and checking them costs more than a small import.
    requires_system_checks = []

    help = (
        "Import big-AGI files: a flash backup, all chats, or one chat. The kind is detected from the content. "
        "Nothing here is deleted, and what was changed on both sides is merged. Exit status: 0 if all chats and "
        "messages can be read here, 1 if not all (the last sentence says where they are) or the import was stopped, "
        "2 if the file was refused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "paths",
            nargs="*",
            type=Path,
            metavar="PATH",
            help="A file written by big-AGI; - reads standard input. An import of it that was broken off is resumed.",
        )
        parser.add_argument(
            "--resume",
            nargs="?",
            type=int,
            const=LAST,
            metavar="ID",
            help="Resume an upload whose import was broken off; without ID the last one.",
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="Report what would be done, without writing anything. The page Import shows it record by record.",
        )
        parser.add_argument(
            "--restore-deleted", action="store_true", help="Also restore records that were deleted here."
        )
        parser.add_argument(
            "--recover",
            action="store_true",
            help="Also import chats that are only in a copy that big-AGI no longer shows (app-chats-v3).",
        )
        parser.add_argument(
            "--strategy",
            type=Strategy,
            choices=list(Strategy),
            default=Strategy.MERGE,
            help=(
                "What becomes of a record that is here in another state than in the file. merge (default): both are "
                "here, a chat that was continued on both sides with a branch; ours or theirs: one is shown, the other "
                "kept under Earlier versions; copy: a chat from the file becomes a chat of its own."
            ),
        )
        parser.add_argument("--json", action="store_true", help="Print the report as JSON (a list for several files).")

    def handle(self, *args: Any, **options: Any) -> None:
        self._prepare()
        # Records are trees, which go without the collector; it would look at all of them again and again.
        gc.freeze()
        gc.set_threshold(100_000, 50, 50)
        worst = 0
        reports = []
        if not options["paths"] and options["resume"] is None:
            raise CommandError("Give the path of a big-AGI file, or --resume.", returncode=2)
        for path in [*options["paths"], *([] if options["resume"] is None else [None])]:
            try:
                progress = self._import(path, options) if path else self._resume(options["resume"])
            except Refused as error:
                # The other files are as good as they were.
                self.stderr.write(self.style.ERROR(str(error)))
                worst = 2
                continue
            if options["json"]:
                reports.append(run_report(progress.run or _unsaved(progress)))
            else:
                self._tell(progress)
            if not is_clean(progress):
                worst = max(worst, 1)
        if reports:
            self.stdout.write(json.dumps(reports if len(options["paths"]) > 1 else reports[0], indent=2))
        if worst:
            sys.exit(worst)

    @staticmethod
    def _prepare() -> None:
        """Make the tables of an empty database; one that waits for a migration is `start`'s, which backs it up."""
        try:
            Path(settings.DATA_DIR).mkdir(mode=0o700, parents=True, exist_ok=True)
            if reason := describe_emptied_database():
                raise CommandError(reason, returncode=2)
            executor = MigrationExecutor(connection)
            if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
                return
            if executor.loader.applied_migrations:
                raise CommandError("The database needs a migration. Run `manage.py start` once.", returncode=2)
            call_command("migrate", interactive=False, verbosity=0, skip_checks=True)
        except (OSError, DatabaseError) as error:
            raise CommandError(
                f"The database in {settings.DATA_DIR} cannot be used: {describe_fault(error)}", returncode=2
            ) from error

    def _import(self, path: Path, options: dict[str, Any]) -> Progress:
        wanted = Options(
            options["dry_run"],
            options["restore_deleted"],
            options["recover"],
            options["strategy"],
            actor=user_name(),
        )
        size = path.stat().st_size if path.is_file() else 0
        return self._show(path.name, size, wanted, lambda options: import_file(path, options))

    def _resume(self, number: int) -> Progress:
        """Resume an upload. Raises `CommandError`."""
        try:
            upload, wanted = reopen_upload(find_upload(number or None))
        except NotResumable as error:
            raise CommandError(str(error), returncode=2) from error
        size = upload.path.stat().st_size
        return self._show(upload.path.name, size, wanted, lambda options: import_here(upload, options))

    def _show(self, name: str, size: int, wanted: Options, work: Callable[[Options], Progress]) -> Progress:
        """Do the work, and show how it goes on."""
        console = Console(stderr=True)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        with Bar(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
            task = bar.add_task(storable(name), total=size)

            def show(progress: Progress) -> None:
                text = count_kinds({kind: progress.read[kind] for kind in sum_kinds()})
                bar.update(
                    task,
                    completed=min(progress.bytes_read, size),
                    description=f"{progress.phase}: {text or 'nothing yet'}",
                )

            try:
                return work(replace(wanted, on_progress=show))
            except AlreadyRunning as error:
                raise CommandError(str(error), returncode=2) from error
            except KeyboardInterrupt:
                raise CommandError("Stopped. Import the same file again to resume it.", returncode=1) from None

    def _tell(self, progress: Progress) -> None:
        run = progress.run or _unsaved(progress)
        if progress.resumed_run:
            self.stdout.write(f"Import {run.pk}, which was broken off, was resumed.")
        for line in counts_table(run):
            self.stdout.write(line)
        for note in progress.notes:
            self.stdout.write(f"- {note}")
        for error in progress.errors[:20]:
            self.stdout.write(self.style.ERROR(f"! {error['place']}: {error['message']}"))
        if len(progress.errors) > 20:
            self.stdout.write(f"! … and {len(progress.errors) - 20} more: manage.py migration_status {run.pk}")
        if progress.run is None:
            self.stdout.write(f"Dry run, nothing was written. The file has {describe_counts(run.counts)}.")
            return
        self.stdout.write(self.style.SUCCESS(proof(run)) if is_clean(progress) else proof(run))
        self.stdout.write(
            "Keep the data in the browser until you have checked the result here. "
            f"To see the certificate: manage.py migration_status {run.pk} --format json"
        )


def _unsaved(progress: Progress) -> MigrationRun:
    from django.utils import timezone

    return MigrationRun(
        status=MigrationRun.Status.DONE,
        phases=list(progress.phases.values()),
        counts=progress.counts,
        errors=progress.errors,
        notes=progress.notes,
        started_at=timezone.now(),
        pid=0,
    )


def is_clean(progress: Progress) -> bool:
    """Tell whether all that the file holds can be seen here; of a dry run, whether all of it can be read."""
    if progress.run is not None:
        return is_all_here(progress.run)
    return not progress.errors and not progress.outcome("quarantined")
