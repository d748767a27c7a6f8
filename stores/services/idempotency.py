"""Idempotency-Key: a POST that is sent twice is carried out once.

A request first claims its key in a transaction of its own. Its writes and its response are stored together in another.
A crash in between leaves neither, and the next request with the key takes over the claim of a process that is gone, or
whose lease has ended (`stores.background.leases`). This module does not depend on a framework;
`stores.api.idempotent_views` applies it to DRF's views.
"""

import os
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Any

import structlog
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from stores.background import processes
from stores.background.batches import is_serving
from stores.background.leases import is_over, next_end
from stores.models import IdempotencyKey
from stores.records.errors import Conflict, Invalid, KeyReused
from stores.records.sealing import Sealer
from stores.records.secrets import mask, show_text

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
MAX_LENGTH = 255
KEPT = timedelta(hours=24)
KEPT_HEADERS = ("Content-Type", "ETag", "Location", "Bigagi-Change")

# After these statuses the same request may be sent again and get another response.
_PASSING = frozenset({401, 403, 409, 412, 429})

RENEW_SECONDS = 3.0
"""How long a request may run before its lease is renewed, again and again: few take so long."""

logger = structlog.get_logger("api")

_running: dict[str, float] = {}
"""When this process's active claims began. Others were left by requests that ended unexpectedly."""
_running_lock = threading.Lock()
_renewer: threading.Thread | None = None


@dataclass(frozen=True)
class StoredAnswer:
    """An answer as it was sent."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Claim:
    """A key that this request has claimed. As a context manager it ends the claim, with or without a response."""

    pk: int
    owner: str

    def __enter__(self) -> "Claim":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _forget(self.owner)


class LostClaim(Conflict):
    """Another request took over this claim: the work done under it must not be committed."""

    def __init__(self) -> None:
        super().__init__(
            "This request was not carried out: nobody answered for it for a while, and another one with its key took "
            "its place. Send it again to get that one's answer.",
            "in-flight",
        )


def is_final(status: int) -> bool:
    """Tell whether a response with this status is repeated; any other status releases the key."""
    return 200 <= status < 300 or (400 <= status < 500 and status not in _PASSING)


def digest_request(method: str, path: str, body: str) -> str:
    """Return the keyed digest by which a request is known again: a body may hold secrets, and a plain digest of a weak
    one can be guessed. The path has its query."""
    return salted_hmac("stores.services.idempotency", "\n".join((method, path, body)), algorithm="sha256").hexdigest()


def claim_key(user_id: Any, key: str, digest: str) -> Claim | StoredAnswer:
    """Return a claim of the key, or the answer that was given under it.

    Raises `Invalid` for a text that is no key, `KeyReused` where it belongs to another request, and `Conflict` while
    its first request runs. Call it outside of any transaction.
    """
    _check(key)
    kept = IdempotencyKey.objects.filter(user_id=user_id, key=key, created_at__gte=timezone.now() - KEPT)
    # Usually a repeated request finds its response without waiting for the write lock.
    if (row := kept.first()) is not None and (answer := _answer_in(row, digest)) is not None:
        return answer
    owner = f"{processes.name_of(os.getpid())} {uuid.uuid4().hex}"
    with _running_lock:
        _running[owner] = time.monotonic()
        _start_renewer()
    try:
        held = _claim(user_id, key, digest, owner)
    except BaseException:
        _forget(owner)
        raise
    if isinstance(held, StoredAnswer):
        _forget(owner)
    return held


def _claim(user_id: Any, key: str, digest: str, owner: str) -> Claim | StoredAnswer:
    try:
        with transaction.atomic():
            IdempotencyKey.objects.filter(created_at__lt=timezone.now() - KEPT).delete()
            row, is_new = IdempotencyKey.objects.get_or_create(
                user_id=user_id, key=key, defaults={"digest": digest, "owner": owner, "lease_until": next_end()}
            )
            if is_new:
                return Claim(row.pk, owner)
            if (answer := _answer_in(row, digest)) is not None:
                return answer
            theirs = IdempotencyKey.objects.filter(pk=row.pk, owner=row.owner, status=None)
            if not theirs.update(owner=owner, lease_until=next_end()):
                raise _in_flight()
            return Claim(row.pk, owner)
    except IntegrityError as error:
        # On PostgreSQL another request had it, and released it before it could be read.
        raise _in_flight() from error


def keep_answer(claim: Claim, answer: StoredAnswer) -> None:
    """Store the response; call this in the transaction of its writes. Raises `LostClaim`, which must roll them back."""
    sealer = Sealer()
    # A response is masked, but may repeat a secret that the client sent in an unexpected place, such as an id.
    body = sealer.seal_text(answer.body.decode("utf-8", "surrogateescape"))
    sealer.save()
    own = IdempotencyKey.objects.filter(pk=claim.pk, owner=claim.owner, status=None)
    if not own.update(status=answer.status, headers=dict(answer.headers), body=body):
        raise LostClaim


def release(claim: Claim) -> None:
    """Release the key: it can be used again, for the same request or another."""
    IdempotencyKey.objects.filter(pk=claim.pk, owner=claim.owner, status=None).delete()


def _check(key: str) -> None:
    if not 0 < len(key) <= MAX_LENGTH or not key.isascii() or not key.isprintable():
        raise Invalid(f"{HEADER} must be 1 to {MAX_LENGTH} printable ASCII characters.")


def _answer_in(row: IdempotencyKey, digest: str) -> StoredAnswer | None:
    """Return the row's response; None if it has none and no request is working on it."""
    if row.digest != digest:
        raise KeyReused(f"This {HEADER} was already used for a different request. Use a new one for each request.")
    if row.status is None:
        if is_running(row.owner, row.lease_until):
            raise _in_flight()
        return None
    text = show_text(row.body or "", mask)
    return StoredAnswer(row.status, row.headers, text.encode("utf-8", "surrogateescape"))


def _in_flight() -> Conflict:
    return Conflict("The first request with this key is still running. Try again shortly.", "in-flight")


def _forget(owner: str) -> None:
    with _running_lock:
        _running.pop(owner, None)


# --- who runs a request ----------------------------------------------------------------------------------------------


def is_running(owner: str, lease_until: int) -> bool:
    """Tell whether the request that claimed a key as this owner is still under way."""
    process, _, _ = owner.rpartition(" ")
    if process == processes.name_of(os.getpid()):
        with _running_lock:
            return owner in _running
    return not is_over(process, lease_until)


def _start_renewer() -> None:
    global _renewer
    if is_serving() and (_renewer is None or not _renewer.is_alive()):
        _renewer = threading.Thread(target=_renew, name="claims-lease", daemon=True)
        _renewer.start()


def _renew() -> None:
    while True:
        time.sleep(RENEW_SECONDS)
        try:
            renew_leases()
        except DatabaseError as error:
            logger.warning("the leases of idempotency keys could not be renewed", reason=str(error))
        finally:
            connection.close()


def renew_leases() -> None:
    """Renew the leases of this process's claims that have lasted a while."""
    began_before = time.monotonic() - RENEW_SECONDS
    with _running_lock:
        owners = [owner for owner, began in _running.items() if began <= began_before]
    if owners:
        IdempotencyKey.objects.filter(owner__in=owners, status=None).update(lease_until=next_end())
