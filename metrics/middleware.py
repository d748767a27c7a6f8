"""Records each API request for the log, whichever view, middleware or application handles it."""

import json
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.functional import LazyObject, empty

from metrics.query_tally import Tally, tallying
from metrics.request_log import LOG, Entry
from stores.api.middleware import is_api_path
from stores.api.origin import actor_of
from stores.api.problems import CONTENT_TYPE
from stores.api.request_ids import request_id_of

logger = structlog.get_logger("metrics")

BROKEN_OFF = "broken-off"


class ApiLogMiddleware:
    """Measures a request outside all other middleware. A stream is recorded at its end."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        if settings.REQUEST_LOG_ROWS <= 0:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not is_api_path(request.path):
            return self.get_response(request)
        measured = Measurement(request)
        with tallying(measured.tally):
            response = self.get_response(request)
        return measured.watch(response)


class Measurement:
    """What is measured of one request."""

    def __init__(self, request: HttpRequest) -> None:
        self.tally = Tally()
        self._request = request
        self._at: datetime = timezone.now()
        self._started = time.perf_counter()

    def watch(self, response: HttpResponseBase) -> HttpResponseBase:
        """Record the response, at once or when its stream ends."""
        status = response.status_code
        if isinstance(response, StreamingHttpResponse):
            stream_class = AsyncStream if response.is_async else SyncStream
            response.streaming_content = stream_class(self, status, response.streaming_content)
        else:
            # To HEAD the server sends no body.
            content: bytes = b"" if self._request.method == "HEAD" else getattr(response, "content", b"")
            self.note(status, len(content), error=_kind_of(response))
        return response

    def note(self, status: int, bytes_sent: int = 0, *, error: str = "") -> None:
        """Add the request to the log. It never fails: the response may report writes that are already committed."""
        try:
            LOG.add(self._describe(status, bytes_sent, error))
        except Exception:
            logger.exception("a request could not be logged", request_id=request_id_of(self._request))

    def _describe(self, status: int, bytes_sent: int, error: str) -> Entry:
        request = self._request
        match = request.resolver_match
        return {
            "at": self._at,
            "method": (request.method or "")[:10],
            "route": describe_route(match.route) if match else "/api/",
            "status": status,
            "duration_ms": round((time.perf_counter() - self._started) * 1000, 3),
            "query_count": self.tally.count,
            "query_ms": round(self.tally.seconds * 1000, 3),
            "bytes_sent": bytes_sent,
            "actor": _actor(request)[:200],
            "request_id": request_id_of(request)[:64],
            "error": error[:60],
        }


class CountedStream:
    """A stream whose bytes are counted; noted once, at its end or when nobody reads on."""

    def __init__(self, measured: Measurement, status: int, source: Any) -> None:
        self._measured = measured
        self._status = status
        self._source: Any = source
        self._sent = 0
        self._is_noted = False

    def close(self) -> None:
        """End the stream; Django calls this after each response."""
        self._end(BROKEN_OFF)

    def _end(self, error: str = "") -> None:
        self._source = iter(())
        if not self._is_noted:
            self._is_noted = True
            self._measured.note(self._status, self._sent, error=error)


class SyncStream(CountedStream):
    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            with tallying(self._measured.tally):
                chunk: bytes = next(self._source)
        except StopIteration:
            self._end()
            raise
        except Exception:
            self._end("server-error")
            raise
        self._sent += len(chunk)
        return chunk


class AsyncStream(CountedStream):
    """Its queries are not counted: other threads run them, for all streams together."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk: bytes = await anext(self._source)
        except StopAsyncIteration:
            self._end()
            raise
        except Exception:
            logger.exception("streaming_failed")
            self._end("server-error")
            raise
        self._sent += len(chunk)
        return chunk


@lru_cache(maxsize=1000)
def describe_route(route: str) -> str:
    """Return a route's pattern as people write it: /api/chats/{id}. `route` is Django's, of paths and of regexes."""
    text = re.sub(r"\(\?P<(\w+)>(?:[^()\[\]]|\[[^\]]*\]|\([^()]*\))*\)|<(?:\w+:)?(\w+)>", r"{\1\2}", route)
    text = text.replace("/?", "").replace(r"\Z", "")
    text = re.sub(r"[\^$\\]", "", text)
    return f"/{text.lstrip('/')}"[:200]


def _actor(request: HttpRequest) -> str:
    # If the view did not load the user, the log does not query the database for it.
    user = request.__dict__.get("user")
    if user is None or (isinstance(user, LazyObject) and user.__dict__.get("_wrapped", empty) is empty):
        return ""
    return actor_of(request)


def _kind_of(response: HttpResponseBase) -> str:
    if response.status_code < 400 or not response.headers.get("Content-Type", "").startswith(CONTENT_TYPE):
        return ""
    try:
        kind = json.loads(getattr(response, "content", b""))["type"]
    except (ValueError, KeyError, TypeError):
        return ""
    return str(kind).rpartition("#")[2]
