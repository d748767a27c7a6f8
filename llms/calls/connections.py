"""Words for a connection to a provider that failed before an answer began: what happened, and what to correct."""

import asyncio
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from llms.calls.client import is_proxied
from llms.calls.events import CallFailed
from llms.vendors.endpoint import Endpoint

PROXY, TLS, UNREACHABLE, TIMEOUT, DROPPED, MALFORMED = "proxy", "tls", "unreachable", "timeout", "dropped", "malformed"
"""Entries in Troubleshooting."""

PROBE_SECONDS = 2
_PLAIN_TO_TLS = re.compile(r"HTTP request (?:was sent )?to (?:an )?HTTPS|plain HTTP to an SSL", re.IGNORECASE)
"""What nginx, Go and Apache say to a plain request on a port for TLS."""
_NOT_TLS = re.compile(r"WRONG_VERSION_NUMBER|RECORD_LAYER|UNEXPECTED_EOF|PACKET_LENGTH|HTTP_REQUEST|UNKNOWN_PROTOCOL")
_WRONG_NAME, _WRONG_TIME = 62, (9, 10)
"""OpenSSL's codes of a certificate for another host, and of one that is not yet or no longer valid."""


async def failure_of_connection(endpoint: Endpoint, error: BaseException) -> CallFailed:
    """Return what went wrong, by the exceptions that led to this one: the SDK takes most of them for a timeout."""
    chain = list(_chain(error))
    for kind, describe in _rules():
        # The last one is the cause, and knows most.
        if cause := next((each for each in reversed(chain) if isinstance(each, kind)), None):
            failure = describe(endpoint.host, cause)
            is_tls = failure.kind in (DROPPED, MALFORMED) and await expects_tls(endpoint)
            return needs_tls(endpoint) if is_tls else failure
    return CallFailed("The provider sent an invalid response. Try again.", MALFORMED)


def _rules() -> Iterator[tuple[type[BaseException], Callable[[str, Any], CallFailed]]]:
    """Yield exceptions with what describes them, the most telling ones first."""
    import aiohttp
    import httpx2
    import openai
    from aiohttp.http_exceptions import BadStatusLine

    yield httpx2.TooManyRedirects, _led_in_a_circle
    yield aiohttp.ClientHttpProxyError, _proxy_failed
    yield aiohttp.ClientProxyConnectionError, _proxy_failed
    yield ssl.SSLCertVerificationError, _untrusted
    yield ssl.SSLError, _no_tls
    yield socket.gaierror, _unknown_host
    yield ConnectionRefusedError, _nobody_listens
    yield aiohttp.ServerTimeoutError, _not_accepted
    yield aiohttp.ClientConnectorError, _no_connection
    yield aiohttp.ClientPayloadError, _dropped
    yield aiohttp.InvalidURL, _no_address
    yield UnicodeError, _no_address
    yield aiohttp.ClientConnectionError, _dropped
    yield BadStatusLine, _no_http
    yield openai.APITimeoutError, _silent
    yield TimeoutError, _silent
    yield openai.APIConnectionError, _no_connection


def needs_tls(endpoint: Endpoint) -> CallFailed:
    """Return the failure of a plain call to a port for TLS."""
    words = f"{endpoint.host} expects TLS on this port. Enter the host of the service with https:// instead of http://"
    return CallFailed(words, TLS)


def says_it_needs_tls(status: int, words: str) -> bool:
    """Tell whether a server's refusal says that the port is for TLS."""
    return status == 400 and _PLAIN_TO_TLS.search(words) is not None


async def expects_tls(endpoint: Endpoint) -> bool:
    """Tell whether a port that took no plain request is for TLS, by a handshake: nothing else is sent."""
    parts = urlsplit(endpoint.base_url)
    if parts.scheme != "http" or is_proxied(endpoint.base_url):
        return False
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port or 80, ssl=context)
    except (OSError, ValueError):
        return False
    writer.close()
    return True


def _led_in_a_circle(host: str, cause: Any) -> CallFailed:
    return CallFailed(f"{host} redirects in a circle. Check the host of the service.", "redirected")


def _proxy_failed(host: str, cause: Any) -> CallFailed:
    status = getattr(cause, "status", None)
    reason = f"it answered {status} {cause.message}"[:200] if status else "it cannot be reached"
    return CallFailed(
        f"The proxy of this machine did not lead to {host}: {reason}. Correct HTTPS_PROXY, HTTP_PROXY or ALL_PROXY, or "
        "name the host in NO_PROXY, and restart the server.",
        PROXY,
    )


def _untrusted(host: str, cause: ssl.SSLCertVerificationError) -> CallFailed:
    if cause.verify_code == _WRONG_NAME:
        remedy = "Enter the host of the service by the name that its certificate has."
    elif cause.verify_code in _WRONG_TIME:
        remedy = "Its owner must renew it; if it is still valid, correct the clock of this machine."
    else:
        remedy = "If an authority of your own signed it, name its certificate in SSL_CERT_FILE and restart the server."
    reason = cause.verify_message or cause.reason
    return CallFailed(f"The certificate of {host} is not trusted ({reason}). Nothing was sent. {remedy}", TLS)


def _no_tls(host: str, cause: ssl.SSLError) -> CallFailed:
    if _NOT_TLS.search(f"{cause.reason} {cause}"):
        words = (
            f"{host} does not speak TLS on this port. If it is a server of your own without a certificate, enter the "
            "host of the service with http:// in front."
        )
    else:
        reason = (cause.reason or "unknown reason").replace("_", " ").lower()
        words = f"No TLS connection to {host}: {reason}. Check the host of the service, and how it is set up for TLS."
    return CallFailed(words, TLS)


def _unknown_host(host: str, cause: Any) -> CallFailed:
    words = "there is no host of this name, or this machine is offline. Check the host of the service."
    return CallFailed(f"Cannot reach {host}: {words}", UNREACHABLE)


def _nobody_listens(host: str, cause: Any) -> CallFailed:
    words = "nothing listens on this port. Check that it is running, and the port in the host of the service."
    return CallFailed(f"Cannot reach {host}: {words}", UNREACHABLE)


def _not_accepted(host: str, cause: Any) -> CallFailed:
    return CallFailed(
        f"{host} did not accept the connection within {settings.CONNECT_SECONDS:g} s. Check that it is running and "
        "that no firewall is in between, then try again.",
        TIMEOUT,
    )


def _no_connection(host: str, cause: Any) -> CallFailed:
    reason = getattr(cause, "strerror", None) or "no connection"
    words = f"{reason}. Check that it is running and that this machine is online, then try again."
    return CallFailed(f"Cannot reach {host}: {words}", UNREACHABLE)


def _no_address(host: str, cause: Any) -> CallFailed:
    return CallFailed(f"{host} is no valid address. Correct the host of the service.", UNREACHABLE)


def _dropped(host: str, cause: Any) -> CallFailed:
    return CallFailed("The provider closed the connection before responding. Try again.", DROPPED)


def _no_http(host: str, cause: Any) -> CallFailed:
    return CallFailed(f"{host} does not speak HTTP on this port. Check the host of the service.", MALFORMED)


def _silent(host: str, cause: Any) -> CallFailed:
    words = f"The provider did not respond in time: {host} took the request and sent nothing. Try again."
    return CallFailed(words, TIMEOUT)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the exception and what it came from."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
