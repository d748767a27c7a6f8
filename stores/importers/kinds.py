"""Which of big-AGI's kinds of files a file is (`bigagi-format.md` § 2)."""

from typing import BinaryIO

from stores.importers.scanner import Malformed, Scanner
from stores.importers.source import read_text

FLASH, ALL_CHATS, ONE_CHAT = "flash-backup", "all-chats", "one-chat"
_KINDS = ((FLASH, {"storage", "schema", "schemaVersion"}), (ALL_CHATS, {"conversations"}), (ONE_CHAT, {"messages"}))


class NotBigAGI(ValueError):
    """The file is not one that big-AGI writes. The message says so in words."""


def detect_kind(file: BinaryIO) -> str:
    """Return the kind of the file from its content, and go back to its start. Raises `NotBigAGI`."""
    scanner = Scanner(read_text(file))
    keys: set[str] = set()
    try:
        if not scanner.peek():
            raise NotBigAGI("the file is empty")
        if scanner.peek() != "{":
            raise NotBigAGI("it is not a JSON object")
        for key in scanner.members():
            keys.add(key)
            if (found := _kind_of(keys)) and not (found == ONE_CHAT and "conversations" in keys):
                return found
            scanner.raw_value()
    except Malformed as error:
        raise NotBigAGI(f"it is not JSON: {error}" if not keys else f"it breaks off or is damaged: {error}") from error
    finally:
        file.seek(0)
    named = ", ".join(sorted(keys)[:5]) or "nothing"
    raise NotBigAGI(f"it is JSON, but not of big-AGI: it has {named}, and no storage, conversations or messages")


def _kind_of(keys: set[str]) -> str:
    return next((kind for kind, names in _KINDS if names & keys), "")
