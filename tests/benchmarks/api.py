"""The API's requests through the real server; beside them bare views with the same middleware and token check (the
floor), and their SQL alone (the limit)."""

import http.client
import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.benchmarks.floor import statements
from tests.benchmarks.measuring import build_environment, print_table, run_python
from tests.generators import write_flash_backup
from tests.servers import run_server

TO_FLOOR = 2.0
GROWTH = 1.2
JOURNAL = 0.3
WARM_UP = 20
"""Rounds that are not counted: what is opened or compiled for the first requests is no part of a request."""
STORE = "app-ui"
KEPT_OPEN = 3
"""Seconds that a connection may be idle."""

Times = dict[str, list[float]]


def run(*, quick: bool) -> int:
    """Measure everything and print the tables; return 1 where a target is missed."""
    sizes, times = ([40, 80], 30) if quick else ([2_000, 20_000], 400)
    with ExitStack() as stack:
        measured = [stack.enter_context(_prepared(chats)) for chats in sizes]
        for at in range(-WARM_UP, times):
            # By turns, so that what else goes on slows all of them alike.
            for each in measured:
                each.measure(at)
        met = [each.print() for each in measured]
        is_met = all(met)
    few, many = ({name: statistics.median(values) for name, values in each.ours.items()} for each in measured)
    rows = [[name, f"{many[name] / few[name]:.2f} (≤ {GROWTH})"] for name in few]
    print_table(["at ten times the data", "p50 / p50"], rows)
    is_met &= all(many[name] <= few[name] * GROWTH for name in few)
    return 0 if is_met or quick else 1


@contextmanager
def _prepared(chats: int) -> "Iterator[Measurement]":
    """Yield what measures a server on a database of so many chats."""
    with tempfile.TemporaryDirectory(prefix="bigagi-benchmark-") as name:
        folder = Path(name)
        environment = build_environment(folder / "data")
        (folder / "data").mkdir()
        backup = folder / "backup.json"
        write_flash_backup(backup, conversations=chats)
        run_python("manage.py", "migrate", "--verbosity", "0", environment=environment)
        run_python("manage.py", "import_indexeddb", str(backup), environment=environment)
        backup.unlink()
        environment["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.floor.settings"
        with run_server(environment) as server, sql_of(folder / "data" / "bigagi.sqlite3") as cursor:
            token = server.manage("create_token", "benchmark").stdout.strip()
            yield Measurement(chats, environment, Client(server.url, token), cursor)


@dataclass
class Measurement:
    """One server on one database; `ours`, `floor` and `limit` are seconds by request."""

    chats: int
    environment: dict[str, str]
    client: "Client"
    cursor: Any
    ours: Times = field(default_factory=dict)
    floor: Times = field(default_factory=dict)
    limit: Times = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.uids = [chat["id"] for chat in self.client.get("/api/chats?page_size=200")["results"]]
        self.whole = {uid: _bare(self.client.get(f"/api/chats/{uid}")) for uid in self.uids}

    def measure(self, at: int) -> None:
        """Send each request once; numbers below 0 only warm up."""
        if at == 0:
            self.ours, self.floor, self.limit = {}, {}, {}
        client, cursor = self.client, self.cursor
        uid = self.uids[at % len(self.uids)]
        get, sql = partial(partial, client.get), partial(partial, cursor=cursor)
        self._read("list 50 chats", get("/api/chats"), get("/floor/chats"), sql(statements.list_chats))
        one = partial(statements.get_chat, uid=uid)
        self._read("get a chat", get(f"/api/chats/{uid}"), get(f"/floor/chats/{uid}"), sql(one))
        store = partial(statements.get_store, name=STORE)
        self._read("get a store", get(f"/api/stores/{STORE}"), get(f"/floor/stores/{STORE}"), sql(store))
        self._append(client, cursor, uid, at)
        self._replace(client, cursor, self.whole[self.uids[-1 - at % 20]], at)

    def _read(self, name: str, ours: Callable[[], Any], floor: Callable[[], Any], limit: Callable[[], Any]) -> None:
        self._time(self.ours, name, ours)
        self._time(self.floor, name, floor)
        self._time(self.limit, name, limit)

    def _append(self, client: "Client", cursor: Any, uid: str, at: int) -> None:
        message = _message(f"bench-{at}")
        sql = partial(statements.append_message, cursor, uid, message)
        for kind, do in (
            (self.ours, partial(client.send, "POST", f"/api/chats/{uid}/messages", message)),
            (self.floor, partial(client.send, "POST", f"/floor/chats/{uid}/messages", message)),
            (self.limit, partial(_in_transaction, cursor, sql)),
        ):
            self._time(kind, "append a message", do)
            # Chats stay as long as they were.
            client.send("DELETE", f"/api/chats/{uid}/messages/{message['id']}")

    def _replace(self, client: "Client", cursor: Any, chat: dict[str, Any], at: int) -> None:
        uid = chat["id"]
        bodies = [_with_last_text(chat, f"{at} {which}") for which in ("ours", "floor", "limit")]
        sql = partial(statements.replace_chat, cursor, uid, bodies[2])
        for kind, do in (
            (self.ours, partial(client.send, "PUT", f"/api/chats/{uid}", bodies[0])),
            (self.floor, partial(client.send, "PUT", f"/floor/chats/{uid}", bodies[1])),
            (self.limit, partial(_in_transaction, cursor, sql)),
        ):
            self._time(kind, "replace a chat", do)

    @staticmethod
    def _time(times: Times, name: str, do: Callable[[], Any]) -> None:
        started = time.perf_counter()
        do()
        times.setdefault(name, []).append(time.perf_counter() - started)

    def print(self) -> bool:
        """Print the tables; tell whether the targets are met."""
        share = json.loads(run_python("-m", "tests.benchmarks.floor.journal", environment=self.environment).output)
        rows, is_met = [], True
        for name, values in self.ours.items():
            ours, floor = _quantiles(values), _quantiles(self.floor[name])
            ratios = [one / other for one, other in zip(ours, floor, strict=True)]
            has_target = name != "replace a chat"
            target = f" (≤ {TO_FLOOR:g})" if has_target else ""
            is_met &= not has_target or all(ratio <= TO_FLOOR for ratio in ratios)
            limit = statistics.median(self.limit[name])
            rows.append(
                [
                    name,
                    *(f"{value * 1000:.2f}" for value in (*ours, *floor, limit)),
                    *(f"{ratio:.2f}{target}" for ratio in ratios),
                ]
            )
        heads = ["p50, ms", "p95, ms", "floor p50, ms", "floor p95, ms", "limit p50, ms", "p50 / floor", "p95 / floor"]
        print_table([f"{self.chats:,} chats × 21", *heads], rows)
        print_table(
            ["write", "ms", "without the journal, ms", "the journal's share"],
            [
                [name, f"{both[0]:.2f}", f"{both[1]:.2f}", f"{1 - both[1] / both[0]:.0%} (≤ {JOURNAL:.0%})"]
                for name, both in share.items()
            ],
        )
        return is_met and all(1 - without / whole <= JOURNAL for whole, without in share.values())


class Client:
    """One connection that stays open, with a token."""

    def __init__(self, url: str, token: str) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
        self.headers = {"Authorization": f"Bearer {token}"}
        self.used_at = time.monotonic()

    def get(self, path: str) -> Any:
        return self.send("GET", path)

    def send(self, method: str, path: str, body: Any = None) -> Any:
        text = None if body is None else json.dumps(body)
        if time.monotonic() - self.used_at > KEPT_OPEN:
            # The server closes what is idle; a new connection is no part of a request's time.
            self.connection.close()
            self.connection.connect()
        self.used_at = time.monotonic()
        headers = self.headers | ({"Content-Type": "application/json"} if text else {})
        self.connection.request(method, path, text, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:500]!r}")
        return json.loads(content) if content else None


class Cursor:
    """A cursor of SQLite that takes `%s` for parameters, as Django's do."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.cursor = connection.cursor()

    def execute(self, statement: str, parameters: Any = ()) -> None:
        self.cursor.execute(statement.replace("%s", "?"), parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cursor, name)


@contextmanager
def sql_of(path: Path) -> Iterator[Cursor]:
    connection = sqlite3.connect(path, isolation_level=None, timeout=20)
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA mmap_size=268435456")
    connection.execute("PRAGMA cache_size=-32768")
    try:
        yield Cursor(connection)
    finally:
        connection.close()


def _in_transaction(cursor: Any, do: Callable[[], Any]) -> None:
    cursor.execute("BEGIN IMMEDIATE")
    do()
    cursor.execute("COMMIT")


def _quantiles(values: list[float]) -> tuple[float, float]:
    ordered = sorted(values)
    return statistics.median(ordered), ordered[int(len(ordered) * 0.95)]


def _message(uid: str) -> dict[str, Any]:
    fragment = {"ft": "content", "fId": "f0", "part": {"pt": "text", "text": "A question of some words. " * 20}}
    return {"id": uid, "role": "user", "fragments": [fragment], "created": 1_700_000_000_000, "updated": None}


def _with_last_text(chat: dict[str, Any], text: str) -> dict[str, Any]:
    return chat | {"messages": [*chat["messages"][:-1], _message(chat["messages"][-1]["id"]) | {"purposeId": text}]}


def _bare(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key != "_server"}
