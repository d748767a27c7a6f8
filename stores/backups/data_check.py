"""The check of the stored data: each asset is read, and the database's pages. Its last result is kept in a file, since
the database may be what is damaged."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from stores.background.partial_files import delete_left_over
from stores.backups import snapshots, versions
from stores.backups.asset_copies import describe, find_copies, find_needed, list_folders
from stores.backups.creation import BackupError, find_whole_database, keep_servers_out
from stores.backups.row_check import find_changed_records, find_unreadable_rows
from stores.backups.sqlite_files import SnapshotError
from stores.backups.unfinished import UNFINISHED
from stores.records import asset_files
from stores.records.asset_files import MISSING, KnownGood, copy_good, list_names, path_in
from stores.records.private_files import replace_private
from stores.records.units import format_count

NAMED = 3
"""Damaged files that a sentence names."""

SAVE_EVERY = 500
"""Files after which a check keeps what it has read."""

FILES = ("image or audio file", "images and audio files")
REPAIR = "uv run manage.py check_data --repair"


@dataclass(frozen=True)
class Result:
    """What a check found: how many assets there are, what is wrong with which, by name, what people know these by, what
    is wrong with the database's pages, and records that cannot be read as they were written.

    `version` says that the database is of another version than this program, and what to do; its records were not read
    then."""

    at: datetime
    assets: int
    damaged: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    pages: list[str] = field(default_factory=list)
    rows: list[str] = field(default_factory=list)
    version: str = ""

    @property
    def is_good(self) -> bool:
        """Tell whether nothing is damaged."""
        return not (self.damaged or self.pages or self.rows)

    @property
    def summary(self) -> str:
        """What was found, in a sentence."""
        if self.is_good:
            files = format_count(self.assets, *FILES)
            # What was not read is not called well.
            database = "pages of the database" if self.version else "database"
            if not self.assets:
                return f"The {database} {'are' if self.version else 'is'} undamaged."
            return f"The {database} and {files} are undamaged."
        parts = [f"the database is damaged ({self.pages[0]})"] if self.pages else []
        if self.rows:
            count = len(self.rows)
            records = "1 record" if count == 1 else f"{count} records"
            parts.append(f"{records} in the database cannot be read as written ({self.rows[0]})")
        if self.damaged:
            count = len(self.damaged)
            files = f"{format_count(count, *FILES)} {'is' if count == 1 else 'are'}"
            more = f", and {count - NAMED:,} more" if count > NAMED else ""
            names = ", ".join(self.name_of(name) for name in list(self.damaged)[:NAMED])
            parts.append(f"{files} damaged or missing: {names}{more}")
        text = "; ".join(parts)
        return f"{text[0].upper()}{text[1:]}."

    @property
    def advice(self) -> str:
        """What to do, in a sentence or two; nothing where nothing is damaged."""
        sentences = []
        if self.pages:
            sentences.append(
                f"Stop the server, and run: {REPAIR}. If that cannot repair it, it names the backup to restore."
            )
        elif self.rows:
            sentences.append(
                "All else can be read. To get these back, restore a backup from before the damage, or import the "
                "big-AGI backup that they came from again."
            )
        if self.damaged and not self.pages:
            sentences.append(
                f"Take good copies from your backups: {REPAIR}. What no backup has comes back when you import a "
                "big-AGI backup with images again."
            )
        return " ".join(sentences)

    def name_of(self, name: str) -> str:
        """Return by what a person knows the file: its label and chats, or its path."""
        return self.labels.get(name) or f"assets/{name[:2]}/{name}"


def read_last() -> Result | None:
    """Return the result of the last check; None if there was none since the data was last restored."""
    try:
        found = json.loads(_result_file().read_text())
        at = datetime.fromisoformat(found.pop("at"))
        return Result(at, **found) if at.tzinfo else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def forget() -> None:
    """Delete the last result: the data is another one now."""
    _result_file().unlink(missing_ok=True)


def delete_left_over_files() -> None:
    """Delete what backups, restores and checks that were killed were writing."""
    for folder, name in (
        (settings.BACKUPS_DIR, UNFINISHED),
        (settings.DATA_DIR, UNFINISHED),
        (settings.DATA_DIR, f".{_result_file().name}"),
    ):
        delete_left_over(folder, name)
    snapshots.delete_left_over_copies()
    asset_files.delete_left_over_files()


def check(*, is_whole: bool = True, pause: Callable[[float], None] | None = None) -> Result:
    """Read the database and the assets, keep the result, and return it.

    Whole, each file and each row is read, and indexes are compared with their tables; else files that were read in the
    last days and are unchanged by their time are not read again. `pause` is called now and then with the seconds that
    the reading took since the last call. Raises `SnapshotError` where there is no database that can be looked at.
    """
    pages = snapshots.find_damage(is_quick=not is_whole, pause=pause)
    version = "" if pages else _find_other_version()
    rows = _find_damaged_rows() if is_whole and not (pages or version) else []
    known = KnownGood()
    needed = find_needed()
    names = sorted({*list_names(settings.ASSETS_DIR), *needed})
    damaged: dict[str, str] = {}
    for at, name in enumerate(names):
        path = path_in(settings.ASSETS_DIR, name)
        fault = known.read(path, pause) if is_whole else known.find_fault(path, pause)
        if fault and (name in needed or path.is_symlink() or path.exists()):
            damaged[name] = fault
        if at % SAVE_EVERY == SAVE_EVERY - 1:
            # A check that is stopped goes on from here.
            known.save()
    known.save()
    if MISSING in damaged.values():
        # Deleted while this check was reading others.
        needed = find_needed()
        damaged = {name: fault for name, fault in damaged.items() if fault != MISSING or name in needed}
    result = Result(datetime.now(UTC), len(names), damaged, describe(list(damaged)), pages, rows, version)
    _write(result)
    return result


def _find_other_version() -> str:
    try:
        return versions.describe_other_version()
    except snapshots.CANNOT_READ:
        return ""


def _find_damaged_rows() -> list[str]:
    return find_unreadable_rows() or find_changed_records()


def repair_assets(result: Result) -> Iterator[tuple[str, Path]]:
    """Put good copies from the backups in the place of damaged assets; yield the name of each, and from which backup
    it came. Raises OSError at the end where some could not be written."""
    known, folders = KnownGood(), list_folders()
    failed: OSError | None = None
    for name in result.damaged:
        here = path_in(settings.ASSETS_DIR, name)
        try:
            source = next((path for path in find_copies(name, folders, known) if not copy_good(path, here)), None)
        except OSError as error:
            failed = error
            continue
        if source is not None:
            yield name, source.parent.parent.parent
    known.save()
    if failed is not None:
        raise failed


class NotRepaired(Exception):
    """A database that stays as it is; the message says why, and what to do."""


def repair_database() -> Path:
    """Build the indexes of the damaged database anew, where nothing else is damaged; return where it was saved before.

    Raises NotRepaired.
    """
    try:
        with keep_servers_out(f"run: {REPAIR}"):
            return snapshots.mend_live()
    except BackupError as error:
        raise NotRepaired(str(error)) from error
    except (OSError, SnapshotError) as error:
        raise NotRepaired(f"Rebuilding the indexes does not repair the database: {error}.") from error


def advise_restore() -> str:
    """Return in a sentence from where a database that cannot be repaired comes back."""
    backup = find_whole_database()
    if backup is None:
        return f"No backup in {settings.BACKUPS_DIR} has a whole database. If you have one elsewhere, restore that."
    return f"Stop the server, and restore the newest backup with a whole database: uv run manage.py restore {backup}"


def _result_file() -> Path:
    return Path(settings.DATA_DIR) / "last-check.json"


def _write(result: Result) -> None:
    # A full disk is told elsewhere, and keeps nobody from reading the result just found.
    replace_private(_result_file(), json.dumps(asdict(result) | {"at": result.at.isoformat()}))
