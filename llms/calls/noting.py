"""Logs failed calls: by kind and location, never with content."""

import structlog

from llms.calls.events import CallFailed

logger = structlog.get_logger("llms")


def note_failure(error: CallFailed, *, model: str, service: str, vendor: str) -> None:
    """Log that a call of the model failed. The provider's message is left out: it can quote a key or the chat."""
    logger.warning(
        "a call of a model failed", kind=error.kind, status=error.status, model=model, service=service, vendor=vendor
    )
