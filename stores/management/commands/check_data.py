"""`manage.py check_data`: reads all assets and the database, and says what is damaged."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from stores.backups import data_check
from stores.backups.creation import describe_error, list_backups
from stores.backups.snapshots import has_data
from stores.backups.sqlite_files import SnapshotError


class Command(BaseCommand):
    help = (
        "Read every image and sound and the whole database, and list what is damaged. The server can keep running. "
        "With --repair, good copies from the backups take the place of damaged files, and damaged indexes of the "
        "database are rebuilt. Of a database of another version, the records are not read. Exit status: 0 if "
        "nothing is damaged (any more), otherwise 1."
    )
    # Other checks read the database, and would end with a traceback where it is damaged.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--repair", action="store_true", help="mend what can be mended")

    def handle(self, *args: Any, repair: bool, **options: Any) -> None:
        if not has_data():
            way_out = f" {data_check.advise_restore()}" if list_backups() else " Run manage.py start first."
            raise CommandError(f"There is no data in the database of {settings.DATA_DIR}.{way_out}", returncode=2)
        data_check.delete_left_over_files()
        try:
            result = self._check(repair=repair)
        except SnapshotError as error:
            raise CommandError(f"Nothing was checked: {error}", returncode=2) from error
        if result.version:
            text = f"{result.version} Its records have not been read yet: run check_data again afterwards."
            (self.stdout if result.is_good else self.stderr).write(text)
        if result.is_good:
            self.stdout.write(result.summary)
            return
        raise CommandError(f"{result.summary} {self._advise(result, repaired=repair)}", returncode=1)

    def _check(self, *, repair: bool) -> data_check.Result:
        result = data_check.check()
        self._list(result)
        if repair and not result.is_good:
            self._repair(result)
            result = data_check.check()
        return result

    def _list(self, result: data_check.Result) -> None:
        for problem in (*result.pages, *result.rows):
            self.stderr.write(f"! database: {problem}")
        for name, fault in result.damaged.items():
            label = f": {result.labels[name]}" if name in result.labels else ""
            self.stderr.write(f"! {settings.ASSETS_DIR / name[:2] / name} {fault}{label}")

    def _repair(self, result: data_check.Result) -> None:
        if result.pages:
            try:
                aside = data_check.repair_database()
            except data_check.NotRepaired as error:
                self.stderr.write(str(error))
            else:
                self.stdout.write(f"Rebuilt the database's indexes. The damaged database was saved in {aside}")
        try:
            for name, backup in data_check.repair_assets(result):
                self.stdout.write(f"Repaired assets/{name[:2]}/{name} from {backup}")
        except OSError as error:
            raise CommandError(f"Not everything could be repaired: {describe_error(error)}", returncode=2) from error

    def _advise(self, result: data_check.Result, *, repaired: bool) -> str:
        if not repaired:
            return result.advice
        if result.pages or result.rows:
            return data_check.advise_restore()
        return "No backup has good copies: import a big-AGI backup with images again."
