"""Files that their owner alone can read: keys, and copies of what is stored."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from stores.background.partial_files import name_partial

PRIVATE = 0o600


def make_private_folder(path: Path) -> None:
    """Make a folder that its owner alone can read, unless it is there already."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


def open_private(path: Path) -> BinaryIO:
    """Open a new file for writing. Its mode is set as it is made, so that nobody else can read it even for a moment.

    Raises FileExistsError."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE), "wb")


def write_private(path: Path, text: str) -> None:
    """Write a new file, to the disk itself. Raises FileExistsError."""
    with open_private(path) as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())


def replace_private(path: Path, text: str) -> bool:
    """Make the file what the text says, at once, and tell whether it could be written: what it holds can be found
    again."""
    # Under a name of its own: two processes may do so at once.
    partial = path.with_name(name_partial(f".{path.name}"))
    try:
        with open_private(partial) as file:
            file.write(text.encode())
        partial.replace(path)
    except OSError:
        with suppress(OSError):
            partial.unlink()
        return False
    return True


def write_private_once(path: Path, text: str) -> None:
    """Write the file whole, unless it is there already; of two processes that do so at once, one wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists():
        return
    # Under another name first: a full disk must not leave an empty file, which would be taken for a key.
    handle, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
        try:
            # A link, unlike a new name, fails where another process has been faster.
            os.link(partial, path)
        except FileExistsError:
            pass
        except OSError:
            # A file system without links.
            os.replace(partial, path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(partial)
