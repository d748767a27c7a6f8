"""The assets of a backup: the good ones of those here, each damaged one from an earlier backup where that has it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from stores.backups.snapshots import CANNOT_READ
from stores.records import registry
from stores.records.asset_files import MISSING, READ_ONLY, KnownGood, copy_good, list_names, path_in
from stores.records.private_files import PRIVATE


@dataclass
class Taken:
    """What a backup took: names, bytes in all, and what is wrong with files here, by name (`Backup`)."""

    names: list[str] = field(default_factory=list)
    size: int = 0
    replaced: dict[str, str] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)


def take_assets(target: Path, *, links: bool) -> Taken:
    """Fill the folder `target` with the assets of the data folder, all of them checked.

    With `links`, a file that an earlier backup has is shared with it. It is never shared with the file
    here: what happens to that must not happen to the backups.
    """
    target.mkdir(mode=0o700)
    taken, known, earlier = Taken(), KnownGood(), list_folders()
    needed = find_needed()
    for name in sorted({*list_names(settings.ASSETS_DIR), *needed}):
        here, copy = path_in(settings.ASSETS_DIR, name), path_in(target, name)
        if links and any(_share(path, copy) for path in find_copies(name, earlier, known)):
            fault = known.find_fault(here)
            is_taken = True
        else:
            fault = copy_good(here, copy, mode=READ_ONLY if links else PRIVATE)
            if not fault:
                known.note_good(here)
            is_taken = not fault or _take_from(find_copies(name, earlier, known), copy)
        if fault == MISSING and name not in needed:
            # Deleted since it was listed, and nothing refers to it.
            copy.unlink(missing_ok=True)
            continue
        if is_taken:
            taken.names.append(name)
            taken.size += copy.stat().st_size
        if fault:
            (taken.replaced if is_taken else taken.lost)[name] = fault
    known.save()
    return taken


def list_folders() -> list[Path]:
    """Return the folders of the backups here, newest first; also of those whose manifest cannot be read."""
    folder = settings.BACKUPS_DIR
    found = sorted(folder.iterdir(), reverse=True) if folder.is_dir() else []
    return [path for path in found if not path.name.startswith(".") and (path / "assets").is_dir()]


def find_needed() -> set[str]:
    """Return the names of the files that records here have."""
    try:
        return {name for collection in registry.all_collections() for name in collection.files.names()}
    except CANNOT_READ:
        return set()  # Without tables yet, or damaged: the files themselves are listed all the same.


def describe(names: list[str]) -> dict[str, str]:
    """Return what people know these files by, as far as the database says it."""
    labels: dict[str, str] = {}
    try:
        for collection in registry.all_collections() if names else ():
            labels |= collection.files.describe(names)
    except CANNOT_READ:
        pass
    return labels


def find_copies(name: str, backups: list[Path], known: KnownGood) -> Iterator[Path]:
    """Yield good copies of the file in these backups that are not the very file here."""
    here = path_in(settings.ASSETS_DIR, name)
    for backup in backups:
        path = path_in(backup / "assets", name)
        if path.exists() and not _is_same_file(path, here) and not known.find_fault(path):
            yield path


def _take_from(copies: Iterator[Path], target: Path) -> bool:
    return any(not copy_good(path, target, mode=PRIVATE) for path in copies)


def _share(path: Path, copy: Path) -> bool:
    """Take the file of an earlier backup, and tell whether it could be: that one may be deleted just now."""
    copy.parent.mkdir(mode=0o700, exist_ok=True)
    try:
        os.link(path, copy)
    except OSError:
        # A file system without links, or one that has no more for this file.
        return not copy_good(path, copy)
    return True


def _is_same_file(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:
        return False
