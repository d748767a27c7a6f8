"""`manage.py reconcile_metrics`: what big-AGI counted against what is in the ledger."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import IO, Any, cast

from rich.console import Console
from rich.table import Table

from metrics.reconciliation import Amounts, ServiceReport, reconcile
from stores.management.reading import ReadingCommand
from stores.records.units import format_usd


class Command(ReadingCommand):
    help = (
        "For each service, show what big-AGI counted, how much of it imported messages account for, and "
        "what was called here. Exit status: 0, or 1 if messages account for more than was counted, which is an error."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print JSON, with amounts in nano-dollars.")

    def handle(self, *args: Any, **options: Any) -> None:
        reports = reconcile()
        if options["json"]:
            self.stdout.write(json.dumps([asdict(report) for report in reports], indent=2))
        elif not reports:
            self.stdout.write("There are no counts and no calls yet. Import a backup, or use a model.")
        else:
            self._tell(reports)
        if any(report.alarms for report in reports):
            sys.exit(1)

    def _tell(self, reports: list[ServiceReport]) -> None:
        # Django's wrapper has what rich asks of a file.
        console = Console(file=cast(IO[str], self.stdout), width=120)
        for report in reports:
            table = Table("", "calls", "cost", "input tokens", "output tokens", title=report.service or "no service")
            for column in table.columns[1:]:
                column.justify = "right"
            if len(report.devices) > 1:
                for device in report.devices:
                    _add_row(table, f"counted by {device.device or 'an unknown browser'}", device.counted)
            _add_row(table, "big-AGI counted", report.counted)
            _add_row(table, "accounted for by messages", report.explained)
            _add_row(table, "without a message", report.gap)
            _add_row(table, "later messages", report.later)
            _add_row(table, "called here", report.own)
            _add_row(table, "total", report.total)
            console.print(table)
            self.stdout.write(report.explanation)
            for alarm in report.alarms:
                self.stdout.write(self.style.ERROR(f"! {alarm}"))
            self.stdout.write("")


def _add_row(table: Table, name: str, amounts: Amounts) -> None:
    table.add_row(
        name,
        f"{amounts.calls:,}",
        format_usd(amounts.cost_nano_usd),
        f"{amounts.input_tokens:,}",
        f"{amounts.output_tokens:,}",
    )
