"""`manage.py start` as a process on its own data folder, and a client that speaks HTTP to it."""

import json
import os
import queue
import re
import signal
import sqlite3
import subprocess
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from tests import forking
from tests.forking import Process

REPOSITORY = forking.REPOSITORY
START_SECONDS = 60
OWN_VARIABLES = re.compile(r"BIGAGI_|LOG_|SECRET_KEY|DEBUG|DATABASE_URL|COLUMNS|FORWARDED_")


@dataclass
class Answer:
    status: int
    headers: Message
    body: bytes
    url: str

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


class _StayHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args, **kwargs):
        return None


class Client:
    """A session: keeps cookies, sends Django's CSRF token, and follows redirects only if it is told to."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.cookies = CookieJar()
        cookies = urllib.request.HTTPCookieProcessor(self.cookies)
        no_proxy = urllib.request.ProxyHandler({})
        self._following = urllib.request.build_opener(no_proxy, cookies)
        self._staying = urllib.request.build_opener(no_proxy, cookies, _StayHere())

    def cookie(self, name: str) -> str:
        return next((cookie.value or "" for cookie in self.cookies if cookie.name == name), "")

    def request(self, method: str, path: str, data: Any = None, *, headers=None, follow=False) -> Answer:
        """Send a form (dict), bytes or nothing to a path or an absolute URL."""
        headers = {"X-CSRFToken": self.cookie("bigagi_csrf"), "Origin": self.url} | (headers or {})
        if isinstance(data, dict):
            data = urlencode(data).encode()
        url = path if path.startswith("http") else self.url + path
        request = urllib.request.Request(url, data=data, headers=headers, method=method)
        try:
            with (self._following if follow else self._staying).open(request, timeout=30) as response:
                return Answer(response.status, response.headers, response.read(), response.url)
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read(), error.url)

    def get(self, path: str, **kwargs: Any) -> Answer:
        return self.request("GET", path, **kwargs)

    def post(self, path: str, data: Any = None, **kwargs: Any) -> Answer:
        return self.request("POST", path, {} if data is None else data, **kwargs)


@dataclass
class Server:
    """A running server. `link` signs in once; `sign_in` uses it up and gives the same session each time."""

    process: "Process | subprocess.Popen[str]"
    data_dir: Path
    environment: dict[str, str]
    url: str = ""
    link: str = ""
    output: list[str] = field(default_factory=list)
    lines: "queue.Queue[str | None]" = field(default_factory=queue.Queue)
    _client: Client | None = None

    def sign_in(self) -> Client:
        if self._client is None:
            self._client = Client(self.url)
            answer = self._client.get(self.link)
            assert answer.status == 302, answer.text
        return self._client

    def manage(self, *arguments: str, **kwargs: Any) -> subprocess.CompletedProcess[str]:
        """Run another command on the same data folder."""
        return manage(*arguments, environment=self.environment, **kwargs)

    def read_rest(self) -> list[str]:
        """Return the lines that the server printed after its link: its log. It must have been stopped."""
        found: list[str] = []
        while (line := self.lines.get(timeout=30)) is not None:
            found.append(line)
        return found

    def stop(self) -> int:
        """Press Ctrl-C, and return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=30)


def build_environment(data_dir: Path, **variables: str) -> dict[str, str]:
    """Return the environment of a newcomer, whose data lies in `data_dir`."""
    inherited = {name: value for name, value in os.environ.items() if not OWN_VARIABLES.match(name)}
    own = {"BIGAGI_DATA_DIR": str(data_dir), "BIGAGI_ENV_FILE": os.devnull, "PYTHONUNBUFFERED": "1"}
    return inherited | own | variables


def manage(
    *arguments: str, environment: dict[str, str], input: str | None = None, timeout: float | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, and return what it printed. It is killed when the time is over, in seconds."""
    process = forking.start(("manage.py",), list(arguments), environment, has_input=input is not None)
    try:
        out, errors = process.communicate(input, timeout)
    except BaseException:
        process.kill()
        process.wait()
        raise
    return subprocess.CompletedProcess(["manage.py", *arguments], process.wait(), out, errors)


@contextmanager
def run_server(
    environment: dict[str, str], *arguments: str, program: tuple[str, ...] = ("manage.py",)
) -> Iterator[Server]:
    """Start a server, wait until it has printed its link, and end it by its id."""
    process = forking.start(program, ["start", "--port", "0", "--link", *arguments], environment, is_merged=True)
    server = Server(process, Path(environment["BIGAGI_DATA_DIR"]), environment)
    threading.Thread(target=_read_lines, args=(process, server.lines), daemon=True).start()
    try:
        while not server.link:
            line = server.lines.get(timeout=START_SECONDS)
            if line is None:
                raise AssertionError(f"the server ended with {process.wait()}: {''.join(server.output)}")
            server.output.append(line)
            if found := re.match(r"Server: +(\S+)", line):
                server.url = found[1]
            if found := re.match(r"Sign in: +(\S+)", line):
                server.link = found[1]
        yield server
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _read_lines(process: "Process | subprocess.Popen[str]", lines: "queue.Queue[str | None]") -> None:
    # The pipe is read to its end: a server that logs into a full one would stand still.
    assert process.stdout
    for line in process.stdout:
        lines.put(line)
    lines.put(None)


def execute(environment: dict[str, str], statement: str) -> list[Any]:
    """Run one SQL statement on the database of a data folder, and return the rows that it gives."""
    if url := environment.get("DATABASE_URL"):
        import psycopg

        with psycopg.connect(url, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []
    path = Path(environment["BIGAGI_DATA_DIR"]) / "bigagi.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None, timeout=20)) as connection:
        return connection.execute(statement).fetchall()


@contextmanager
def own_database(template: str = "") -> Iterator[dict[str, str]]:
    """Yield the variables of a database made for this test: on PostgreSQL a copy of `template`, a database's URL, or an
    empty one; on SQLite none, since the file is in the data folder."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        yield {}
        return
    import psycopg

    parts = urlsplit(url)
    name = f"bigagi_test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(urlunsplit(parts._replace(path="/postgres")), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {urlsplit(template).path[1:] or 'template1'}")
        try:
            yield {"DATABASE_URL": urlunsplit(parts._replace(path=f"/{name}"))}
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
