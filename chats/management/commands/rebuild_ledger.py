"""`manage.py rebuild_ledger`: writes the calls that the ledger lacks, and builds its sums anew."""

import time
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from chats.bigagi.history import calls_here, count_messages
from metrics.history.recording import find_new, record_history
from metrics.ledger.rollups import Difference, find_differences, rebuild_rollups
from metrics.models import UsageEvent
from stores.management.reading import ReadingCommand
from stores.records.units import format_count

PAUSE = 0.01
"""Seconds between two transactions, for others to write."""
NAMED = 10
"""Differences that are told; of the rest, that there are more."""


class Command(ReadingCommand):
    help = (
        "Add the calls recorded in messages that are missing from the ledger, rebuild the sums from the ledger, and "
        "check them. Nothing is counted twice: you can run it as often as you like, even while the server "
        "runs. Exit status: 0 if the sums agree, 1 if they do not (the differences are listed)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="Only compare; change nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        is_check = options["check"]
        count = self._follow(_count_missing if is_check else _write_missing)
        if not is_check:
            rebuild_rollups()
        differences = find_differences(NAMED + 1)
        events = format_count(UsageEvent.objects.count(), "event")
        if not is_check:
            added = "Nothing was missing" if not count else f"{_calls(count)} added"
            self._end(differences, f"{added}: the ledger has {events}, and its sums agree with them.")
            return
        if count:
            self.stderr.write(
                f"{_calls(count)} recorded in messages {'is' if count == 1 else 'are'} missing from the ledger."
            )
        self._end(differences, f"The ledger has {events}, and its sums agree with them.", is_missing=count > 0)

    def _end(self, differences: list[Difference], text: str, *, is_missing: bool = False) -> None:
        for difference in differences[:NAMED]:
            self.stderr.write(f"! {difference}")
        if differences:
            more = "More than " if len(differences) > NAMED else ""
            raise CommandError(
                f"{more}{min(len(differences), NAMED)} of the sums differ from the ledger. Rebuild them with "
                "`manage.py rebuild_ledger`."
            )
        self.stdout.write(text)
        if is_missing:
            raise CommandError("Run `manage.py rebuild_ledger` to add what is missing.")

    def _follow(self, work: Callable[[list[Any]], int]) -> int:
        """Do the work on each batch of calls, and tell how far it is; return the sum of what it returns."""
        console = Console(stderr=True)
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        done = 0
        with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
            task = bar.add_task("messages", total=count_messages() if console.is_terminal else None)
            for messages, calls in calls_here():
                done += work(calls)
                bar.advance(task, messages)
        return done


def _write_missing(calls: list[Any]) -> int:
    # Most are there already, as a rule: only what is missing takes the lock that others wait for.
    new = find_new(calls)
    if not new:
        return 0
    with transaction.atomic():
        written = record_history(new)
    time.sleep(PAUSE)
    return written


def _count_missing(calls: list[Any]) -> int:
    return len(find_new(calls))


def _calls(count: int) -> str:
    return format_count(count, "call")
