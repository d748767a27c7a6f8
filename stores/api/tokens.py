"""Bearer tokens: verified against the database once, and then from memory for some seconds."""

import hashlib
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from knox.auth import TokenAuthentication
from knox.models import get_token_model
from rest_framework.exceptions import AuthenticationFailed

from stores.api.throttles import TOKENS
from stores.background.batches import BatchWriter

CACHE_SECONDS = 30.0
"""For how long a token that another process revoked may still work."""

USE_INTERVAL = timedelta(seconds=10)
"""How exactly a token's last use is kept."""

MAX_CACHED = 1_000
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class InvalidToken(Exception):
    """No token that is valid now."""


class TooManyFailures(Exception):
    """The client's address showed too many invalid tokens; `seconds` is how long it has to wait."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"wait {seconds} s")
        self.seconds = seconds


@dataclass
class _Known:
    token: Any
    until: float


class TokenCache:
    """Tokens that were found valid, by a digest of theirs. One that is older than `CACHE_SECONDS` is only known."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._lock = threading.Lock()
        self.generation = 0
        """Rises with each revocation: what was looked up before one must not be kept after it."""

    def get(self, digest: bytes) -> tuple[Any, bool]:
        """Return the token if it may be used without asking the database, and whether it was ever found valid."""
        known = self._known.get(digest)
        if known is None:
            return None, False
        return (known.token if known.until > time.monotonic() else None), True

    def keep(self, digest: bytes, token: Any, generation: int) -> None:
        """Keep a token that was looked up when the cache had that generation."""
        with self._lock:
            if generation != self.generation:
                return
            self._known[digest] = _Known(token, time.monotonic() + CACHE_SECONDS)
            self._known.move_to_end(digest)
            if len(self._known) > MAX_CACHED:
                self._known.popitem(last=False)

    def drop(self, digest: bytes) -> None:
        """Forget one token."""
        with self._lock:
            self._known.pop(digest, None)

    def clear(self) -> None:
        """Forget all tokens: the next request of each asks the database."""
        with self._lock:
            self.generation += 1
            self._known.clear()


CACHE = TokenCache()


def verify_token(text: str, address: str) -> Any:
    """Return the row of a token that is valid now, its user with it, and note its use.

    Raises `InvalidToken`, and `TooManyFailures` where the address showed too many of those. A token that was valid
    before is looked up even then: a program that fails must not lock out another one on the same machine.
    """
    digest = hashlib.sha256(text.encode()).digest()
    token, is_known = CACHE.get(digest)
    if token is None:
        seconds = 0 if is_known else TOKENS.attempt(address)
        if seconds:
            raise TooManyFailures(seconds)
        generation = CACHE.generation
        try:
            token = _find_token(text)
        except InvalidToken:
            CACHE.drop(digest)
            raise
        if not is_known:
            TOKENS.succeed(address)
        CACHE.keep(digest, token, generation)
    now = timezone.now()
    if token.expiry is not None and token.expiry <= now:
        CACHE.drop(digest)
        raise InvalidToken
    if token.last_used_at is None or now - token.last_used_at >= USE_INTERVAL:
        token.last_used_at = now
        USES.add((token.pk, now))
    return token


def may_call(token: Any, method: str | None) -> bool:
    """Tell whether the token allows the HTTP method: a read-only one those that only read (RFC 9110, 9.2.1)."""
    return not token.is_read_only or method in SAFE_METHODS


class _Lookup(TokenAuthentication):
    """knox's way to find a token by its digest."""

    def _cleanup_token(self, auth_token: Any) -> bool:
        # knox would delete expired tokens here; to look something up is no occasion to write.
        return bool(auth_token.expiry is not None and auth_token.expiry <= timezone.now())


def _find_token(text: str) -> Any:
    # A token is hexadecimal digits; no other bytes may reach the decoding.
    if not (text.isascii() and text.isalnum()):
        raise InvalidToken
    try:
        return _Lookup().authenticate_credentials(text.encode("ascii"))[1]
    except AuthenticationFailed as error:
        raise InvalidToken from error


def _write_uses(uses: list[tuple[int, datetime]]) -> None:
    last: dict[int, datetime] = {}
    for pk, at in uses:
        last[pk] = max(at, last.get(pk, at))
    for pk, at in last.items():
        get_token_model().objects.filter(pk=pk).update(last_used_at=at)


USES: BatchWriter[tuple[int, datetime]] = BatchWriter("uses of tokens", _write_uses, capacity=10_000)
