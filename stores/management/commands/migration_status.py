"""`manage.py migration_status [ID]`: all that is known of a run."""

import json
from argparse import ArgumentParser
from typing import IO, Any, cast

from django.core.management.base import CommandError
from rich.console import Console
from rich.markdown import Markdown

from stores.importers.report import run_markdown, run_report
from stores.importers.run import close_dead_runs
from stores.management.reading import ReadingCommand
from stores.models import MigrationRun


class Command(ReadingCommand):
    help = "Tell where an import stands: status, phases, counts, notes and errors. Without an ID, of the last one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", nargs="?", type=int, metavar="ID", help="The run's number.")
        parser.add_argument("--format", choices=["table", "markdown", "json"], default="table", help="How to tell it.")

    def handle(self, *args: Any, **options: Any) -> None:
        close_dead_runs()
        runs = MigrationRun.objects.all()
        run = runs.filter(pk=options["id"]).first() if options["id"] is not None else runs.first()
        if run is None:
            known = ", ".join(str(pk) for pk in runs.values_list("pk", flat=True)[:10])
            raise CommandError(f"There is no such run; there are {known}." if known else "Nothing was imported yet.")
        if options["format"] == "json":
            self.stdout.write(json.dumps(run_report(run), indent=2))
        elif options["format"] == "markdown":
            self.stdout.write(run_markdown(run))
        else:
            # Django's wrapper has what rich asks of a file.
            console = Console(file=cast(IO[str], self.stdout), width=120)
            console.print(Markdown(run_markdown(run)))
