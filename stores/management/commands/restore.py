from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from stores.backups.creation import BackupError
from stores.backups.restoration import restore_backup
from stores.records.keys import tell_foreign, why_unreadable


class Command(BaseCommand):
    help = (
        "Replace the current data with a backup. The current data is backed up first. Exit status: 0 if all files "
        "of the backup are good, 1 if some are not (they are listed, and all else was restored), 2 if nothing was "
        "restored."
    )
    # Neither pages nor admins are needed: to load and check them takes longer than all else.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, metavar="PATH", help="a folder created by `manage.py backup`")

    def handle(self, *args: Any, path: Path, **options: Any) -> None:
        try:
            restored = restore_backup(path.expanduser().absolute())
        except BackupError as error:
            raise CommandError(str(error), returncode=2) from error
        self.stdout.write(f"Restored {path} to {settings.DATA_DIR}")
        if restored.mended:
            mended = "1 damaged file" if restored.mended == 1 else f"{restored.mended:,} damaged files"
            self.stdout.write(f"Replaced {mended} here, from the backup.")
        if restored.is_kept_damaged:
            self.stdout.write(f"The previous database was damaged. It was saved as it is in {restored.kept}")
        elif restored.kept:
            self.stdout.write(f"The previous data was saved in {restored.kept}")
        for note in restored.notes:
            self.stdout.write(note)
        if text := _tell_key_file():
            self.stdout.write(text)
        if restored.faults:
            for fault in restored.faults:
                self.stderr.write(f"! {fault}")
            raise CommandError("Not all files of the backup are good: see above. All else was restored.", returncode=1)


def _tell_key_file() -> str:
    """Return what to do where the key file here does not read the secrets of the backup."""
    if not settings.KEY_FILE.exists():
        return f"Copy your key file to {settings.KEY_FILE}. Without it, stored API keys cannot be read."
    try:
        return why_unreadable() or tell_foreign()
    except DatabaseError:
        # A backup of an older version is not migrated yet; the start tells it.
        return ""
