"""`manage.py migration_status [ID]`: all that is known of a run."""

import json
import time
from argparse import ArgumentParser
from typing import IO, Any, cast

from django.core.management.base import CommandError
from django.db.models import QuerySet
from rich.console import Console
from rich.markdown import Markdown

from stores.importers.one_run import close_dead_runs
from stores.importers.report import describe_counts, run_markdown, run_report
from stores.management.reading import ReadingCommand
from stores.models import MigrationRun
from stores.querysets import as_seen_now

WATCHED_EVERY = 0.5
"""Seconds between two looks at a run that is followed."""


class Command(ReadingCommand):
    help = (
        "Show an import: status, phases, counts, notes and errors. Default: the last one. "
        "Exit status: 0, or 2 if there is no such run."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", nargs="?", type=int, metavar="ID", help="The number of the import.")
        parser.add_argument(
            "--format", choices=["table", "markdown", "json"], default="table", help="The output format."
        )
        parser.add_argument("--watch", action="store_true", help="Follow a running import until it ends.")

    def handle(self, *args: Any, **options: Any) -> None:
        close_dead_runs()
        runs = MigrationRun.objects.all()
        run = runs.filter(pk=options["id"]).first() if options["id"] is not None else _last(runs)
        if run is None:
            known = ", ".join(str(pk) for pk in runs.values_list("pk", flat=True)[:10])
            text = f"There is no such import. The latest are: {known}." if known else "There are no imports yet."
            raise CommandError(text, returncode=2)
        if options["watch"]:
            run = self._watch(run)
        if options["format"] == "json":
            self.stdout.write(json.dumps(run_report(run), indent=2))
        elif options["format"] == "markdown":
            self.stdout.write(run_markdown(run))
        else:
            # Django's wrapper has what rich asks of a file.
            console = Console(file=cast(IO[str], self.stdout), width=120)
            console.print(Markdown(run_markdown(run)))

    def _watch(self, run: MigrationRun) -> MigrationRun:
        """Print a line on stderr at each step of the run, and return it when it is over."""
        text = ""
        while as_seen_now(run).status == MigrationRun.Status.RUNNING:
            line = f"{run.phase}: {describe_counts(run.counts)}"
            if line != text:
                self.stderr.write(line)
                text = line
            time.sleep(WATCHED_EVERY)
            run = MigrationRun.objects.get(pk=run.pk)
        return run


def _last(runs: QuerySet[MigrationRun]) -> MigrationRun | None:
    """Return the last run that did something; a preview did not."""
    return runs.exclude(purpose=MigrationRun.Purpose.PREVIEW).first()
