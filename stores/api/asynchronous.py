"""Database work that coroutines ask for."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from django.db import close_old_connections

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
