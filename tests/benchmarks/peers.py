"""What stands beside our server in a run: processes of their own, on the same data."""

import importlib.util
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.measuring import start_python

GROUP = "uv run --group peers python -m tests.benchmarks"
END_SECONDS = 10
"""A process that is told to end has so long for it."""


class PeerMissing(Exception):
    """A program to compare with is not installed."""


@contextmanager
def run_floor(environment: dict[str, str]) -> Iterator[tuple[int, int]]:
    """Serve the bare views and the proxy; yield their process's number and port."""
    with _run(["-m", "tests.benchmarks.floor"], environment) as process:
        assert process.stdout
        yield process.pid, int(process.stdout.readline())


@contextmanager
def run_provider(environment: dict[str, str] | None = None) -> Iterator[int]:
    """Run the provider that streams evenly; yield its port."""
    with _run(["-m", "tests.benchmarks.provider"], environment) as process:
        assert process.stdout
        yield int(process.stdout.readline())


@contextmanager
def run_datasette(database: Path, environment: dict[str, str]) -> Iterator[tuple[int, int]]:
    """Serve the database by Datasette; yield its process's number and port. Raises `PeerMissing`."""
    if importlib.util.find_spec("datasette") is None:
        raise PeerMissing(f"Datasette is not installed. Run: {GROUP} api")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = ["--setting", "max_returned_rows", "5000"]
    command = ["-m", "datasette", "serve", str(database), "--port", str(port), *settings]
    with _run(command, environment, is_read=False) as process:
        _wait_for(port, process)
        yield process.pid, port


@contextmanager
def _run(
    arguments: list[str], environment: dict[str, str] | None, *, is_read: bool = True
) -> Iterator["subprocess.Popen[str]"]:
    # What nobody reads fills its pipe, and the process waits for ever.
    output = subprocess.PIPE if is_read else subprocess.DEVNULL
    process = start_python(*arguments, environment=environment, stdout=output, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(port: int, process: "subprocess.Popen[str]") -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"the server on port {port} does not answer")
