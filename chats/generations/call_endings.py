"""How a call ended, as text and in big-AGI's terms. Pure."""

from dataclasses import dataclass
from http import HTTPStatus

from chats.generations.answer import Answer, stop_reason_of
from chats.models import Generation
from llms.calls.events import CallFailed
from stores.records.faults import fault_of

Status = Generation.Status

_STATUSES = {status.value for status in HTTPStatus if status >= 400}

OUT_OF_TOKENS = "The answer reached the token limit. Ask the model to continue, or raise the limit."
FILTERED = "The provider's content filter cut the answer off. Rephrase the question, or choose another model."
EMPTY = "The answer is empty. Try again, or choose another model."
STOPPED = (
    "The server was stopped during this answer. The part that had arrived is kept. Try again for the whole answer."
)
CRASH = "The server stopped during this answer. The part that had arrived is kept. Try again for the whole answer."
FAILED = "An internal error occurred. The server log has the details."


@dataclass(frozen=True)
class CallEnding:
    """Status and outcome of a generation, big-AGI's `tokenStopReason`, and what went wrong in words.

    An error has an HTTP status, and becomes the answer's last fragment."""

    status: str = Status.DONE
    outcome: str = "done"
    stop_reason: str = ""
    detail: str = ""
    http_status: int = 0
    kind: str | None = None

    @property
    def is_error(self) -> bool:
        return self.http_status > 0


ABORTED = CallEnding(Status.STOPPED, "stopped", "client-abort")
SERVER_STOPPED = CallEnding(Status.ERROR, "server-stopped", "issue", STOPPED, 503, "server-stopped")
CRASHED = CallEnding(Status.ERROR, "crashed", "issue", CRASH)
SERVER_ERROR = CallEnding(Status.ERROR, "server-error", "issue", FAILED, 500)


def ending_of(answer: Answer) -> CallEnding:
    """Return how a call ended that gave all it had."""
    reason = stop_reason_of(answer.finish)
    detail = {"out-of-tokens": OUT_OF_TOKENS, "filter": FILTERED}.get(reason, "")
    if not answer.size and not answer.fragments:
        return CallEnding(Status.ERROR, reason or "empty", reason or "issue", detail or EMPTY, 502, reason or "empty")
    return CallEnding(outcome=reason or "done", stop_reason=reason, detail=detail)


def ending_of_fault(error: Exception) -> CallEnding:
    """Return the ending of a generation that failed here, by a fault of the disk or the database or another reason."""
    if (fault := fault_of(error)) is None:
        return SERVER_ERROR
    return CallEnding(Status.ERROR, "server-error", "issue", str(fault), fault.status, fault.kind)


def ending_of_failure(error: CallFailed) -> CallEnding:
    """Return the ending of a call that failed."""
    # Providers have numbers of their own, as 529.
    status = error.status if error.status in _STATUSES else 502
    return CallEnding(Status.ERROR, error.kind, "issue", str(error), status, error.kind)
