"""Files and folders that are being written: their names say by which process, so that what a killed one left is known
and deleted, and never what a living one is writing."""

import glob
import os
import re
import shutil
import time
import uuid
from contextlib import suppress
from pathlib import Path

from stores.background import processes

LEFT_OVER_AFTER = 24 * 3600
"""Seconds without a change after which a file counts as left behind, where it is of another machine, or of this one
before its last start: nobody can tell whether its process runs."""

_OWNER = re.compile(r"-([0-9a-f]*)\.(\d+)\.(\d*)-[0-9a-f]{8}(?:-[a-z]+)?")


def name_partial(name: str) -> str:
    """Return a new name, beginning with this one, for what this process is going to write."""
    # Not every file system takes a colon.
    owner = processes.name_of(os.getpid()).replace(":", ".")
    return f"{name}-{owner}-{uuid.uuid4().hex[:8]}"


def delete_left_over(folder: Path, name: str, *, is_ours: bool = False) -> None:
    """Delete what processes that are gone were writing in the folder under this name. `is_ours`: all that is called so
    there is the program's, also where the name says no process, as earlier versions' did not."""
    # What cannot be read or deleted now stays for the next one.
    with suppress(OSError):
        for path in folder.glob(f"{glob.escape(name)}-*"):
            with suppress(OSError):
                if _is_left_over(path, name, is_ours):
                    _delete(path)


def _is_left_over(path: Path, name: str, is_ours: bool) -> bool:
    found = _OWNER.fullmatch(path.name.removeprefix(name))
    if not found and not is_ours:
        return False  # Somebody's own file beside ours.
    owner = ":".join(found.groups()) if found else ""
    if processes.is_of_here(owner):
        return processes.is_gone(owner)
    changed_at = max(one.lstat().st_mtime for one in (path, *path.rglob("*")))
    return changed_at < time.time() - LEFT_OVER_AFTER


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
