"""The files of images and sounds: each is named by the SHA-256 of its bytes, in a folder of its first two characters.

Nothing writes into such a file: it is read-only, and a better one takes its place by rename.
"""

import errno
import hashlib
import json
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from stores.background.partial_files import delete_left_over, name_partial
from stores.records.private_files import open_private, replace_private

CHUNK = 2**20
"""Bytes read at a time."""

READ_ONLY = 0o400

INCOMING = "incoming"

KNOWN_GOOD = "known-good.json"

MISSING = "is missing"
CHANGED = "has different bytes"

TRUSTED_SECONDS = 7 * 24 * 3600
"""How long a file that was read and is unchanged by its inode, size and time counts as good without reading it."""

SETTLED_SECONDS = 2
"""How long ago a file must have changed before its time can be trusted: clocks of file systems are coarse."""

_NAME = re.compile(r"[0-9a-f]{64}")

Pause = Callable[[float], None]
"""Called after each chunk with the seconds that it took."""


def path_in(folder: Path, name: str) -> Path:
    """Return the path of the file in this folder of assets."""
    return folder / name[:2] / name


def new_path(folder: Path) -> Path:
    """Return the path of a file that is to become one of the assets in the folder: there, an abandoned one is found."""
    return folder / name_partial(INCOMING)


def delete_left_over_files() -> None:
    """Delete files that writers who were killed left unfinished."""
    for name in (INCOMING, f".{KNOWN_GOOD}"):
        delete_left_over(settings.ASSETS_DIR, name, is_ours=name == INCOMING)


def list_names(folder: Path) -> Iterator[str]:
    """Yield the names of the assets in the folder. Other names are files that an import is writing just now."""
    if not folder.is_dir():
        return
    for prefix in sorted(folder.iterdir()):
        if len(prefix.name) == 2 and prefix.is_dir() and not prefix.is_symlink():
            found = (file.name for file in prefix.iterdir())
            yield from sorted(name for name in found if _NAME.fullmatch(name) and name.startswith(prefix.name))


def is_name(name: str) -> bool:
    """Tell whether a file of an asset can be called so."""
    return _NAME.fullmatch(name) is not None


def find_fault(path: Path, pause: Pause | None = None) -> str:
    """Read the file whole, and return in words what is wrong with it, or nothing."""
    digest = hashlib.sha256()
    try:
        with _open_plain(path) as file:
            for chunk in _read(file, pause):
                digest.update(chunk)
    except OSError as error:
        return _describe(error)
    return "" if digest.hexdigest() == path.name else CHANGED


def copy_good(source: Path, target: Path, *, mode: int = READ_ONLY) -> str:
    """Copy the file if its bytes match its name, and return in words what is wrong with it, or nothing.

    The copy takes the place of what is at `target` by rename. Raises OSError where it cannot be written.
    """
    digest = hashlib.sha256()
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = new_path(target.parent.parent)
    try:
        with open_private(partial) as copy:
            try:
                file = _open_plain(source)
            except OSError as error:
                return _describe(error)
            with file:
                chunks = _read(file, None)
                while True:
                    try:
                        chunk = next(chunks, b"")
                    except OSError as error:
                        return _describe(error)
                    if not chunk:
                        break
                    digest.update(chunk)
                    copy.write(chunk)
            if digest.hexdigest() != source.name:
                return CHANGED
            copy.flush()
            os.fchmod(copy.fileno(), mode)
            os.fsync(copy.fileno())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return ""


def _open_plain(path: Path) -> BinaryIO:
    """Open a file, but nothing that a link points to, and nothing that could be waited for as a pipe can."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "it is not a file")
    return os.fdopen(handle, "rb")


def _read(file: BinaryIO, pause: Pause | None) -> Iterator[bytes]:
    started = time.perf_counter()
    while chunk := file.read(CHUNK):
        yield chunk
        if pause:
            pause(time.perf_counter() - started)
            started = time.perf_counter()


def _describe(error: OSError) -> str:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return MISSING
    if error.errno == errno.ELOOP:
        return "is a symbolic link"
    return f"cannot be read ({error.strerror})"


class KnownGood:
    """Remembers which files were read and found good, so that not every backup reads all of them again.

    A file counts as the same while its name, inode, size and time of change are the same, for `TRUSTED_SECONDS`.
    """

    def __init__(self) -> None:
        self._path = settings.ASSETS_DIR / KNOWN_GOOD
        self._found: dict[str, list[int]] = {}
        try:
            found = json.loads(self._path.read_text())
            now = time.time()
            self._found = {key: seen for key, seen in found.items() if now - TRUSTED_SECONDS < seen[2] <= now}
        except (OSError, ValueError, TypeError, AttributeError, LookupError):
            self._found = {}  # It only saves time: without it, everything is read.

    def find_fault(self, path: Path, pause: Pause | None = None) -> str:
        """Return in words what is wrong with the file, or nothing; it is read only where it is not known."""
        return "" if self.is_known(path) else self.read(path, pause)

    def is_known(self, path: Path) -> bool:
        """Tell whether the file was read not long ago, and is still that file."""
        try:
            key, facts = self._identify(path)
        except OSError:
            return False
        return self._found.get(key, [])[:2] == facts

    def read(self, path: Path, pause: Pause | None = None) -> str:
        """Read the file whatever is known of it, and return in words what is wrong with it, or nothing."""
        fault = find_fault(path, pause)
        self._note(path, is_good=not fault)
        return fault

    def note_good(self, path: Path) -> None:
        """Remember a file that was just read or written, and checked."""
        self._note(path, is_good=True)

    def save(self) -> None:
        """Keep what is known. Where that cannot be written, the next one reads more."""
        replace_private(self._path, json.dumps(self._found, separators=(",", ":")))

    def _note(self, path: Path, *, is_good: bool) -> None:
        try:
            key, facts = self._identify(path)
        except OSError:
            return
        if is_good and facts[1] < (time.time() - SETTLED_SECONDS) * 1e9:
            self._found[key] = [*facts, int(time.time())]
        else:
            self._found.pop(key, None)

    @staticmethod
    def _identify(path: Path) -> tuple[str, list[int]]:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is not a file")
        return f"{found.st_ino}:{path.name}", [found.st_size, found.st_mtime_ns]
