"""Imports as processes on a data folder of their own."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from stores.importers.run import RESUMED
from tests import forking
from tests.forking import Process
from tests.servers import manage

DEADLINE = 90
"""Seconds that anything may take on a slow machine."""


@dataclass
class Undisturbed:
    """What is here after an import that nothing disturbed, its report, and how long it took."""

    seconds: float
    state: str
    report: dict[str, Any]


@contextmanager
def start_import(path: Any, environment: dict[str, str], *options: str) -> Iterator["Process | subprocess.Popen[str]"]:
    """Start an import; it is ended by its id where it has not ended by itself."""
    process = forking.start(("manage.py",), ["import_indexeddb", str(path), *options], environment, is_merged=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=DEADLINE)


def wait_for(process: "Process | subprocess.Popen[str]", is_reached: Callable[[], bool]) -> None:
    """Wait until the process has come to a place. Fails if it ends before, or never gets there."""
    deadline = time.monotonic() + DEADLINE
    while not is_reached():
        if process.poll() is not None:
            output = process.communicate()[0]
            raise AssertionError(f"it ended with {process.returncode} before it came there: {output}")
        assert time.monotonic() < deadline, "it never came there"
        time.sleep(0.001)


def import_whole(path: Any, environment: dict[str, str], status: int = 0) -> str:
    """Import to the end, and return what was printed."""
    done = manage("import_indexeddb", str(path), environment=environment, timeout=DEADLINE)
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done.stdout + done.stderr


def read_status(environment: dict[str, str], *run: str) -> Any:
    """Return the report of a run, by default of the last one."""
    told = manage("migration_status", *run, "--format", "json", environment=environment, timeout=DEADLINE)
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)


def read_comparable(environment: dict[str, str], *run: str) -> dict[str, Any]:
    """Return the report of a run without what differs each time, or tells that the run was resumed."""
    report = read_status(environment, *run)
    for name in ("started_at", "finished_at", "duration"):
        del report[name]
    aside = (RESUMED, "Backed up to ")
    report["notes"] = sorted(note for note in report["notes"] if not note.startswith(aside))
    for phase in report["phases"]:
        phase["notes"] = [note for note in phase["notes"] if not note.startswith(aside)]
    for error in report["errors"]:
        del error["at"]
    return report


def show_everything(environment: dict[str, str]) -> str:
    """Return text that is the same for data folders that hold the same, in the same order."""
    shown = forking.start(("-m", "tests.stores.everything"), [], environment)
    text, errors = shown.communicate(timeout=DEADLINE)
    assert shown.wait() == 0, errors
    return text
