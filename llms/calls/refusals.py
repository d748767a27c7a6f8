"""Which optional parameter a provider's error refuses. Pure."""

import re
from typing import Any

from llms.calls.body import TOKEN_LIMITS, TURNS_IN_A_ROW, join_turns
from llms.calls.failures import DEEPEST, describe_error, told_by

USAGE = "stream_options"
OPTIONAL = (USAGE, "temperature", "top_p", "reasoning_effort", "reasoning", "verbosity", *TOKEN_LIMITS)
"""Parameters without which a call still gets its answer."""

_UNSUPPORTED = re.compile(
    r"un(?:supported|recogni[sz]ed|known|expected)|(?:not|n't) (?:be )?(?:supported?|permitted|allowed|recogni[sz]ed)|"
    r"extra_forbidden|deprecated",
    re.IGNORECASE,
)
_OUT_OF_RANGE = re.compile(
    r"too (?:large|small|high|low|big|long|many)|at (?:most|least)|(?:less|greater|more|smaller|larger|higher|lower) "
    r"than|above|below|exceed|maximum|minimum|range|between|[<>≤≥]",
    re.IGNORECASE,
)
"""Words of an error that refuses a number, and not the parameter: the person has to hear them."""
_ALTERNATE = re.compile(r"\balternat(?:e|es|ing)\b|same role|consecutive", re.IGNORECASE)


def find_refused(status: int, error: Any, sent: dict[str, Any]) -> str | None:
    """Return the first parameter of what was sent that the error (decoded JSON, or text) refuses; None: it refuses
    none. `status` is 400 or 422."""
    if describe_error(status, error).kind != "provider":
        # A chat that is too long, a wrong key.
        return None
    words = told_by(error)
    present = [name for name in OPTIONAL if name in sent]
    # OpenAI's errors tell it in a member of its own; their words can name others, to use instead.
    named = _first_named(" ".join(_params(error)), present) or _first_named(words, present)
    if named is None:
        if _ALTERNATE.search(words) and join_turns(sent["messages"]) != sent["messages"]:
            return TURNS_IN_A_ROW
        return None
    # What the person did not ask for is never missed.
    if named != USAGE and not _UNSUPPORTED.search(words) and _OUT_OF_RANGE.search(words):
        return None
    return named


def _first_named(words: str, names: list[str]) -> str | None:
    found = [(match.start(), name) for name in names if (match := re.search(rf"(?<!\w){name}(?!\w)", words))]
    return min(found)[1] if found else None


def _params(error: Any, depth: int = 0) -> list[str]:
    """Return what the members `param` of an error name, wherever they are."""
    if depth > DEEPEST:
        return []
    if isinstance(error, list):
        return [name for item in error[:3] for name in _params(item, depth + 1)]
    if not isinstance(error, dict):
        return []
    param = error.get("param")
    inside = [name for item in error.values() for name in _params(item, depth + 1)]
    return [*([param] if isinstance(param, str) else []), *inside]
