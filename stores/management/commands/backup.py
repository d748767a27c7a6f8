from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.template.defaultfilters import filesizeformat

from stores.backups import BackupError, create_backup


class Command(BaseCommand):
    help = "Back up the database and the assets into one folder. The server can keep running."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--to", type=Path, metavar="PATH", help="the folder to create, or an existing folder to create it in"
        )

    def handle(self, *args: Any, to: Path | None, **options: Any) -> None:
        try:
            backup = create_backup("manual", to.expanduser().absolute() if to else None)
        except BackupError as error:
            raise CommandError(str(error), returncode=2) from error
        self.stdout.write(f"Backup:  {backup.path} ({filesizeformat(backup.size)}, checked)")
        self.stdout.write(f"The key file is not in it: keep a copy of {settings.KEY_FILE} elsewhere.")
        self.stdout.write("Without that file stored API keys are lost, but no chats.")
