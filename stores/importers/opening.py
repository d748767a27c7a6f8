"""The file that is to be imported, opened: as it lies there, out of an archive, or from a pipe."""

import gzip
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from stores.importers.incoming import IncomingFile, Refused, open_incoming
from stores.importers.kinds import NotBigAGI, detect_kind
from stores.records.codecs import storable

STANDARD_INPUT = "-"
LONGEST_UNPACKED = 4 * 2**30
"""Bytes that are unpacked from an archive; one that holds more is refused, whatever it says of itself."""
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_OTHER_ARCHIVES = (b"7z\xbc\xaf", b"Rar!", b"\xfd7zXZ", b"BZh", b"\x28\xb5\x2f\xfd")
_EMPTY_ZIP = b"PK\x05\x06"


@dataclass
class SourceFile:
    """A file that big-AGI wrote: where it lies on this disk, what it is called, and its kind."""

    path: Path
    name: str
    kind: str


@contextmanager
def open_source(path: Path) -> Iterator[SourceFile]:
    """Yield the file to import; `-` is standard input. What is no plain file is copied; the copy is deleted in the end.

    Raises `Refused` where it cannot be read, or is not big-AGI's."""
    text = "standard input" if str(path) == STANDARD_INPUT else storable(str(path))
    copies: list[IncomingFile] = []
    try:
        plain = _copy_plain(path, text, copies)
        plain = _unpack(plain, text, copies)
        with plain.open("rb") as file:
            kind = _checked_kind(text, file)
        name = "standard input" if str(path) == STANDARD_INPUT else storable(path.name)
        yield SourceFile(plain, name, kind)
    finally:
        for copy in copies:
            copy.discard()


def _copy_plain(path: Path, text: str, copies: list[IncomingFile]) -> Path:
    """Return a file that can be read more than once."""
    if str(path) == STANDARD_INPUT:
        return _copy(lambda copy: copy.write(sys.stdin.buffer.read), "standard-input.json", copies)
    try:
        if path.is_dir():
            raise Refused(f"{text} is a folder. Give the path of the backup file inside it.")
        with path.open("rb") as file:
            if path.is_file():
                return path
            return _copy(lambda copy: copy.write(file.read), path.name, copies)
    except FileNotFoundError:
        raise Refused(f"{text} does not exist.") from None
    except PermissionError:
        raise Refused(f"{text} cannot be read: permission denied.") from None
    except OSError as error:
        raise Refused(f"{text} cannot be read: {error.strerror or error}.") from None


def _copy(fill: Callable[[IncomingFile], object], name: str, copies: list[IncomingFile]) -> Path:
    copy = open_incoming(name)
    copies.append(copy)
    fill(copy)
    copy.close()
    return copy.path


def _unpack(path: Path, text: str, copies: list[IncomingFile]) -> Path:
    """Return the one file inside an archive, or the file itself where it is none."""
    with path.open("rb") as file:
        head = file.read(4)
    if head.startswith(_OTHER_ARCHIVES):
        raise Refused(f"{text} is compressed: unpack it first, and import the file inside it.")
    if not head.startswith((_GZIP, _ZIP, _EMPTY_ZIP)):
        return path
    try:
        if head.startswith(_GZIP):
            with gzip.open(path) as inside:
                return _copy(lambda copy: _fill(copy, inside.read, text), path.stem, copies)
        with zipfile.ZipFile(path) as archive:
            member = _only_member(archive, text)
            with archive.open(member) as inside:
                return _copy(lambda copy: _fill(copy, inside.read, text), member.filename, copies)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise Refused(f"{text} is an archive that is damaged or of an unusual kind: unpack it first.") from error


def _fill(copy: IncomingFile, read: Callable[[int], bytes], text: str) -> None:
    left = LONGEST_UNPACKED

    def limited(size: int) -> bytes:
        nonlocal left
        chunk = read(size)
        left -= len(chunk)
        if left < 0:
            raise Refused(f"{text} unpacks to more than {LONGEST_UNPACKED >> 30} GiB: unpack it first.")
        return chunk

    copy.write(limited)


def _only_member(archive: zipfile.ZipFile, text: str) -> zipfile.ZipInfo:
    files = [
        member
        for member in archive.infolist()
        if not member.is_dir() and not member.filename.startswith("__MACOSX/") and member.file_size
    ]
    files = [member for member in files if member.filename.lower().endswith(".json")] or files
    if not files:
        raise Refused(f"{text} is an empty archive. Export the chats again.")
    if len(files) != 1:
        raise Refused(f"{text} holds {len(files)} files: unpack it first, and import each by itself.")
    if files[0].flag_bits & 1:
        raise Refused(f"{text} is encrypted: unpack it first.")
    return files[0]


def _checked_kind(text: str, file: BufferedReader) -> str:
    try:
        return detect_kind(file)
    except NotBigAGI as error:
        raise Refused(f"{text} is not a big-AGI file: {error}.") from None
    except OSError as error:
        raise Refused(f"{text} cannot be read: {error.strerror or error}.") from None
