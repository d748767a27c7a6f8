"""Folders that get their name when they are complete, and what commands that were killed left behind."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from stores.background.partial_files import delete_left_over, name_partial
from stores.records.private_files import make_private_folder

UNFINISHED = ".bigagi-unfinished"

_TAKEN = errno.EEXIST, errno.ENOTDIR, errno.ENOTEMPTY
"""What systems say of a name that a file or a folder has."""


@contextmanager
def new_folder(parent: Path) -> Iterator[Path]:
    """Yield a new folder that its owner alone can read, to be filled and named. Without a name it is deleted."""
    make_private_folder(parent)
    delete_left_over(parent, UNFINISHED)
    folder = parent / name_partial(UNFINISHED)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def give_name(folder: Path, target: Path) -> Path:
    """Rename the folder to `target`, or where that is taken to the first free name with a number; return the path."""
    for number in count(1):
        try:
            return folder.rename(target if number == 1 else target.with_name(f"{target.name}-{number}"))
        except OSError as error:
            # Asked before, another process could take the name in between.
            if error.errno not in _TAKEN:
                raise
    raise AssertionError


def delete_folder(path: Path) -> None:
    """Delete the folder. It loses its name first: who is stopped in the middle leaves no half of it."""
    doomed = path.with_name(name_partial(UNFINISHED))
    with suppress(OSError):
        shutil.rmtree(path.rename(doomed))
