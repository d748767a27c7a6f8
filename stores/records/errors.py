"""Errors of services."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class ServiceError(Exception):
    """The message says what is wrong; nothing was written."""


class Missing(ServiceError, LookupError):
    """There is no such record."""


class Taken(ServiceError):
    """The id belongs to another record."""


class Conflict(ServiceError):
    """The request conflicts with the current state. `kind` names the entry in Troubleshooting, `facts` are further
    members of the problem."""

    def __init__(self, message: str, kind: str = "conflict", facts: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.facts = facts or {}


class SecretsUnreadable(Conflict):
    """The key file is missing, or is not this database's: a secret can neither be read nor stored."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "secrets-unreadable")


class ShuttingDown(ServiceError):
    """The server is about to end, and begins nothing new."""


class KeyReused(ServiceError):
    """An Idempotency-Key belongs to another request."""


class Invalid(ServiceError, ValueError):
    """The input is invalid; `errors` are pointer, detail and code of each fault."""

    def __init__(self, message: str, errors: list[dict[str, Any]] | None = None) -> None:
        super().__init__(message)
        self.errors = errors or []


def pointer_of(*names: str) -> str:
    """Return the JSON Pointer (RFC 6901) for a path of names."""
    return "".join(f"/{name.replace('~', '~0').replace('/', '~1')}" for name in names)


def at(pointer: str, detail: str, code: str = "invalid") -> Invalid:
    """Return the error of one field."""
    return Invalid(detail, [{"pointer": pointer, "detail": detail, "code": code}])


@contextmanager
def below(pointer: str) -> Iterator[None]:
    """Let the errors of a record that stands at this place of the body point into the body."""
    try:
        yield
    except Invalid as error:
        errors = [{**one, "pointer": f"{pointer}{one['pointer']}"} for one in error.errors]
        raise Invalid(str(error), errors) from error
