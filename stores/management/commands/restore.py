from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from stores.backups import BackupError, restore_backup


class Command(BaseCommand):
    help = "Replace the current data with a backup. The current data is backed up first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, metavar="PATH", help="a folder created by `manage.py backup`")

    def handle(self, *args: Any, path: Path, **options: Any) -> None:
        try:
            kept = restore_backup(path.expanduser().absolute())
        except BackupError as error:
            raise CommandError(str(error), returncode=2) from error
        self.stdout.write(f"Restored {path} to {settings.DATA_DIR}")
        if kept:
            self.stdout.write(f"The previous data was saved in {kept}")
        if not settings.KEY_FILE.exists():
            self.stdout.write(f"Copy your key file to {settings.KEY_FILE}. Without it, stored API keys cannot be read.")
