"""Restoring a backup: all of it that is good, file by file, after the present state was saved."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connections

from stores.backups import data_check, snapshots
from stores.backups.asset_copies import describe, find_copies, list_folders
from stores.backups.creation import (
    MANIFEST,
    SUMS,
    BackupError,
    create_backup,
    describe_error,
    find_whole_database,
    keep_servers_out,
)
from stores.backups.sqlite_files import DamagedDatabase, SnapshotError
from stores.models import MigrationRun
from stores.querysets import is_abandoned
from stores.records.asset_files import MISSING, KnownGood, copy_good, find_fault, is_name, list_names, path_in
from stores.records.private_files import make_private_folder


@dataclass
class Restored:
    """What a restore did. `kept` is the folder with the previous state, None where there was nothing to keep.

    `faults` has a line for each file of the backup that is not good, `mended` the number of damaged files here that
    good ones took the place of. `notes` say what could not be checked.
    """

    kept: Path | None = None
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    mended: int = 0
    is_kept_damaged: bool = False


@dataclass(frozen=True)
class _Manifest:
    sha256: str | None
    """Of the database; empty where the manifest is from before it said that, None where it cannot be read."""
    names: frozenset[str]
    """Assets that the backup took."""
    count: int
    lost: dict[str, Any]
    """Assets that were damaged when it was made."""
    counts: dict[str, Any]
    """Rows of each table."""


def restore_backup(path: Path) -> Restored:
    """Put the backup at `path` in the place of the present state.

    A damaged file is named, and keeps nothing else back. Raises BackupError; then everything is as it was.
    """
    path = path.resolve()
    restored = Restored()
    manifest = _read_manifest(path, restored)
    _refuse_links(path)
    database = path / snapshots.file_name()
    try:
        make_private_folder(settings.DATA_DIR)
        with keep_servers_out("restore"):
            _refuse_during_import()
            data_check.delete_left_over_files()
            with _checked_copy(database, manifest, restored) as incoming:
                restored.kept, restored.is_kept_damaged = _keep_present_state()
                assets = _restore_assets(path, manifest, restored)
                connections.close_all()
                snapshots.put_in_place(incoming)
                data_check.forget()
    except (OSError, SnapshotError) as error:
        raise BackupError(f"Nothing was restored: {describe_error(error)}") from error
    labels = describe(list(assets))
    for name, words in assets.items():
        label = f": {labels[name]}" if name in labels else ""
        restored.faults.append(f"{path_in(path / 'assets', name)} {words}{label}")
    return restored


def _read_manifest(path: Path, restored: Restored) -> _Manifest:
    database = path / snapshots.file_name()
    try:
        found = json.loads((path / MANIFEST).read_text())
        if found["format"] != 1:
            raise BackupError(f"{path} was made by a newer bigagi: update first.")
        sha256, name, count = found.get("sha256", ""), found["database"], found["assets"]
        lost, counts = found.get("lost", {}), found.get("counts", {})
        kinds = (sha256, str), (count, int), (lost, dict), (counts, dict)
        if not all(isinstance(value, kind) for value, kind in kinds):
            raise TypeError
        # Manifests have had the one for as long as backups have had the other.
        listed = count if "lost" in found else 0
        if name != database.name:
            raise BackupError(f"{path} is for another kind of database ({name}): set DATABASE_URL to match.")
    except (OSError, ValueError, KeyError, TypeError) as error:
        if path == settings.DATA_DIR.resolve() or not database.is_file():
            raise BackupError(f"{path} is not a backup: it has no readable {MANIFEST}.") from error
        # One damaged file must not keep the chats back: whether the database is whole, it says itself.
        restored.faults.append(f"{path / MANIFEST} cannot be read: what was in this backup is not known for sure")
        sha256, count, listed, lost, counts = None, 0, 0, {}, {}
    names = _read_sums(path, listed, restored)
    return _Manifest(sha256, names, count, {name: fault for name, fault in lost.items() if is_name(name)}, counts)


def _read_sums(path: Path, count: int, restored: Restored) -> frozenset[str]:
    """Return the names of the assets that the backup took, as far as they can be read."""
    try:
        lines = (path / SUMS).read_text(errors="replace").splitlines()
    except OSError as error:
        if count:
            restored.faults.append(f"{path / SUMS} cannot be read ({error.strerror})")
        return frozenset()
    listed = [line.partition("  ") for line in lines]
    names = frozenset(name for name, _, file in listed if is_name(name) and file == f"assets/{name[:2]}/{name}")
    if len(names) != max(count, len(lines) - 1):
        restored.faults.append(f"{path / SUMS} is damaged: it lists {len(names)} of {count} assets")
    return names


def _refuse_links(path: Path) -> None:
    """Refuse a backup with a symbolic link, which would bring in a file from anywhere."""
    for folder, folders, files in os.walk(path):
        for name in (*folders, *files):
            if Path(folder, name).is_symlink():
                raise BackupError(
                    f"{Path(folder, name)} is a symbolic link. A backup has none, so nothing was restored: "
                    "delete the link, or put the file itself there, and restore again."
                )


@contextmanager
def _checked_copy(database: Path, manifest: _Manifest, restored: Restored) -> Iterator[Path]:
    """Yield a copy of the backup's database that holds together, ready to become the database."""
    incoming, sha256 = snapshots.copy_in(database)
    try:
        try:
            counts = snapshots.check_snapshot(incoming)
        except DamagedDatabase as error:
            if not snapshots.mend_indexes(incoming):
                raise BackupError(f"Nothing was restored: {database}: {error}. {_name_another(database)}") from error
            restored.faults.append(f"{database} has damaged indexes; they were rebuilt")
            counts = snapshots.check_snapshot(incoming)
        if manifest.sha256 == "":
            restored.notes.append(
                f"{database} could not be compared with what was backed up: this backup has no sum of it, as those of "
                "earlier versions. It can be read whole, and was restored."
            )
        elif manifest.sha256 not in (None, sha256):
            restored.faults.append(
                f"{database} has different bytes than when it was made; its pages hold together, and were restored. "
                "Read all of it with: uv run manage.py check_data"
            )
        if manifest.sha256 != sha256 and snapshots.is_sqlite():
            restored.faults += [
                f"{database} has {counts.get(table, 0):,} of {count:,} rows in {table}"
                for table, count in manifest.counts.items()
                if count != counts.get(table, 0)
            ]
        yield incoming
    finally:
        snapshots.discard(incoming)


def _name_another(database: Path) -> str:
    other = find_whole_database(but=database.parent)
    if other is None:
        return f"No other backup in {settings.BACKUPS_DIR} has a whole database."
    return f"The newest other backup with a whole database: {other}"


def _restore_assets(path: Path, manifest: _Manifest, restored: Restored) -> dict[str, str]:
    """Make each asset of the backup good here; return in words what is wrong with those of the backup, by name."""
    faults: dict[str, str] = {}
    known = KnownGood()
    make_private_folder(settings.ASSETS_DIR)
    found = set(list_names(path / "assets"))
    for name in sorted(manifest.names | found | manifest.lost.keys()):
        source, here = path_in(path / "assets", name), path_in(settings.ASSETS_DIR, name)
        # By content: a damaged file here gives way to a good one, whatever its name and time say.
        fault_here = known.read(here)
        # One that is good here is read in the backup too, which may be the last one of its owner.
        fault = copy_good(source, here) if fault_here else find_fault(source)
        if not fault:
            restored.mended += bool(fault_here) and fault_here != MISSING
            continue
        was_lost = name in manifest.lost and name not in found
        text = "was damaged or missing already when the backup was made" if was_lost else fault
        if not fault_here:
            faults[name] = f"{text}; the one here is good and stays"
        elif other := _take_from_others(name, path, known):
            faults[name] = f"{text}; a good one came from {other}"
        else:
            faults[name] = f"{text}; no backup here has a good one"
    known.save()
    unknown = manifest.count - len(manifest.names | found)
    if unknown > 0:
        restored.faults.append(f"{path / 'assets'} lacks {unknown} of {manifest.count} files")
    return faults


def _take_from_others(name: str, path: Path, known: KnownGood) -> Path | None:
    others = [folder for folder in list_folders() if folder != path]
    for copy in find_copies(name, others, known):
        if not copy_good(copy, path_in(settings.ASSETS_DIR, name)):
            return copy.parent.parent.parent
    return None


def _keep_present_state() -> tuple[Path | None, bool]:
    """Return the folder that keeps what is here, and whether that is a damaged database as it is."""
    if not snapshots.has_data():
        return None, False
    try:
        return create_backup("before-restore").path, False
    except BackupError as error:
        if isinstance(error.__cause__, DamagedDatabase) and snapshots.is_sqlite():
            return snapshots.set_aside(), True
        raise


def _refuse_during_import() -> None:
    if run := _find_running_import():
        raise BackupError(f"Import {run.pk} is running (process {run.pid}): wait until it has finished, then restore.")


def _find_running_import() -> MigrationRun | None:
    try:
        running = list(MigrationRun.objects.filter(status=MigrationRun.Status.RUNNING))
    except snapshots.CANNOT_READ:
        return None  # No database yet, one without tables, or the damaged one that is to be replaced.
    return next((run for run in running if not is_abandoned(run)), None)
