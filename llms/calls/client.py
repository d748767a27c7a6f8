"""OpenAI's client for an endpoint: calls its scheme, host and port alone, and sends only what is meant for them."""

import asyncio
import os
import weakref
from functools import cache
from typing import TYPE_CHECKING, Any

from django.conf import settings

from llms.calls.events import CallFailed
from llms.vendors.endpoint import Endpoint

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI

RETRIES = 1
_NEAR = ("all://localhost", "all://*.localhost", "all://127.0.0.0/8", "all://0.0.0.0", "all://[::1]")
"""Addresses of this machine, to which no proxy of the environment leads."""

# By the loop itself: another loop can get the number of one that is gone.
_clients: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Any]" = weakref.WeakKeyDictionary()


class LedElsewhere(Exception):
    """The provider answered that the request should be sent to another scheme, host or port: `address`."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address


def open_client(endpoint: Endpoint, *, retries: int = RETRIES) -> "AsyncOpenAI":
    """Return OpenAI's client for the endpoint, on the HTTP client that all calls share. Raises `CallFailed`."""
    import httpx2
    from openai import AsyncOpenAI

    timeout = httpx2.Timeout(settings.STALL_SECONDS, connect=settings.CONNECT_SECONDS, read=settings.STALL_SECONDS)
    client = AsyncOpenAI(
        base_url=endpoint.base_url,
        api_key=endpoint.key or "none",
        http_client=_shared_http(),
        timeout=timeout,
        max_retries=retries,
        default_headers=dict(endpoint.headers),
    )
    # A new client would ask for it once more, in a thread, before its call.
    client._platform = _find_platform()
    if not endpoint.is_environments:
        # The SDK sends OPENAI_ORG_ID, OPENAI_PROJECT_ID and OPENAI_CUSTOM_HEADERS, which can hold a key, to any host.
        client.organization = client.project = None
        client._custom_headers = dict(endpoint.headers)
    return client


@cache
def _find_platform() -> Any:
    from openai._base_client import get_platform

    return get_platform()


def key_headers(endpoint: Endpoint) -> dict[str, Any]:
    """Return the headers of each request that send the key, where it is not a bearer's."""
    from openai import Omit

    return {"Authorization": Omit(), endpoint.key_header: endpoint.key} if endpoint.key_header else {}


async def close_http() -> None:
    """Close the HTTP client of this event loop; for loops that live for one call alone."""
    client = _clients.pop(asyncio.get_running_loop(), None)
    if client is not None:
        await client.aclose()


def _shared_http() -> Any:
    """Return the HTTP client of this event loop: one session, without a limit of connections. Raises `CallFailed`.

    It reads the certificates that are trusted from SSL_CERT_FILE or SSL_CERT_DIR, and proxies from HTTPS_PROXY,
    HTTP_PROXY, ALL_PROXY and NO_PROXY, in upper or lower case."""
    import httpx2
    from openai import DefaultAioHttpClient

    loop = asyncio.get_running_loop()
    if loop not in _clients:
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=100)
        hooks = {"response": [_stay_here]}
        try:
            _clients[loop] = DefaultAioHttpClient(limits=limits, event_hooks=hooks, mounts=dict.fromkeys(_NEAR))
        except OSError as error:
            names = [name for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(name)]
            raise CallFailed(
                f"The trusted certificates cannot be read ({error.strerror or error}). Correct {' or '.join(names)} "
                "and restart the server.",
                "tls",
            ) from None
        except ValueError as error:
            raise CallFailed(
                f"The proxy of the environment cannot be used: {error}. Correct HTTPS_PROXY, HTTP_PROXY or ALL_PROXY "
                "and restart the server.",
                "proxy",
            ) from None
    return _clients[loop]


def is_proxied(url: str) -> bool:
    """Tell whether a proxy of the environment leads to this address. Call it in the event loop of a call."""
    import httpx2

    client = _shared_http()
    return client._transport_for_url(httpx2.URL(url)) is not client._transport


async def _stay_here(response: "httpx2.Response") -> None:
    """Raise `LedElsewhere` for a redirection to another scheme, host or port: the library would send the chat there,
    and a key that is in another header than `Authorization`.

    What is sent again on the same host is sent whole: for 301 and 302 the library would make a GET of it."""
    if not response.has_redirect_location:
        return
    here = response.request.url
    there = here.join(response.headers["Location"])
    if (there.scheme, there.host, there.port) != (here.scheme, here.host, here.port):
        raise LedElsewhere(f"{there.scheme}://{there.netloc.decode('ascii')}"[:200])
    response.status_code = {301: 308, 302: 307}.get(response.status_code, response.status_code)
