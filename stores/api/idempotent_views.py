"""Idempotency-Key for DRF's views: the handler of a POST runs once for each key."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import structlog
from django.db import DatabaseError, transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from stores.services.idempotency import (
    KEPT_HEADERS,
    REPLAYED,
    Claim,
    LostClaim,
    StoredAnswer,
    is_final,
    keep_answer,
    release,
)

if TYPE_CHECKING:
    from stores.api.viewsets import WritingViewSet

Handler = Callable[..., Any]

logger = structlog.get_logger("api")


def answer_once(view: "WritingViewSet", handler: Handler) -> Handler:
    """Wrap the handler of a POST so that it runs once per key, and returns its first response afterwards."""

    def handle(request: Request, *args: Any, **kwargs: Any) -> Any:
        # A malformed body is refused here, before the key is claimed.
        held = view.claim_key()
        if isinstance(held, StoredAnswer):
            return HttpResponse(held.body, status=held.status, headers={**held.headers, REPLAYED: "true"})
        with held:
            return _answer(view, handler, held, request, *args, **kwargs)

    return handle


def _answer(view: "WritingViewSet", handler: Handler, claim: Claim, request: Request, *args: Any, **kwargs: Any) -> Any:
    is_kept = False
    try:
        try:
            with transaction.atomic() if view.answers_in_one_transaction else nullcontext():
                response = view.finalize_response(request, handler(request, *args, **kwargs), *args, **kwargs)
                is_kept = _keep(claim, response, must_hold=view.answers_in_one_transaction)
        except Exception as error:
            # The handler's writes are rolled back; the error response is stored on its own if it is final.
            response = view.finalize_response(request, view.handle_exception(error), *args, **kwargs)
            is_kept = _keep(claim, response, must_hold=False)
        return response
    finally:
        if not is_kept:
            _release(claim)


def _release(claim: Claim) -> None:
    try:
        release(claim)
    except DatabaseError:
        # As on a full disk. The key is taken over by the next request with it: this one is not running any more.
        logger.warning("an idempotency key could not be released", exc_info=True)


def _keep(claim: Claim, response: HttpResponseBase, *, must_hold: bool) -> bool:
    """Store the response if it is final; return whether it is. Raises `LostClaim` where the work can be undone."""
    if not is_final(response.status_code) or not isinstance(response, HttpResponse):
        return False
    if hasattr(response, "render"):
        response.render()
    headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    try:
        with transaction.atomic():
            keep_answer(claim, StoredAnswer(response.status_code, headers, response.content))
    except LostClaim:
        if must_hold:
            raise
        # What is done cannot be undone, and its client is told. The key has another request's answer.
        logger.warning("another request had taken over an idempotency key")
    return True
