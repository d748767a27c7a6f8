"""Error messages for failed calls, which say what to do. Pure."""

import re
from contextlib import suppress
from html import unescape
from typing import Any

from llms.calls.events import CallFailed
from stores.records.jsontext import UndecodableJSON, decode

DEEPEST = 8
"""Levels of an error's body that are looked through."""
SHORTEST_KEY = 8
"""Characters of a key that is sought in a message: a shorter one, such as `none`, can be a word."""
LONGEST = 300
"""Characters of a provider's own message that are shown."""

_KEYS = re.compile(r"(?:sk-|AIza|AKIA|Bearer\s+)[A-Za-z0-9_\-.*]{6,}")
_CONTEXT = re.compile(
    r"context[_ ](?:length|window|size)|maximum context|too many tokens|prompt is too long|maximum prompt length|"
    r"input token count|model token limit|reduce the length of the messages|range of input length",
    re.IGNORECASE,
)
"""Words for a chat that is too long: OpenAI and most others, llama.cpp, Cohere, Anthropic, xAI, Gemini, Moonshot, Groq,
Alibaba."""
_CREDIT = re.compile(r"insufficient[_ ](?:quota|balance)|credit|billing|payment", re.IGNORECASE)
_RATE = re.compile(r"rate[-_ ]limit|retry in \d", re.IGNORECASE)
"""Gemini speaks of billing in each refusal for a limit, and names that of the rate; OpenAI does not."""
_BAD_KEY = re.compile(r"(?:invalid|incorrect) api[_ ]key|api[_ ]key (?:is )?(?:not valid|invalid)", re.IGNORECASE)

_MESSAGES = (
    *("error", "errors", "message", "Message", "detail", "msg", "error_description", "base_resp", "status_msg"),
)
"""Members with the words of an error, or that hold it: OpenAI, Gemini, Mistral and FastAPI (`detail`, `msg`), OAuth,
MiniMax (`base_resp`), AWS (`Message`)."""
_NAMES = ("code", "type", "status")

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


def describe_error(status: int, body: Any, retry_after: float | None = None, *, key: str = "") -> CallFailed:
    """Return the failure of an answer with this status and body (decoded JSON, or text), without the `key`, which some
    providers repeat."""
    words = told_by(body, key)
    kind = "provider"
    # AWS says "too many tokens" of those of a minute.
    if status != 429 and _CONTEXT.search(words):
        message, kind = (
            "The chat is too long for this model. Choose a model with a larger context, or branch earlier in the chat.",
            "too-long",
        )
    elif status == 402 or (status in (0, 429) and _CREDIT.search(words) and not _RATE.search(words)):
        message, kind = _BY_STATUS[402], "no-credit"
    elif status == 400 and _BAD_KEY.search(words):
        # Gemini's status for it.
        message, kind = _BY_STATUS[401], "wrong-key"
    elif status in _BY_STATUS:
        message = _BY_STATUS[status]
        kind = {401: "wrong-key", 403: "wrong-key", 404: "model-gone", 429: "rate-limited"}.get(status, kind)
    elif status >= 500:
        message = "The provider has an internal error. Try again later, or choose another model."
    else:
        message = "The provider stopped with an error."
    if retry_after:
        message += f" Wait {retry_after:.0f} s first."
    return CallFailed(f"{message} It said: {words}" if words else message, kind, status, retry_after)


def told_by(body: Any, key: str = "") -> str:
    """Return the provider's own message, short, on one line, and without keys; of an error, of a list of them, or of
    the page or the text in its place."""
    text = _title_of(body) if isinstance(body, str) and "<" in body else _words(body)
    if len(key) >= SHORTEST_KEY:
        text = text.replace(key, "(key)")
    text = _KEYS.sub("(key)", " ".join(text.split()))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def status_in(error: Any) -> int:
    """Return the HTTP status that an error has as its code, as OpenRouter's and Gemini's; 0 where it has none."""
    code = error.get("code") if isinstance(error, dict) else None
    if isinstance(code, str) and code.isdecimal():
        code = int(code[:4])
    return code if isinstance(code, int) and 400 <= code < 600 else 0


def _words(body: Any, depth: int = 0) -> str:
    if depth > DEEPEST:
        return ""
    if isinstance(body, list):
        return "; ".join(filter(None, (_words(item, depth + 1) for item in body[:3])))
    if isinstance(body, dict):
        return _words_in(body, depth + 1)
    if not isinstance(body, str):
        return ""
    if body.lstrip()[:1] in ("{", "["):
        # OpenRouter passes on what the upstream sent as text.
        with suppress(UndecodableJSON):
            return _words(decode(body), depth + 1) or body
    return body


def _title_of(page: str) -> str:
    title = re.search(r"<title[^>]*>([^<]{1,200})</title>", page, re.IGNORECASE)
    return unescape(title[1]) if title else ""


def _words_in(error: dict[str, Any], depth: int) -> str:
    """Return the message of an error: what holds it, what says it, and only then its code or type."""
    if "loc" in error and isinstance(error.get("msg"), str):
        place = error["loc"] if isinstance(error["loc"], list) else [error["loc"]]
        return f"{'.'.join(map(str, place))}: {error['msg']}"
    said = next((words for name in _MESSAGES if (words := _words(error.get(name), depth))), "")
    raw = error["metadata"].get("raw") if isinstance(error.get("metadata"), dict) else None
    said = f"{said}: {raw_words}" if (raw_words := _words(raw, depth)) and raw_words not in said else said
    return said or next((error[name] for name in _NAMES if isinstance(error.get(name), str)), "")
