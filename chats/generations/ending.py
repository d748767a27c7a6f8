"""How a call ended, as text and in big-AGI's terms. Pure."""

from dataclasses import dataclass
from http import HTTPStatus

from chats.generations.answer import Answer, stop_reason_of
from chats.models import Generation
from llms.calls.events import CallFailed
from stores.faults import fault_of

Status = Generation.Status

_STATUSES = {status.value for status in HTTPStatus if status >= 400}

OUT_OF_TOKENS = "The answer reached the token limit. Ask the model to continue, or raise the limit."
FILTERED = "The provider's content filter cut the answer off. Rephrase the question, or choose another model."
EMPTY = "The answer is empty. Try again, or choose another model."
STOPPED = (
    "The server was stopped during this answer. The part that had arrived is kept. Try again for the whole answer."
)
FAILED = "An internal error occurred. The server log has the details."


@dataclass(frozen=True)
class Ending:
    """Status and outcome of a run, big-AGI's `tokenStopReason`, and what went wrong in words. An error has an HTTP
    status, and becomes the answer's last fragment."""

    status: str = Status.DONE
    outcome: str = "done"
    stop_reason: str = ""
    detail: str = ""
    http_status: int = 0
    kind: str | None = None

    @property
    def is_error(self) -> bool:
        return self.http_status > 0


ABORTED = Ending(Status.STOPPED, "stopped", "client-abort")
SERVER_STOPPED = Ending(Status.ERROR, "server-stopped", "issue", STOPPED, 503, "server-stopped")
SERVER_ERROR = Ending(Status.ERROR, "server-error", "issue", FAILED, 500)


def ending_of(answer: Answer) -> Ending:
    """Return how a call ended that gave all it had."""
    reason = stop_reason_of(answer.finish)
    told = {"out-of-tokens": OUT_OF_TOKENS, "filter": FILTERED}.get(reason, "")
    if not answer.size and not answer.fragments:
        return Ending(Status.ERROR, reason or "empty", reason or "issue", told or EMPTY, 502, reason or "empty")
    return Ending(outcome=reason or "done", stop_reason=reason, detail=told)


def ending_of_fault(error: Exception) -> Ending:
    """Return the ending of a run that broke here: by a fault of the disk or the database, or for another reason."""
    if (fault := fault_of(error)) is None:
        return SERVER_ERROR
    return Ending(Status.ERROR, "server-error", "issue", str(fault), fault.status, fault.kind)


def ending_of_failure(error: CallFailed) -> Ending:
    """Return the ending of a call that failed."""
    # Providers have numbers of their own, as 529.
    status = error.status if error.status in _STATUSES else 502
    return Ending(Status.ERROR, error.kind, "issue", str(error), status, error.kind)
