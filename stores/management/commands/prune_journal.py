"""`manage.py prune_journal --older-than 90d`: shortens the change journal."""

import re
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from stores.records.journal.purge import prune, size_of_journal
from stores.records.units import format_size

_AGE = re.compile(r"(\d{1,5})([dwy])")
_DAYS = {"d": 1, "w": 7, "y": 365}


class Command(BaseCommand):
    help = (
        "Delete journal entries older than an age. They can no longer be seen or undone, and image files that only "
        "they refer to are deleted. The records themselves are not changed."
    )
    # Neither pages nor admins are needed: to load and check them takes longer than all else.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--older-than", required=True, metavar="AGE", help="such as 90d, 12w or 2y (days, weeks, years of 365 days)"
        )
        parser.add_argument("--dry-run", action="store_true", help="only show what would be deleted")

    def handle(self, *args: Any, **options: Any) -> None:
        age, whole = _read_age(options["older_than"]), size_of_journal()
        try:
            before = timezone.now() - age
        except OverflowError as error:
            raise CommandError(f"{options['older_than']} is too long. Use a shorter age.") from error
        gone = size_of_journal(before) if options["dry_run"] else prune(before)
        verb = "would be" if options["dry_run"] else "were"
        self.stdout.write(
            f"{gone.entries} of {whole.entries} entries {verb} deleted, all made before {before:%Y-%m-%d %H:%M} UTC. "
            f"They kept {format_size(gone.characters)} of {format_size(whole.characters)} for undo "
            "(before compression)."
        )


def _read_age(text: str) -> timedelta:
    found = _AGE.fullmatch(text.strip())
    if found is None:
        raise CommandError(f"{text} is not an age. Use a whole number and d, w or y, such as 90d, 12w or 2y.")
    return timedelta(days=int(found[1]) * _DAYS[found[2]])
