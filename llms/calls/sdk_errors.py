"""What OpenAI's client raises before an answer begins, as a `CallFailed`: the provider's refusal, or the connection."""

from email.utils import parsedate_to_datetime
from typing import Any

from llms.calls.client import LedElsewhere
from llms.calls.connections import failure_of_connection, needs_tls, says_it_needs_tls
from llms.calls.events import CallFailed
from llms.calls.failures import describe_error, told_by
from llms.vendors.endpoint import Endpoint
from stores.records.clock import now_ms
from stores.records.jsontext import UndecodableJSON, decode

MAX_ERROR = 64 * 1024


def errors_of_calls() -> tuple[type[Exception], ...]:
    """Return what is raised before an answer begins: some of it comes past the SDK, as the HTTP library raised it."""
    import aiohttp
    import httpx2
    import openai

    return openai.APIError, httpx2.HTTPError, aiohttp.ClientError, OSError, UnicodeError, LedElsewhere, CallFailed


async def failure_of(endpoint: Endpoint, error: Exception) -> CallFailed:
    """Convert what OpenAI's client raised before the answer began to a `CallFailed`."""
    import openai

    if isinstance(error, openai.APIStatusError):
        body = await error_body(error)
        if says_it_needs_tls(error.status_code, told_by(body)):
            return needs_tls(endpoint)
        return describe_error(error.status_code, body, _retry_after(error), key=endpoint.key)
    if isinstance(error, CallFailed):
        return error
    if isinstance(error, LedElsewhere):
        return CallFailed(
            f"{endpoint.host} has moved: it redirects to {error.address}. Nothing was sent there: the key and the chat "
            "are for the host of the service alone. If you trust that address, enter it as the host.",
            "redirected",
        )
    return await failure_of_connection(endpoint, error)


async def error_body(error: Any) -> Any:
    """Return the body of a provider's refusal: decoded JSON, or text."""
    if isinstance(error.body, dict | list | str) and error.body:
        return error.body
    try:
        content = (await error.response.aread())[:MAX_ERROR]
    except Exception:
        # What an error says is only shown; that it cannot be read changes nothing.
        return ""
    text = content.decode("utf-8", "replace")
    try:
        return decode(text)
    except UndecodableJSON:
        return text


def _retry_after(error: Any) -> float | None:
    """Return the seconds of Retry-After, which can be a date (RFC 9110, section 10.2.3)."""
    given = error.response.headers.get("retry-after", "")
    try:
        seconds = float(given)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(given).timestamp() - now_ms() / 1000
        except (ValueError, OverflowError):
            return None
    return seconds if 0 < seconds < 86_400 else None
