"""The file with the keys that encrypt secrets: one a line, the newest first. Losing it costs API keys, never chats."""

import os
from functools import lru_cache
from pathlib import Path

from cryptography.fernet import Fernet
from django.conf import settings

from stores.models import Secret

HOW_TO_MEND = "Put it back. If it is lost, run `manage.py forget_secrets`: you lose stored API keys, but no chats."


@lru_cache(maxsize=4)
def _read(path: Path, changed_ns: int) -> list[bytes]:
    return path.read_bytes().split()


class KeyFileMissing(ValueError):
    """Secrets are stored, and the file with their key is gone. A new one would be in the way when it is put back."""


def read_keys(*, create: bool = False) -> list[bytes]:
    """Return the keys, none where there is no file; with `create`, make the file where there is none and never was.

    Raises `KeyFileMissing` where secrets were stored with another one.
    """
    path = Path(settings.KEY_FILE)
    if not path.exists():
        if not create:
            return []
        if Secret.objects.exists():
            raise KeyFileMissing(f"The key file {path} is missing. {HOW_TO_MEND}")
        path.parent.mkdir(parents=True, exist_ok=True)
        # Nobody else may read it even for a moment, and of two processes that make it one wins.
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(Fernet.generate_key() + b"\n")
        except FileExistsError:
            pass
    return _read(path, path.stat().st_mtime_ns)
