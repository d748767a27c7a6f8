"""Following a run that is under way, here or on another server: its row is read for all who follow it, twice a second.

A follower gets events: `progress`, `note`, `error`, and `done` in the end. An event's id says how many of the run's
notes and errors came up to it, so that a follower who comes again gets what it missed, from any server.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import structlog
from django.db import DatabaseError

from stores.background.threads import in_thread
from stores.importers.report import proof
from stores.models import MigrationRun
from stores.querysets import as_seen_now
from stores.records.event_frames import COMMENT, COMMENT_SECONDS, frame
from stores.records.secrets import mask

LOOKED_EVERY = 0.5
"""Seconds between two looks at a run's row, however many follow it."""

_PLACE = re.compile(r"(\d{1,9})-(\d{1,9})-(\d{1,9})(-end)?", re.ASCII)

logger = structlog.get_logger("stores")


@dataclass(frozen=True)
class Place:
    """How much of a run a follower has: of the time it was taken up, so many notes and errors, and whether the end."""

    resumed: int = 0
    notes: int = 0
    errors: int = 0
    is_end: bool = False

    @classmethod
    def read(cls, text: str) -> "Place":
        """Return the place that the id of an event names; of an unknown id, the beginning."""
        found = _PLACE.fullmatch(text)
        return cls(int(found[1]), int(found[2]), int(found[3]), bool(found[4])) if found else cls()

    def __str__(self) -> str:
        return f"{self.resumed}-{self.notes}-{self.errors}{'-end' if self.is_end else ''}"

    def is_behind_end(self, run: MigrationRun) -> bool:
        """Tell whether nothing of the run, as it is seen now, is left to send."""
        return self.is_end and self.resumed == run.resumed and run.status != MigrationRun.Status.RUNNING


@dataclass(frozen=True)
class RunState:
    """What a run's row says at one moment, secrets masked."""

    resumed: int
    is_over: bool
    progress: Any
    notes: list[str]
    errors: list[Any]
    end: Any


def read_state(pk: int) -> RunState | None:
    """Look at the run of this key, if there is one."""
    run = MigrationRun.objects.filter(pk=pk).first()
    return None if run is None else describe(as_seen_now(run))


def describe(run: MigrationRun) -> RunState:
    """Return how far a run is."""
    progress = {
        "status": run.status,
        "phase": run.phase,
        "phases": [{name: phase.get(name) for name in ("name", "status", "done")} for phase in run.phases],
        "last_completed_task": run.last_completed_task,
        "next_task": run.next_task,
        "bytes_read": min(run.bytes_read, run.source_size),
        "bytes_total": run.source_size,
        "counts": run.counts,
        "proof": proof(run),
    }
    end = {"status": run.status, "proof": proof(run)}
    is_over = run.status != MigrationRun.Status.RUNNING
    return RunState(run.resumed, is_over, mask(progress), mask(run.notes), mask(run.errors), mask(end))


class Follower:
    """Turns what a run's row says, again and again, into events."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._progress: Any = None

    def take(self, state: RunState) -> Iterator[bytes]:
        """Yield the events that are new in the run; the last one of a run that is over is `done`."""
        if state.resumed != self.place.resumed:
            self.place = Place(state.resumed)
        if state.progress != self._progress:
            yield frame(str(self.place), "progress", state.progress)
            self._progress = state.progress
        for at in range(self.place.notes, len(state.notes)):
            self.place = Place(state.resumed, at + 1, self.place.errors)
            yield frame(str(self.place), "note", {"text": state.notes[at]})
        for at in range(self.place.errors, len(state.errors)):
            self.place = Place(state.resumed, self.place.notes, at + 1)
            yield frame(str(self.place), "error", state.errors[at])
        if state.is_over:
            self.place = Place(state.resumed, self.place.notes, self.place.errors, is_end=True)
            yield frame(str(self.place), "done", state.end)


class _Feed:
    """What all followers of one run have in common. Only the event loop's thread touches it."""

    def __init__(self, pk: int) -> None:
        self.pk = pk
        self.state: RunState | None = None
        self.looks = 0
        self.readers = 0
        self.is_over = False
        self.looked = asyncio.Condition()
        self.task = asyncio.create_task(self._look())

    async def _look(self) -> None:
        try:
            while not self.is_over:
                try:
                    state = await in_thread(read_state, self.pk)
                except DatabaseError as error:
                    # A database that is busy or restarts: the run may go on.
                    logger.warning("a run could not be looked at", run=self.pk, reason=str(error))
                else:
                    self.state, self.looks = state or self.state, self.looks + 1
                    self.is_over = state is None or state.is_over
                await self._tell()
                await asyncio.sleep(LOOKED_EVERY)
        except Exception:
            logger.exception("a run cannot be followed", run=self.pk)
            await self.close()

    async def _tell(self) -> None:
        async with self.looked:
            self.looked.notify_all()

    async def close(self) -> None:
        """Let all followers go."""
        self.is_over = True
        await self._tell()


_feeds: dict[tuple[asyncio.AbstractEventLoop, int], _Feed] = {}


async def follow(pk: int, place: Place) -> AsyncIterator[bytes]:
    """Yield the events of a run beyond a place, at once what is so now, until the run is over."""
    key = asyncio.get_running_loop(), pk
    feed = _feeds.get(key)
    if feed is None or feed.is_over:
        feed = _feeds[key] = _Feed(pk)
    follower, looks = Follower(place), 0
    feed.readers += 1
    try:
        while True:
            if feed.looks == looks and not feed.is_over and not await _is_new(feed, looks):
                yield COMMENT
                continue
            looks = feed.looks
            if feed.state is not None and (content := b"".join(follower.take(feed.state))):
                yield content
            if feed.is_over:
                return
    finally:
        feed.readers -= 1
        if not feed.readers:
            feed.is_over = True
            feed.task.cancel()
            if _feeds.get(key) is feed:
                del _feeds[key]


async def _is_new(feed: _Feed, looks: int) -> bool:
    """Wait for the next look at the run; False if there is none for so long that the connection needs a comment."""
    try:
        async with asyncio.timeout(COMMENT_SECONDS), feed.looked:
            await feed.looked.wait_for(lambda: feed.looks != looks or feed.is_over)
    except TimeoutError:
        return False
    return True


async def let_followers_go() -> None:
    """End all events, as the server stops: runs go on when it starts again."""
    for feed in list(_feeds.values()):
        await feed.close()
