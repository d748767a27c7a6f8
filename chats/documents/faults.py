"""Why a document cannot be read, in words for the person who attached it."""

from enum import StrEnum


class Code(StrEnum):
    UNKNOWN_KIND = "unknown-kind"
    ENCRYPTED = "encrypted"
    DAMAGED = "damaged"
    TOO_LARGE = "too-large"
    TIME = "time"
    MEMORY = "memory"


class Unreadable(Exception):
    """A document that cannot be read; the message says why, and what to do."""

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def encrypted(label: str) -> Unreadable:
    return Unreadable(
        Code.ENCRYPTED, f"This {label} is protected by a password. Save a copy without it, and attach that."
    )


def damaged(label: str) -> Unreadable:
    return Unreadable(
        Code.DAMAGED,
        f"This {label} is damaged or incomplete. Open it in its own program, save it again, and attach that.",
    )


def too_large(what: str) -> Unreadable:
    return Unreadable(Code.TOO_LARGE, f"{what} Attach a part of it.")
