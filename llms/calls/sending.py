"""Sends a request to a provider, and once more without each optional parameter that it refuses.

A request that was refused before an answer began cost nothing; any other is never sent twice."""

import asyncio
from typing import Any, Protocol

from django.conf import settings

from llms.calls.body import build_body
from llms.calls.client import key_headers, open_client
from llms.calls.events import Request
from llms.calls.refusals import find_refused
from llms.calls.sdk_errors import error_body, errors_of_calls, failure_of
from llms.vendors.endpoint import Endpoint


class Refusals(Protocol):
    """What a service refused before."""

    def current(self) -> frozenset[str]:
        """Return the parameters that are left out from the start."""
        ...

    async def remember(self, parameters: frozenset[str]) -> None:
        """Note parameters without which the service answered. Raises nothing."""
        ...


async def send(endpoint: Endpoint, request: Request, refusals: Refusals | None = None) -> Any:
    """Return the raw response of the SDK, whose body has not begun. Raises `CallFailed`."""
    known = refusals.current() if refusals else frozenset()
    refused = set(known)
    try:
        while True:
            body = build_body(endpoint.vendor, request, refused)
            try:
                response = await _post(endpoint, body)
                break
            except Exception as error:
                found = await _refused_in(error, body)
                # Each is left out once: what is refused then is refused for another reason.
                if found is None or found in refused:
                    raise
                refused.add(found)
    except errors_of_calls() as error:
        raise await failure_of(endpoint, error) from None
    try:
        if refusals and refused > known:
            await refusals.remember(frozenset(refused - known))
    except BaseException:
        await response.close()
        raise
    return response


async def _post(endpoint: Endpoint, body: dict[str, Any]) -> Any:
    import httpx2
    import openai

    # The provider may charge for a request even without an answer: it is never sent twice.
    client = open_client(endpoint, retries=0)
    # Timeouts are applied here: the library has the same one for the first byte and all later ones.
    options: Any = {
        "timeout": httpx2.Timeout(None, connect=settings.CONNECT_SECONDS),
        "headers": key_headers(endpoint) | {"X-Stainless-Raw-Response": "stream"},
    }
    async with asyncio.timeout(settings.FIRST_BYTE_SECONDS):
        # Not by the typed method, which walks through all messages once more to rename what needs no new name.
        return await client.post(
            endpoint.url("chat/completions"),
            cast_to=object,
            body=body,
            options=options,
            stream=True,
            stream_cls=openai.AsyncStream[object],
        )


async def _refused_in(error: Exception, sent: dict[str, Any]) -> str | None:
    import openai

    if not isinstance(error, openai.APIStatusError) or error.status_code not in (400, 422):
        return None
    return find_refused(error.status_code, await error_body(error), sent)
