"""Calls that failed, in the log: by kind and place, never by what was said or answered."""

import structlog

from llms.calls.events import CallFailed

logger = structlog.get_logger("llms")


def note_failure(error: CallFailed, *, model: str, service: str, vendor: str) -> None:
    """Log that a call of the model failed. The provider's own words can quote a key or the chat: they are left out."""
    logger.warning(
        "a call of a model failed", kind=error.kind, status=error.status, model=model, service=service, vendor=vendor
    )
