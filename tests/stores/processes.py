"""Imports as processes on a data folder of their own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.servers import REPOSITORY, manage

DEADLINE = 90
"""Seconds that anything may take on a slow machine."""

_SHOW = """
import django
django.setup()
from tests.stores.imports import everything_here
import sys
sys.stdout.write(everything_here())
"""


@contextmanager
def start_import(path: Any, environment: dict[str, str], *options: str) -> Iterator[subprocess.Popen[str]]:
    """Start an import; it is ended by its id where it has not ended by itself."""
    command = [sys.executable, "manage.py", "import_indexeddb", str(path), *options]
    process = subprocess.Popen(
        command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=DEADLINE)


def wait_for(process: subprocess.Popen[str], is_reached: Callable[[], bool]) -> None:
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


def show_everything(environment: dict[str, str]) -> str:
    """Return text that is the same for data folders that hold the same, in the same order."""
    named = environment | {"DJANGO_SETTINGS_MODULE": "bigagi_site.settings", "PYTHONPATH": os.fspath(REPOSITORY)}
    command = [sys.executable, "-c", _SHOW]
    return subprocess.run(command, cwd=REPOSITORY, env=named, capture_output=True, check=True, text=True).stdout
