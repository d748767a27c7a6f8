"""The file with the keys that encrypt secrets: one a line, the newest first. Losing it costs API keys, never chats."""

import os
from functools import lru_cache
from pathlib import Path

from cryptography.fernet import Fernet
from django.conf import settings


@lru_cache(maxsize=4)
def _read(path: Path, changed_ns: int) -> list[bytes]:
    return path.read_bytes().split()


def read_keys(*, create: bool = False) -> list[bytes]:
    """Return the keys, none where there is no file; with `create`, make the file where there is none."""
    path = Path(settings.KEY_FILE)
    if not path.exists():
        if not create:
            return []
        path.parent.mkdir(parents=True, exist_ok=True)
        # Nobody else may read it even for a moment, and of two processes that make it one wins.
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(Fernet.generate_key() + b"\n")
        except FileExistsError:
            pass
    return _read(path, path.stat().st_mtime_ns)
