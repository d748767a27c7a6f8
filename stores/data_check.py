"""The check of the stored data: each asset is read, and the database's pages. Its last result is kept in a file, since
the database may be what is damaged."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from stores import snapshots
from stores.asset_files import MISSING, KnownGood, copy_good, list_names, path_in
from stores.backup_assets import describe, find_copies, find_needed, list_folders
from stores.backups import BackupError, find_whole_database, keep_servers_out
from stores.row_check import find_changed_records, find_unreadable_rows
from stores.sqlite_files import SnapshotError

NAMED = 3
"""Damaged files that a sentence names."""

SAVE_EVERY = 500
"""Files after which a check keeps what it has read."""

REPAIR = "uv run manage.py check_data --repair"


@dataclass(frozen=True)
class Result:
    """What a check found: how many assets there are, what is wrong with which, by name, what people know these by, what
    is wrong with the database's pages, and records that cannot be read as they were written."""

    at: datetime
    assets: int
    damaged: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    pages: list[str] = field(default_factory=list)
    rows: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Tell whether nothing is damaged."""
        return not (self.damaged or self.pages or self.rows)

    @property
    def summary(self) -> str:
        """What was found, in a sentence."""
        if self.is_good:
            files = "1 image or sound" if self.assets == 1 else f"{self.assets:,} images and sounds"
            return f"The database and {files} are undamaged." if self.assets else "The database is undamaged."
        told = [f"the database is damaged ({self.pages[0]})"] if self.pages else []
        if self.rows:
            count = len(self.rows)
            records = "1 record" if count == 1 else f"{count} records"
            told.append(f"{records} in the database cannot be read as written ({self.rows[0]})")
        if self.damaged:
            count = len(self.damaged)
            files = "1 image or sound is" if count == 1 else f"{count:,} images or sounds are"
            more = f", and {count - NAMED:,} more" if count > NAMED else ""
            names = ", ".join(self.name_of(name) for name in list(self.damaged)[:NAMED])
            told.append(f"{files} damaged or missing: {names}{more}")
        text = "; ".join(told)
        return f"{text[0].upper()}{text[1:]}."

    @property
    def advice(self) -> str:
        """What to do, in a sentence or two; nothing where nothing is damaged."""
        told = []
        if self.pages:
            told.append(
                f"Stop the server, and run: {REPAIR}. If that cannot mend the database, it names the backup to restore."
            )
        elif self.rows:
            told.append(
                "All else can be read. To get these back, restore a backup from before the damage, or import the "
                "big-AGI backup that they came from again."
            )
        if self.damaged and not self.pages:
            told.append(
                f"Take good copies from your backups: {REPAIR}. What no backup has comes back when you import a "
                "big-AGI backup with images again."
            )
        return " ".join(told)

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


def check(*, is_whole: bool = True, pause: Callable[[float], None] | None = None) -> Result:
    """Read the database and the assets, keep the result, and return it.

    Whole, each file and each row is read, and indexes are compared with their tables; else files that were read in the
    last days and are unchanged by their time are not read again. `pause` is called now and then with the seconds that
    the reading took since the last call. Raises `SnapshotError` where there is no database that can be looked at.
    """
    pages = snapshots.find_damage(is_quick=not is_whole, pause=pause)
    rows = _find_damaged_rows() if is_whole and not pages else []
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
    result = Result(datetime.now(UTC), len(names), damaged, describe(list(damaged)), pages, rows)
    _write(result)
    return result


def _find_damaged_rows() -> list[str]:
    return find_unreadable_rows() or find_changed_records()


def repair_assets(result: Result) -> dict[str, Path | None]:
    """Put good copies from the backups in the place of damaged assets; return from which backup each came, if any."""
    known, folders = KnownGood(), list_folders()
    mended: dict[str, Path | None] = {}
    for name in result.damaged:
        here = path_in(settings.ASSETS_DIR, name)
        good = (path for path in find_copies(name, folders, known) if not copy_good(path, here))
        source = next(good, None)
        mended[name] = source.parent.parent.parent if source else None
    known.save()
    return mended


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
        raise NotRepaired(f"Building the indexes anew does not mend the database: {error}.") from error


def advise_restore() -> str:
    """Return in a sentence from where a database that cannot be repaired comes back."""
    backup = find_whole_database()
    if backup is None:
        return f"No backup in {settings.BACKUPS_DIR} has a whole database. If you have one elsewhere, restore that."
    return f"Stop the server, and restore the newest backup with a whole database: uv run manage.py restore {backup}"


def _result_file() -> Path:
    return Path(settings.DATA_DIR) / "last-check.json"


def _write(result: Result) -> None:
    partial = _result_file().with_suffix(".partial")
    try:
        partial.write_text(json.dumps(asdict(result) | {"at": result.at.isoformat()}))
        partial.chmod(0o600)
        partial.replace(_result_file())
    except OSError:
        # A full disk is told elsewhere, and keeps nobody from reading the result just found.
        partial.unlink(missing_ok=True)
