"""The file with the keys that encrypt secrets: one a line, the newest first. Losing it costs API keys, never chats."""

import base64
import hashlib
from functools import lru_cache
from pathlib import Path

from cryptography.fernet import Fernet
from django.conf import settings

from stores.records.private_files import write_private_once

SHOWN_DIGITS = 8
"""Digits of a fingerprint that a person is shown."""


class KeyFileError(Exception):
    """The key file has no key that can be used; the message says why."""


def read_keys() -> list[bytes]:
    """Return the keys of the file, at least one. Lines that are no keys are passed over.

    Raises `KeyFileError` where the file is missing, cannot be read, or has no key."""
    path = Path(settings.KEY_FILE)
    try:
        keys = _read(path, *_version_of(path))
    except FileNotFoundError:
        raise KeyFileError(f"The key file {path} is missing.") from None
    except OSError as error:
        raise KeyFileError(f"The key file {path} cannot be read ({error.strerror}).") from error
    if not keys:
        raise KeyFileError(f"The key file {path} is damaged: it contains no key.")
    return keys


def key_file_version() -> tuple[int, ...] | None:
    """Return what changes with the key file, or None where there is none that can be looked at."""
    try:
        return _version_of(Path(settings.KEY_FILE))
    except OSError:
        return None


def _version_of(path: Path) -> tuple[int, ...]:
    facts = path.stat()
    return facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns


@lru_cache(maxsize=4)
def _read(path: Path, *version: int) -> list[bytes]:
    """Return the keys; `version` changes with the file, so that a file that was swapped is read anew."""
    keys = [_as_key(line) for line in path.read_bytes().split()]
    return list(dict.fromkeys(key for key in keys if key))


def _as_key(line: bytes) -> bytes | None:
    """Return the key as it is always written. What editors put around it is passed over by the library as well: with it
    the key would have another fingerprint."""
    try:
        key = base64.urlsafe_b64encode(base64.urlsafe_b64decode(line))
        Fernet(key)
    except ValueError:
        return None
    return key


def create_key_file() -> None:
    """Make the file with a new key where there is none. Raises `KeyFileError`."""
    path = Path(settings.KEY_FILE)
    try:
        write_private_once(path, Fernet.generate_key().decode() + "\n")
    except OSError as error:
        raise KeyFileError(f"The key file {path} cannot be made ({error.strerror}).") from error


def fingerprint_of(key: bytes) -> str:
    """Return the digest by which the database knows a key again: 32 hexadecimal digits. The key is random, so that it
    cannot be guessed from it."""
    return hashlib.sha256(b"fingerprint" + key).hexdigest()[:32]


def name_key(fingerprint: str) -> str:
    """Return how a person is told a key."""
    return f"key {fingerprint[:SHOWN_DIGITS]}" if fingerprint else "an unknown key"
