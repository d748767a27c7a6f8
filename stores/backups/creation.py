"""Backups: the database and the assets in one folder, checked before it gets its name.

A backup is `<UTC time>-<reason>/` with `bigagi.sqlite3` (on PostgreSQL `bigagi.pgdump`), `assets/`, `SHA256SUMS` (as
`sha256sum --check` reads it) and `manifest.json`. Its files can be read by their owner alone. The key file is not in
it: whoever finds a backup must not find the keys.
"""

import hashlib
import json
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from filelock import FileLock, Timeout

from stores.backups import snapshots
from stores.backups.asset_copies import Taken, take_assets
from stores.backups.sqlite_files import DamagedDatabase, SnapshotError
from stores.backups.unfinished import delete_folder, give_name, new_folder
from stores.records.asset_files import delete_left_over_files
from stores.records.faults import fault_of
from stores.records.private_files import write_private

AUTOMATIC_REASONS = ("before-import", "before-migrate")
AUTOMATIC_KEPT = 10
MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"


class BackupError(Exception):
    """A backup that cannot be made or is damaged; the message says why and how to fix it."""


@dataclass(frozen=True)
class Backup:
    """One backup; `size` in bytes, its assets included.

    `assets_size` are the bytes of its assets. `replaced` has the assets that are damaged here and came from an earlier
    backup, `lost` those that no earlier backup has: what is wrong with each file here, by name. Both are known of a new
    backup only.
    """

    path: Path
    size: int
    created_at: datetime
    reason: str
    assets_size: int = 0
    replaced: dict[str, str] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)


def server_lock() -> FileLock:
    """Return the lock that a running server holds on the data folder."""
    return FileLock(settings.DATA_DIR / "server.lock", timeout=0)


@contextmanager
def keep_servers_out(then: str) -> Iterator[None]:
    """Hold a server's lock, so that none starts. Raises BackupError while one runs; `then` says what to do when it was
    stopped."""
    lock = server_lock()
    try:
        lock.acquire()
    except Timeout as error:
        raise BackupError(f"A server is running on {settings.DATA_DIR}: stop it, then {then}.") from error
    try:
        yield
    finally:
        lock.release()


def list_backups() -> list[Backup]:
    """Return the backups in the data folder, newest first."""
    found = []
    for path in settings.BACKUPS_DIR.glob("[!.]*/" + MANIFEST):
        try:
            manifest = json.loads(path.read_text())
            created_at = datetime.fromisoformat(manifest["created_at"])
            if created_at.tzinfo is None:
                continue  # Not ours, or damaged: it could not be compared with the others.
            sizes = int(manifest["size"]), int(manifest.get("assets_size", 0))
            found.append(Backup(path.parent, sizes[0], created_at, str(manifest["reason"]), sizes[1]))
        except (OSError, ValueError, KeyError, TypeError):
            continue  # A folder that somebody else put there, or that cannot be read, is none of our backups.
    return sorted(found, key=lambda backup: (backup.created_at, backup.path.name), reverse=True)


def create_backup(reason: str, to: Path | None = None) -> Backup:
    """Back the database and the assets up, and return the backup once it is checked.

    `to` is the new folder, or an existing one that gets it inside; where there is a backup already, it is made beside
    that. A damaged asset does not keep the rest from being backed up; a damaged database does. Raises BackupError.
    """
    now = datetime.now(UTC)
    name = f"{now:%Y%m%dT%H%M%SZ}-{reason}"
    target = settings.BACKUPS_DIR / name if to is None else to
    if to is not None and to.is_dir() and not (to / MANIFEST).exists():
        target = to / name
    delete_left_over_files()
    try:
        with new_folder(target.parent) as folder:
            size, taken = _fill(folder, reason, now, is_local=to is None)
            target = give_name(folder, target)
    except (OSError, SnapshotError) as error:
        raise BackupError(f"The backup was not made: {describe_error(error)}{_way_out(error)}") from error
    if to is None and reason in AUTOMATIC_REASONS:
        _delete_old_automatic_backups()
    return Backup(target, size, now, reason, taken.size, taken.replaced, taken.lost)


def describe_error(error: Exception) -> str:
    """Return in words what went wrong with files or the database."""
    fault = fault_of(error) if isinstance(error, OSError) else None
    text = str(fault or error)
    return f"{text[:1].lower()}{text[1:]}"


def _way_out(error: Exception) -> str:
    if isinstance(error, DamagedDatabase):
        return ". What is damaged, and what to do, is shown by: uv run manage.py check_data"
    return ""


def _fill(folder: Path, reason: str, now: datetime, *, is_local: bool) -> tuple[int, Taken]:
    # The database first: an asset's file is written before its row, so all files of the copied rows exist.
    database = folder / snapshots.file_name()
    snapshots.take_snapshot(database)
    counts = snapshots.check_snapshot(database)
    taken = take_assets(folder / "assets", links=is_local)
    sha256 = digest(database)
    lines = [f"{sha256}  {database.name}", *(f"{name}  assets/{name[:2]}/{name}" for name in taken.names)]
    write_private(folder / SUMS, "\n".join(lines) + "\n")
    size = database.stat().st_size + taken.size
    manifest = {
        "format": 1,
        "app_version": read_version(),
        "created_at": now.isoformat(),
        "reason": reason,
        "database": database.name,
        "sha256": sha256,
        "size": size,
        "assets": len(taken.names),
        "assets_size": taken.size,
        "lost": taken.lost,
        "counts": counts,
    }
    write_private(folder / MANIFEST, json.dumps(manifest, indent=2) + "\n")
    return size, taken


def find_whole_database(*, but: Path | None = None) -> Path | None:
    """Return the newest backup here, other than `but`, whose database is as it was made; one from before there were
    sums of it, whose database can be read whole."""
    for backup in list_backups():
        if backup.path == but:
            continue
        database = backup.path / snapshots.file_name()
        try:
            if sha256 := json.loads((backup.path / MANIFEST).read_text()).get("sha256"):
                is_whole = digest(database) == sha256
            else:
                is_whole = bool(snapshots.check_snapshot(database))
        except (OSError, ValueError, AttributeError, SnapshotError):
            continue
        if is_whole:
            return backup.path
    return None


def _delete_old_automatic_backups() -> None:
    automatic = [backup for backup in list_backups() if backup.reason in AUTOMATIC_REASONS]
    for backup in automatic[AUTOMATIC_KEPT:]:
        delete_folder(backup.path)


def digest(path: Path) -> str:
    """Return the SHA-256 of the file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_version() -> str:
    """Return the version of this program."""
    with (settings.BASE_DIR / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])
