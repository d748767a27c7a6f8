"""`manage.py undo_migration ID`: take back what an import did."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from stores.importers.one_run import AlreadyRunning
from stores.importers.report import proof, run_report
from stores.importers.undoing import Options, undo_run
from stores.management.actors import user_name
from stores.management.reading import ReadingCommand
from stores.models import MigrationRun
from stores.records.errors import ServiceError

NAMED = 20
"""Records that are named of those that were kept."""


class Command(ReadingCommand):
    help = (
        "Undo an import: everything it brought or changed becomes what it was before, while what came later stays. "
        "What was changed since is listed and kept. An undo is a run itself: undo it to bring the import back. If it "
        "is interrupted, run the same command again. Exit status: 0 if all was taken back, 1 if something was kept or "
        "it was stopped, 2 if the run cannot be undone."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", type=int, metavar="ID", help="The number of the import, as in migration_status.")
        parser.add_argument(
            "--force",
            action="store_true",
            help="Also take back what was changed since; the state that is lost is kept under Earlier versions.",
        )
        parser.add_argument("--json", action="store_true", help="Print the report as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            run = undo_run(options["id"], Options(options["force"], user_name())).run
        except (ServiceError, AlreadyRunning) as error:
            raise CommandError(f"{str(error)[:1].upper()}{str(error)[1:]}", returncode=2) from error
        except KeyboardInterrupt:
            raise CommandError("Stopped. Run the same command again to complete it.", returncode=1) from None
        assert run is not None
        if options["json"]:
            self.stdout.write(json.dumps(run_report(run), indent=2))
        else:
            self._tell(run)
        if run.status != MigrationRun.Status.DONE or (run.certificate or {}).get("kept"):
            sys.exit(1)

    def _tell(self, run: MigrationRun) -> None:
        records = (run.certificate or {}).get("records", [])
        for record in records[:NAMED]:
            named = f" “{record['name']}”" if record["name"] else ""
            self.stdout.write(f"! {record['kind']} {record['id']}{named}: {record['state']}. {record['reason']}")
        if len(records) > NAMED:
            more = f"manage.py migration_status {run.pk} --format json"
            self.stdout.write(f"! … and {len(records) - NAMED} more: {more}")
        for note in run.notes:
            self.stdout.write(f"- {note}")
        self.stdout.write(proof(run))
        if run.status == MigrationRun.Status.DONE:
            self.stdout.write(f"To bring it back: manage.py undo_migration {run.pk}")
