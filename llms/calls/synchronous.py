"""Single short calls from code that is not asynchronous: a list of models, a test, a title."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from llms.calls.client import close_http

T = TypeVar("T")


def run_call(call: Coroutine[Any, Any, T]) -> T:
    """Run a call in an event loop of its own, and return what it gives. Raises what it raises."""

    async def run() -> T:
        try:
            return await call
        finally:
            await close_http()

    # A thread of its own: the caller may already be inside an event loop.
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="call") as threads:
        return threads.submit(asyncio.run, run()).result()
