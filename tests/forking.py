"""Processes of `manage.py` that begin with the libraries loaded, which is half of what a start takes.

One process a run of tests loads them, before any settings, and is asked for a fork each time. What is forked is a
process as any other: it reads its settings from its own environment, has a number of its own, and can be killed. Where
that cannot be, as for an environment that the interpreter itself reads, a new interpreter is started instead.
"""

import atexit
import gc
import importlib
import json
import os
import queue
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from functools import cache
from pathlib import Path
from typing import IO, Any

REPOSITORY = Path(__file__).resolve().parent.parent
CAN_FORK = sys.platform == "linux"
LIBRARIES = (
    *("django.core.management", "django.contrib.admin.decorators", "django.contrib.postgres.forms"),
    *("django.db.models", "django.http", "django.template.loader", "django.test.signals", "django.views.generic"),
    *("rest_framework.compat", "rest_framework.serializers", "django_filters.exceptions", "uritemplate"),
    *("cryptography.fernet", "filelock", "logging.config", "markdown_it", "nh3", "platformdirs", "structlog", "yaml"),
    *("openai", "uvicorn.protocols.http.httptools_impl", "uvicorn.server"),
)
"""What commands and servers load sooner or later, and what needs no settings."""
OF_INTERPRETER = ("PYTHON", "LANG", "LC_", "LD_")
LONGEST = 2**20
"""Bytes of a request: arguments and the environment."""


class Process:
    """A forked process, as `subprocess.Popen` shows one whose output is text."""

    def __init__(self, status: int, stdin: IO[str] | None, stdout: IO[str], stderr: IO[str] | None) -> None:
        self.stdin, self.stdout, self.stderr = stdin, stdout, stderr
        self.returncode: int | None = None
        self._status = os.fdopen(status, "rb", buffering=0)
        self.pid = int(self._status.readline())

    def poll(self) -> int | None:
        if self.returncode is None and select.select([self._status], [], [], 0)[0]:
            self._take_status()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self._status], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("manage.py", timeout or 0)
            self._take_status()
        assert self.returncode is not None
        return self.returncode

    def _take_status(self) -> None:
        self.returncode = os.waitstatus_to_exitcode(int(self._status.readline()))
        self._status.close()

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def communicate(self, input: str | None = None, timeout: float | None = None) -> tuple[str, str]:
        """Send the input and return all that comes out, once the process has ended."""
        deadline = None if timeout is None else time.monotonic() + timeout
        if self.stdin:
            threading.Thread(target=_send, args=(self.stdin, input or ""), daemon=True).start()
        pieces: list[queue.Queue[str]] = []
        for stream in (self.stdout, self.stderr):
            pieces.append(queue.Queue())
            threading.Thread(target=_read, args=(stream, pieces[-1]), daemon=True).start()
        try:
            out, errors = (
                piece.get(timeout=None if deadline is None else max(deadline - time.monotonic(), 0)) for piece in pieces
            )
        except queue.Empty:
            raise subprocess.TimeoutExpired("manage.py", timeout or 0) from None
        self.wait(None if deadline is None else max(deadline - time.monotonic(), 0))
        return out, errors


def _send(stream: IO[str], text: str) -> None:
    try:
        with stream:
            stream.write(text)
    except BrokenPipeError:
        # It ended without having read all.
        pass


def _read(stream: IO[str] | None, into: "queue.Queue[str]") -> None:
    if stream is None or stream.closed:
        into.put("")
        return
    with stream:
        into.put(stream.read())


def start(
    program: tuple[str, ...],
    arguments: list[str],
    environment: dict[str, str],
    *,
    is_merged: bool = False,
    has_input: bool = False,
) -> "Process | subprocess.Popen[str]":
    """Start `manage.py`, or a module (`-m`, name), with its output in pipes; `is_merged`: errors with the rest."""
    if not CAN_FORK or _of_interpreter(environment) != _of_interpreter(os.environ):
        return subprocess.Popen(
            [sys.executable, *program, *arguments],
            cwd=REPOSITORY,
            env=environment,
            stdin=subprocess.PIPE if has_input else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if is_merged else subprocess.PIPE,
            text=True,
        )
    (status, its_status), (out, its_out) = os.pipe(), os.pipe()
    errors, its_errors = (None, its_out) if is_merged else os.pipe()
    its_in, stdin = os.pipe() if has_input else (os.open(os.devnull, os.O_RDONLY), None)
    request = json.dumps([program, arguments, dict(environment)]).encode("utf-8", "surrogateescape")
    given = [its_status, its_in, its_out, its_errors]
    socket.send_fds(_forker(), [request], given)
    for held in set(given):
        os.close(held)
    return Process(
        status,
        None if stdin is None else os.fdopen(stdin, "w"),
        os.fdopen(out),
        None if errors is None else os.fdopen(errors),
    )


def _of_interpreter(environment: Any) -> dict[str, str]:
    """Return the variables that are read before any code of ours runs."""
    found = {name: value for name, value in environment.items() if name.startswith(OF_INTERPRETER)}
    # All output of forks is unbuffered.
    return {name: value for name, value in found.items() if name != "PYTHONUNBUFFERED"}


@cache
def _forker() -> socket.socket:
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in (ours, its):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LONGEST)
    with its:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.forking", str(its.fileno())],
            cwd=REPOSITORY,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            pass_fds=[its.fileno()],
        )

    def end_it() -> None:
        ours.close()
        process.wait(timeout=30)

    atexit.register(end_it)
    return ours


# --- in the process that is forked ---


def serve(held: socket.socket) -> tuple[tuple[str, ...], list[str]] | None:
    """Fork for each request until nobody can ask any more; in a fork, return the program and its arguments."""
    for name in LIBRARIES:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        content, given, _, _ = socket.recv_fds(held, LONGEST, 4)
        if not content:
            return None
        _forget_those_that_ended()
        if not os.fork():
            held.close()
            program, arguments, environment = json.loads(content.decode("utf-8", "surrogateescape"))
            if _is_fork_watched(*given):
                os.environ.clear()
                os.environ.update(environment)
                time.tzset()
                return program, arguments
            os._exit(0)
        for one in given:
            os.close(one)


def _forget_those_that_ended() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _is_fork_watched(status: int, *streams: int) -> bool:
    """Fork once more, and tell the fork that it is one. Outside of it, say what became of it when it has ended."""
    pid = os.fork()
    if not pid:
        os.close(status)
        for number, one in enumerate(streams):
            os.dup2(one, number)
        for one in streams:
            if one > 2:
                os.close(one)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        return True
    for one in streams:
        os.close(one)
    # What runs here ends with the fork, also where the tests' process has gone.
    os.write(status, b"%d\n" % pid)
    _, ended = os.waitpid(pid, 0)
    os.write(status, b"%d\n" % ended)
    return False


if __name__ == "__main__":
    asked = serve(socket.socket(fileno=int(sys.argv[1])))
    if asked:
        (*option, what), sys.argv[1:] = asked
        # As the interpreter would run it: what it raises, it raises to the end.
        if option:
            runpy.run_module(what, run_name="__main__", alter_sys=True)
        else:
            sys.argv[0] = what
            runpy.run_path(what, run_name="__main__")
