"""Asynchronous views under the same rules as DRF's: who may call, bodies, errors, one shape for all."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from typing import Any, TypeVar

from django.contrib.auth.decorators import login_not_required
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import AuthenticationFailed, MethodNotAllowed, NotAuthenticated
from rest_framework.request import Request

from stores.api.parsers import JSONParser
from stores.api.problems import handle_exception
from stores.api.renderers import write_json
from stores.api.viewsets import WritingViewSet

T = TypeVar("T")

# Few threads, and so few connections, for all that coroutines ask of the database.
_threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="coroutines")


async def in_thread(function: Callable[..., T], *args: Any) -> T:
    """Run database work in a thread of the one pool, and leave no connection open: to PostgreSQL it goes back to its
    pool."""

    def run() -> T:
        try:
            return function(*args)
        finally:
            close_old_connections()

    return await asyncio.get_running_loop().run_in_executor(_threads, run)


class _Gate(WritingViewSet):
    """What stands before an asynchronous view: who calls, whether they may, and what they sent."""

    parser_classes = [JSONParser]

    def open(self, request: HttpRequest, kwargs: dict[str, Any]) -> Request:
        """Return the request of somebody who may call. Raises as DRF's views do."""
        self.args, self.kwargs, self.format_kwarg = (), kwargs, None
        self.request = self.initialize_request(request, **kwargs)
        self.initial(self.request, **kwargs)
        return self.request


View = Callable[..., Awaitable[HttpResponseBase]]


def api_view(*methods: str) -> Callable[[View], Any]:
    """Make a coroutine function that takes a DRF request a view under `/api/`, for these methods."""

    def decorate(view: View) -> Any:
        @csrf_exempt
        @login_not_required
        @wraps(view)
        async def checked(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
            gate = _Gate()
            gate.action_map = {}
            opened: Any = None
            try:
                opened = await in_thread(gate.open, request, kwargs)
                if request.method not in methods and not (request.method == "HEAD" and "GET" in methods):
                    raise MethodNotAllowed(str(request.method))
                return await view(opened, **kwargs)
            except Exception as error:
                context = {"request": opened if opened is not None else Request(request)}
                return await in_thread(_as_problem, gate, error, context)

        return checked

    return decorate


def _as_problem(gate: _Gate, error: Any, context: dict[str, Any]) -> HttpResponse:
    is_stranger = isinstance(error, NotAuthenticated | AuthenticationFailed)
    if is_stranger and (header := gate.get_authenticate_header(gate.request)):
        # DRF's own views put it there.
        error.auth_header = header
    return handle_exception(error, context)


def json_response(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> HttpResponse:
    """Return JSON as all views under `/api/` write it."""
    return HttpResponse(write_json(body), status=status, content_type="application/json", headers=headers)
