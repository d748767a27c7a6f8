"""The server's own check of the stored data: in the background, at a pace that nobody feels."""

import threading
import time

import structlog
from django.db import DatabaseError, connection

from stores.backups import data_check

logger = structlog.get_logger("stores")

FIRST_AFTER = 5
"""Seconds from the start to the first check: the first requests come before it."""

EVERY = 24 * 3600
"""Seconds between two checks."""

REST = 9
"""How many times as long as it reads the check rests."""

LONGEST_REST = 1.0
"""Seconds; after a chunk that took long to read, as from a disk that had to wake up."""


def watch_data() -> None:
    """Check the stored data now and then while the server runs, in a thread."""
    threading.Thread(target=_watch, name="data-check", daemon=True).start()


def _watch() -> None:
    wait = FIRST_AFTER
    while True:
        time.sleep(wait)
        check_once()
        wait = EVERY


def check_once() -> None:
    """Check the stored data with rests, and log what is damaged. Before, delete what killed commands left behind."""
    try:
        data_check.delete_left_over_files()
        last = data_check.read_last()
        # What a whole check found in the database, a quick one may not see: it must not be called well by that.
        result = data_check.check(is_whole=bool(last and (last.pages or last.rows)), pause=_rest)
        if not result.is_good:
            logger.error("stored data is damaged", pages=len(result.pages), files=len(result.damaged))
    except (DatabaseError, OSError):
        logger.exception("the stored data could not be checked")
    finally:
        connection.close()


def _rest(seconds: float) -> None:
    time.sleep(min(seconds * REST, LONGEST_REST))
