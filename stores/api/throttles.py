"""Limits failed attempts per client address, of which DRF's throttles, that count all requests, know nothing. Kept in
memory, with a bounded size."""

import ipaddress
import math
import threading
import time
from collections import OrderedDict, deque

from django.conf import settings
from django.http import HttpRequest

MAX_ADDRESSES = 10_000
"""Addresses that a throttle remembers; beyond that, the least recently active one is dropped."""


class FailureThrottle:
    """Allows each address `limit` failures within `seconds`.

    An attempt counts as a failure until it is reported successful, so parallel attempts gain nothing.
    """

    def __init__(self, limit: int, seconds: float) -> None:
        self._limit = limit
        self._seconds = seconds
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def attempt(self, address: str) -> int:
        """Return how many seconds the address has to wait. 0 means it may try; a failure is then counted."""
        if not settings.THROTTLE_FAILURES:
            return 0
        now = time.monotonic()
        with self._lock:
            failures = self._failures.setdefault(address, deque())
            self._failures.move_to_end(address)
            while failures and failures[0] <= now - self._seconds:
                failures.popleft()
            if len(failures) >= self._limit:
                return math.ceil(failures[0] + self._seconds - now)
            failures.append(now)
            if len(self._failures) > MAX_ADDRESSES:
                self._failures.popitem(last=False)
        return 0

    def succeed(self, address: str) -> None:
        """Take the address's last attempt back: it was no failure."""
        with self._lock:
            if failures := self._failures.get(address):
                failures.pop()
            if not failures:
                self._failures.pop(address, None)

    def clear(self) -> None:
        """Forget all failures."""
        with self._lock:
            self._failures.clear()


def address_of(request: HttpRequest) -> str:
    """Return the address by which a client is counted: of IPv6 the network of 64 bits, of which one client has all.

    It is the one that the server told; behind a proxy uvicorn takes it from X-Forwarded-For (FORWARDED_ALLOW_IPS).
    """
    text = str(request.META.get("REMOTE_ADDR", ""))
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return text[:64]
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    mapped = address.ipv4_mapped
    return str(mapped) if mapped else str(ipaddress.ip_network((address, 64), strict=False))


PASSWORDS = FailureThrottle(10, 300)
LINKS = FailureThrottle(10, 300)
TOKENS = FailureThrottle(30, 60)
"""A client that lost its token asks again and again, so that this one allows more, for a shorter time."""
