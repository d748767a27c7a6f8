"""Bridges between threads and the event loop."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

from django.db import close_old_connections
from rest_framework.request import Request

T = TypeVar("T")

LOOP = "bigagi.loop"
"""The member of a request's scope that has the server's event loop."""

# Few threads, and therefore few connections, for the database work of all coroutines.
_threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="coroutines")


async def in_thread(function: Callable[..., T], *args: Any) -> T:
    """Run database work in a thread of the one pool, and leave no connection open: to PostgreSQL it goes back to its
    pool. It takes the context along, and so the request's id into the log."""

    def run() -> T:
        try:
            return function(*args)
        finally:
            close_old_connections()

    return await asyncio.get_running_loop().run_in_executor(_threads, copy_context().run, run)


def on_loop(request: Request, coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in the server's event loop, or in a new loop outside a server, and return its result."""
    loop = getattr(request, "scope", {}).get(LOOP)
    if loop is None:
        return asyncio.run(coroutine)
    return asyncio.run_coroutine_threadsafe(coroutine, loop).result()
