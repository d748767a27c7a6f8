"""Files that their owner alone can read: keys, and copies of what is stored."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

PRIVATE = 0o600


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
