"""Error messages for failed calls, which say what to do. Pure."""

import re
from typing import Any

from llms.calls.events import CallFailed

LONGEST = 300
"""Characters of a provider's own message that are shown."""

_KEYS = re.compile(r"(?:sk-|AIza|AKIA|Bearer\s+)[A-Za-z0-9_\-.*]{6,}")
_CONTEXT = re.compile(r"context[_ ](?:length|window)|maximum context|too many tokens|prompt is too long", re.IGNORECASE)
_CREDIT = re.compile(r"insufficient[_ ]quota|credit|billing|payment", re.IGNORECASE)

_BY_STATUS = {
    400: "The provider rejected the request.",
    401: "The API key is not valid. Correct it in the service, and try again.",
    402: "The account has no credit left. Add credit at the provider, and try again.",
    403: "The API key has no access to this model. Choose another model, or another key.",
    404: "The provider does not know this model or address. Refresh the service's models, or choose another one.",
    408: "The provider timed out. Try again.",
    413: "The request is too large for the provider. Shorten the chat, or choose another model.",
    422: "The provider rejected the request.",
    429: "The provider's rate limit was reached. Wait a little, and try again.",
}


def describe_error(status: int, body: Any, retry_after: float | None = None) -> CallFailed:
    """Return the failure of an answer with this status and body (decoded JSON, or text)."""
    told = told_by(body)
    kind = "provider"
    if _CONTEXT.search(told):
        message, kind = (
            "The chat is too long for this model. Choose a model with a larger context, or branch earlier in the chat.",
            "too-long",
        )
    elif status == 402 or (status == 429 and _CREDIT.search(told)):
        message, kind = _BY_STATUS[402], "no-credit"
    elif status in _BY_STATUS:
        message = _BY_STATUS[status]
        kind = {401: "wrong-key", 403: "wrong-key", 404: "model-gone", 429: "rate-limited"}.get(status, kind)
    elif status >= 500:
        message = "The provider has an internal error. Try again later, or choose another model."
    else:
        message = "The provider stopped with an error."
    if retry_after:
        message += f" Wait {retry_after:.0f} s first."
    return CallFailed(f"{message} It said: {told}" if told else message, kind, status, retry_after)


def told_by(body: Any) -> str:
    """Return the provider's own message, short, on one line, and without keys."""
    text = ""
    if isinstance(body, dict):
        inner = body.get("error", body)
        if isinstance(inner, dict):
            message = inner.get("message") or inner.get("detail") or inner.get("code") or inner.get("type")
            text = message if isinstance(message, str) else ""
        elif isinstance(inner, str):
            text = inner
        if not text and isinstance(body.get("message"), str):
            text = body["message"]
    elif isinstance(body, str):
        title = re.search(r"<title>([^<]{1,200})</title>", body, re.IGNORECASE)
        text = title[1] if title else "" if "<" in body else body
    text = _KEYS.sub("(key)", " ".join(text.split()))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
