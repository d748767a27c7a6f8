"""Entries that requests add to a queue and a background thread writes in batches, with its own connection."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

import structlog
from django.db import connection

logger = structlog.get_logger("stores")
T = TypeVar("T")

_is_on = threading.Event()
_writers: "list[BatchWriter[object]]" = []


def start_writers() -> None:
    """Start the writers, as a server does; until then, as in commands and tests, entries wait."""
    _is_on.set()


def is_serving() -> bool:
    """Tell whether this process is a server."""
    return _is_on.is_set()


def stop_writers(seconds: float) -> None:
    """Write the queued entries within `seconds` in total; the rest is lost."""
    _is_on.clear()
    deadline = time.monotonic() + seconds
    for writer in _writers:
        writer.end()
    for writer in _writers:
        writer.join(max(0.0, deadline - time.monotonic()))


class BatchWriter(Generic[T]):
    """A bounded queue and the thread that empties it.

    `write` gets a list of items in the thread. Callers never wait: what does not fit, or cannot be written, is
    counted in `lost`.
    """

    def __init__(
        self, name: str, write: Callable[[list[T]], None], *, capacity: int, seconds: float = 1.0, batch: int = 500
    ) -> None:
        self.lost = 0
        self._name = name
        self._write = write
        self._capacity = capacity
        self._seconds = seconds
        self._batch = batch
        self._items: deque[T] = deque()
        self._lock = threading.Lock()
        self._noted = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        _writers.append(self)  # type: ignore[arg-type]  # Of any item.

    def add(self, item: T) -> None:
        """Note an item. It returns at once."""
        with self._lock:
            if len(self._items) >= self._capacity:
                self.lost += 1
                return
            self._items.append(item)
        if _is_on.is_set():
            self._wake()

    def flush(self) -> None:
        """Write all that is noted, in this thread and by its connection."""
        while items := self._take():
            self._write(items)

    def clear(self) -> None:
        """Forget what is noted, and what was lost."""
        with self._lock:
            self._items.clear()
            self.lost = 0

    def end(self) -> None:
        """Let the thread write what is noted, and end."""
        self._stopped.set()
        self._noted.set()

    def join(self, seconds: float) -> None:
        """Wait for the end of the thread, so long at most."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _wake(self) -> None:
        self._noted.set()
        # A thread does not live on in a forked process.
        if self._thread is None or not self._thread.is_alive():
            with self._lock:
                if self._thread is None or not self._thread.is_alive():
                    self._stopped.clear()
                    self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                    self._thread.start()

    def _take(self) -> list[T]:
        with self._lock:
            return [self._items.popleft() for _ in range(min(self._batch, len(self._items)))]

    def _run(self) -> None:
        while True:
            self._noted.wait()
            self._noted.clear()
            # What comes within this time goes into the same transaction.
            is_last = self._stopped.wait(self._seconds)
            while items := self._take():
                self._write_or_lose(items)
            # Between the batches the thread holds no connection, so that an idle server holds none.
            connection.close()
            if is_last:
                return

    def _write_or_lose(self, items: list[T]) -> None:
        try:
            self._write(items)
        except Exception:
            logger.exception("buffered entries could not be written", writer=self._name, lost=len(items))
            with self._lock:
                self.lost += len(items)
