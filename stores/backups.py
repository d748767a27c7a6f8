"""Backups: the database and the assets in one folder, checked before it gets its name.

A backup is `<UTC time>-<reason>/` with `bigagi.sqlite3` (on PostgreSQL `bigagi.pgdump`), `assets/` and `manifest.json`.
The key file is not in it: whoever finds a backup must not find the keys.
"""

import hashlib
import json
import os
import shutil
import tomllib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connections
from filelock import FileLock, Timeout

from stores import snapshots
from stores.models import MigrationRun
from stores.processes import is_alive

AUTOMATIC_REASONS = ("before-import", "before-migrate")
AUTOMATIC_KEPT = 10
MANIFEST = "manifest.json"


class BackupError(Exception):
    """A backup that cannot be made or is damaged; the message says why and how to fix it."""


@dataclass(frozen=True)
class Backup:
    """One backup; `size` in bytes, its assets included."""

    path: Path
    size: int
    created_at: datetime
    reason: str


def server_lock() -> FileLock:
    """Return the lock that a running server holds on the data folder."""
    return FileLock(settings.DATA_DIR / "server.lock", timeout=0)


def list_backups() -> list[Backup]:
    """Return the backups in the data folder, newest first."""
    found = []
    for path in settings.BACKUPS_DIR.glob("*/" + MANIFEST):
        try:
            manifest = json.loads(path.read_text())
            created_at = datetime.fromisoformat(manifest["created_at"])
            found.append(Backup(path.parent, manifest["size"], created_at, manifest["reason"]))
        except (OSError, ValueError, KeyError, TypeError):
            continue  # A folder that somebody else put there, or that cannot be read, is none of our backups.
    return sorted(found, key=lambda backup: (backup.created_at, backup.path.name), reverse=True)


def create_backup(reason: str, to: Path | None = None) -> Backup:
    """Back the database and the assets up, and return the backup once it is checked.

    `to` is the new folder, or an existing one that gets it inside. Raises BackupError.
    """
    now = datetime.now(UTC)
    name = f"{now:%Y%m%dT%H%M%SZ}-{reason}"
    target = settings.BACKUPS_DIR / name if to is None else to / name if to.is_dir() else to
    number = 2
    while target.exists():
        target, number = target.with_name(f"{name}-{number}"), number + 1
    building = target.with_name(f".{target.name}-{uuid.uuid4().hex[:8]}.unfinished")
    try:
        _make_private_folder(target.parent)
        building.mkdir(mode=0o700)
        manifest = _fill(building, reason, now)
        building.rename(target)
    except (OSError, snapshots.SnapshotError) as error:
        raise BackupError(f"The backup was not made: {error}") from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    if to is None and reason in AUTOMATIC_REASONS:
        _delete_old_automatic_backups()
    return Backup(target, manifest["size"], now, reason)


def _fill(folder: Path, reason: str, now: datetime) -> dict[str, Any]:
    # The database first: an asset's file is written before its row, so all files of the copied rows exist.
    database = folder / snapshots.file_name()
    snapshots.take_snapshot(database)
    counts = snapshots.check_snapshot(database)
    asset_count, asset_size = _copy_assets(settings.ASSETS_DIR, folder / "assets")
    manifest = {
        "format": 1,
        "app_version": read_version(),
        "created_at": now.isoformat(),
        "reason": reason,
        "database": database.name,
        "sha256": _digest(database),
        "size": database.stat().st_size + asset_size,
        "assets": asset_count,
        "counts": counts,
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
    return manifest


def restore_backup(path: Path) -> Path | None:
    """Put the backup at `path` in the place of the present state; return the folder that keeps that state.

    Returns None where there was nothing to keep. Raises BackupError; then everything is as it was.
    """
    manifest = _read_manifest(path)
    database = path / manifest["database"]
    if manifest["database"] != snapshots.file_name():
        raise BackupError(f"{path} is for another kind of database ({database.name}): set DATABASE_URL to match.")
    try:
        if _digest(database) != manifest["sha256"]:
            raise BackupError(f"{database} is damaged: its SHA-256 does not match {MANIFEST}.")
        _check_assets(path / "assets", manifest["assets"])
        _make_private_folder(settings.DATA_DIR)
        with _nobody_else():
            kept = _keep_present_state()
            # Assets are named by their content: those of the backup join what is here and replace nothing.
            _copy_assets(path / "assets", settings.ASSETS_DIR)
            connections.close_all()
            snapshots.put_back(database)
    except (OSError, snapshots.SnapshotError) as error:
        raise BackupError(f"Nothing was restored: {error}") from error
    return kept


def _keep_present_state() -> Path | None:
    if not snapshots.has_data():
        return None
    try:
        return create_backup("before-restore").path
    except BackupError as error:
        if isinstance(error.__cause__, snapshots.DamagedDatabase):
            return snapshots.set_aside()
        raise


@contextmanager
def _nobody_else() -> Iterator[None]:
    lock = server_lock()
    try:
        lock.acquire()
    except Timeout as error:
        raise BackupError(f"A server is running on {settings.DATA_DIR}: stop it, then restore.") from error
    try:
        if run := _find_running_import():
            raise BackupError(
                f"Import {run.pk} is running (process {run.pid}): wait until it has finished, then restore."
            )
        yield
    finally:
        lock.release()


def _find_running_import() -> MigrationRun | None:
    try:
        running = list(MigrationRun.objects.filter(status=MigrationRun.Status.RUNNING).only("pk", "pid"))
    except DatabaseError:
        return None  # No database yet, one without tables, or the damaged one that is to be replaced.
    return next((run for run in running if is_alive(run.pid)), None)


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((path / MANIFEST).read_text())
        if manifest["format"] != 1:
            raise BackupError(f"{path} was made by a newer bigagi: update first.")
        return {key: manifest[key] for key in ("database", "sha256", "assets")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BackupError(f"{path} is not a backup: it has no readable {MANIFEST}.") from error


def _check_assets(folder: Path, count: int) -> None:
    files = list(_list_assets(folder))
    if len(files) < count:
        raise BackupError(f"{folder} has {len(files)} files, but the manifest lists {count}.")
    for file in files:
        if _digest(file) != file.name:
            raise BackupError(f"{file} is damaged: its name does not match the SHA-256 of its bytes.")


def _list_assets(folder: Path) -> Iterator[Path]:
    # Other names are files that an import is writing just now.
    return (file for file in folder.glob("*/*") if len(file.name) == 64 and file.name.startswith(file.parent.name))


def _copy_assets(source: Path, target: Path) -> tuple[int, int]:
    """Link or copy the assets that are not there yet; return how many the source has, and their bytes."""
    count = size = 0
    _make_private_folder(target)
    for file in _list_assets(source):
        copy = target / file.parent.name / file.name
        copy.parent.mkdir(mode=0o700, exist_ok=True)
        if not copy.exists():
            _link_or_copy(file, copy)
        count, size = count + 1, size + file.stat().st_size
    return count, size


def _link_or_copy(file: Path, copy: Path) -> None:
    try:
        os.link(file, copy)
    except OSError:
        # Another file system, or one without links. The name is given last: half a copy must not look whole.
        partial = copy.with_name(f".{copy.name}.{uuid.uuid4().hex[:8]}")
        shutil.copyfile(file, partial)
        partial.replace(copy)


def _delete_old_automatic_backups() -> None:
    automatic = [backup for backup in list_backups() if backup.reason in AUTOMATIC_REASONS]
    for backup in automatic[AUTOMATIC_KEPT:]:
        shutil.rmtree(backup.path, ignore_errors=True)


def _make_private_folder(path: Path) -> None:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_version() -> str:
    """Return the version of this program."""
    with (settings.BASE_DIR / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])
