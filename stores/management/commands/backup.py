from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from stores.backups.asset_copies import describe
from stores.backups.creation import BackupError, create_backup
from stores.backups.data_check import FILES, REPAIR
from stores.records.units import format_count, format_size


class Command(BaseCommand):
    help = (
        "Back up the database and the assets into one folder, and check it. The server can keep running. Exit "
        "status: 0 if the backup has everything, 1 if it lacks files that are damaged here (they are listed), 2 if "
        "no backup was made."
    )
    # Neither pages nor admins are needed: to load and check them takes longer than all else.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--to",
            type=Path,
            metavar="PATH",
            help="the folder to create, or an existing folder to create it in (beside it, if it is a backup)",
        )

    def handle(self, *args: Any, to: Path | None, **options: Any) -> None:
        try:
            backup = create_backup("manual", to.expanduser().absolute() if to else None)
        except BackupError as error:
            raise CommandError(str(error), returncode=2) from error
        checked = f"checked, without {_files(len(backup.lost))}" if backup.lost else "checked"
        self.stdout.write(f"Backup:  {backup.path} ({format_size(backup.size)}, {checked})")
        self.stdout.write(f"The key file is not in it: keep a copy of {settings.KEY_FILE} elsewhere.")
        self.stdout.write("Without that file stored API keys are lost, but no chats.")
        text = describe([*backup.replaced, *backup.lost])
        for words, faults in (("the backup has a good one", backup.replaced), ("not in the backup", backup.lost)):
            for name, fault in faults.items():
                label = f": {text[name]}" if name in text else ""
                self.stderr.write(f"! {settings.ASSETS_DIR / name[:2] / name} {fault}; {words}{label}")
        if backup.replaced:
            self.stderr.write(f"Put the good ones back: {REPAIR}")
        if backup.lost:
            raise CommandError(
                f"The backup is without {_files(len(backup.lost))}: damaged or missing here, and in every earlier "
                "backup. All else is in it. Import a big-AGI backup with images again to get them back.",
                returncode=1,
            )


def _files(count: int) -> str:
    return format_count(count, *FILES)
