"""What must be so before an import begins: stored keys can be read, and the disk has room."""

import shutil
from pathlib import Path

from django.conf import settings

from stores.importers.incoming import NoSpace, Refused
from stores.records.keys import why_unreadable

SPACE_FACTOR = 2
"""Free disk that an import needs, in sizes of the file: rows, indexes and the write-ahead log."""


def check_keys() -> None:
    """Raises `Refused` where the keys that are stored cannot be read: those of a file could not be told from them."""
    if reason := why_unreadable():
        raise Refused(reason)


def check_space(path: Path) -> None:
    """Raises `NoSpace` where the disk has no room for what the file brings."""
    folder = Path(settings.DATA_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    needed, free = SPACE_FACTOR * path.stat().st_size, shutil.disk_usage(folder).free
    if free < needed:
        needed_mib = -(-needed // 2**20)
        raise NoSpace(
            f"{folder} has {free >> 20} MiB of free disk space; the import needs {needed_mib} MiB. Free some space."
        )
