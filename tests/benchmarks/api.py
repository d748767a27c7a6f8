"""The API's requests through the real server; beside them, over the same rows and by turns, Datasette and bare views
without middleware whose SQL is written by hand (the floor)."""

import http.client
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from tests.benchmarks.copies import multiply_chats
from tests.benchmarks.measuring import Target, build_environment, cpu_of, print_slowness, print_table, run_python
from tests.benchmarks.peers import PeerMissing, run_datasette, run_floor
from tests.generators import write_flash_backup
from tests.servers import run_server

TO_FLOOR = Target(held=2.6, goal=1.5)
TO_DATASETTE = {"list 50 chats": Target(held=0.7, goal=0.7), "get a chat": Target(held=0.4, goal=0.4)}
GROWTH = Target(held=1.2, goal=1.1)
JOURNAL = 0.35
CHATS, TIMES = 1_000, 50
WARM_UP = 20
"""Rounds that are not counted: what is opened or compiled for the first requests is no part of a request."""
STORE = "app-ui"
KEPT_OPEN = 3
"""Seconds that a connection may be idle."""
_OF_CHAT = "SELECT id FROM chats_conversation WHERE uid = '{}'"
TABLES_OF_CHAT = {
    "chats_message": f"conversation_id = ({_OF_CHAT})",
    "chats_fragment": f"message_id IN (SELECT id FROM chats_message WHERE conversation_id = ({_OF_CHAT}))",
}
"""Datasette's tables that hold a chat, with the rows of one; it answers with rows, not with big-AGI's JSON."""
ONE_CHAT = (
    "SELECT * FROM chats_message m JOIN chats_fragment f ON f.message_id = m.id WHERE m.conversation_id = "
    "(SELECT id FROM chats_conversation WHERE uid = :uid) ORDER BY m.position, f.position"
)
"""The same rows by one statement that its user writes."""
BY_SQL = "get a chat by SQL"

REQUESTS = ("list 50 chats", "get a chat", "get a store", "append a message", "replace a chat")
NO_TARGET = "replace a chat"


@dataclass
class Side:
    """One server in a measurement: seconds and CPU seconds of its requests, by name."""

    client: "Client"
    pid: int
    times: dict[str, list[float]] = field(default_factory=dict)
    cpu: dict[str, list[float]] = field(default_factory=dict)

    def take(self, name: str, do: Callable[[], Any]) -> None:
        """Send one request and note what it took."""
        before, started = cpu_of(self.pid), time.perf_counter()
        do()
        self.times.setdefault(name, []).append(time.perf_counter() - started)
        self.cpu.setdefault(name, []).append(cpu_of(self.pid) - before)

    def forget(self) -> None:
        self.times, self.cpu = {}, {}

    def p50(self, name: str) -> float:
        return statistics.median(self.times[name])


def run(*, quick: bool) -> int:
    """Measure everything and print the tables; return 1 where a target is missed."""
    chats, copies, times = (40, 2, 30) if quick else (CHATS, TIMES, 300)
    try:
        with ExitStack() as stack:
            first = stack.enter_context(_folder())
            environment = _import_chats(first, chats)
            many = stack.enter_context(_folder())
            shutil.copytree(first, many, dirs_exist_ok=True)
            multiply_chats(many / "bigagi.sqlite3", copies)
            measured = [
                stack.enter_context(_prepared(chats, environment)),
                stack.enter_context(_prepared(chats * copies, build_environment(many))),
            ]
            for at in range(-WARM_UP, times):
                # By turns, so that what else goes on slows all of them alike.
                for each in measured:
                    each.measure(at)
            # Each prints its tables.
            is_met = min([each.print() for each in measured])
    except PeerMissing as error:
        sys.stderr.write(f"{error}\n")
        return 1
    few, many_chats = (each.ours for each in measured)
    growth = {name: many_chats.p50(name) / few.p50(name) for name in REQUESTS}
    print_table(
        [f"{chats * copies:,} chats over {chats:,}", "p50 / p50"],
        [[name, f"{ratio:.2f} {GROWTH}"] for name, ratio in growth.items()],
    )
    is_met &= all(GROWTH.is_held(ratio) for ratio in growth.values())
    print_slowness()
    return 0 if is_met or quick else 1


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bigagi-benchmark-") as name:
        yield Path(name)


def _import_chats(folder: Path, chats: int) -> dict[str, str]:
    environment = build_environment(folder)
    backup = folder / "backup.json"
    write_flash_backup(backup, conversations=chats)
    run_python("manage.py", "migrate", "--verbosity", "0", environment=environment)
    run_python("manage.py", "import_indexeddb", str(backup), environment=environment)
    backup.unlink()
    return environment


@contextmanager
def _prepared(chats: int, environment: dict[str, str]) -> "Iterator[Measurement]":
    """Yield what measures our server, the floor and Datasette on this data."""
    database = Path(environment["BIGAGI_DATA_DIR"]) / "bigagi.sqlite3"
    with (
        run_server(environment) as server,
        run_floor(environment) as floor,
        run_datasette(database, environment) as datasette,
    ):
        token = server.manage("create_token", "benchmark").stdout.strip()
        yield Measurement(
            chats,
            environment,
            ours=Side(Client(server.url, token), server.process.pid),
            floor=Side(Client(f"http://127.0.0.1:{floor[1]}"), floor[0]),
            datasette=Side(Client(f"http://127.0.0.1:{datasette[1]}"), datasette[0]),
        )


@dataclass
class Measurement:
    """Three servers on one database."""

    chats: int
    environment: dict[str, str]
    ours: Side
    floor: Side
    datasette: Side

    def __post_init__(self) -> None:
        client = self.ours.client
        self.uids = [chat["id"] for chat in client.get("/api/chats?page_size=200")["results"]]
        self.whole = {uid: _bare(client.get(f"/api/chats/{uid}")) for uid in self.uids}

    def measure(self, at: int) -> None:
        """Send each request once to each; numbers below 0 only warm up."""
        if at == 0:
            for side in (self.ours, self.floor, self.datasette):
                side.forget()
        uid = self.uids[at % len(self.uids)]
        self._read("list 50 chats", "/api/chats", "/bigagi/chats_conversation.json?_sort=position&_size=50")
        tables = (
            f"/bigagi/{table}.json?_where={quote(rows.format(uid))}&_size=max" for table, rows in TABLES_OF_CHAT.items()
        )
        self._read("get a chat", f"/api/chats/{uid}", *tables)
        self._read_at_datasette(BY_SQL, f"/bigagi.json?sql={quote(ONE_CHAT)}&uid={uid}")
        self._read("get a store", f"/api/stores/{STORE}")
        for side in (self.ours, self.floor):
            message = _message(f"bench-{at}")
            side.take("append a message", partial(side.client.send, "POST", f"/api/chats/{uid}/messages", message))
            # Chats stay as long as they were.
            self.ours.client.send("DELETE", f"/api/chats/{uid}/messages/{message['id']}")
        chat = self.whole[self.uids[-1 - at % 20]]
        for name, side in (("ours", self.ours), ("floor", self.floor)):
            body = _with_last_text(chat, f"{at} {name}")
            side.take("replace a chat", partial(side.client.send, "PUT", f"/api/chats/{chat['id']}", body))

    def _read(self, name: str, path: str, *at_datasette: str) -> None:
        for side in (self.ours, self.floor):
            side.take(name, partial(side.client.get, path))
        if at_datasette:
            self._read_at_datasette(name, *at_datasette)

    def _read_at_datasette(self, name: str, *paths: str) -> None:
        def get() -> None:
            for path in paths:
                assert self.datasette.client.get(path)["rows"]

        self.datasette.take(name, get)

    def print(self) -> bool:
        """Print the tables; tell whether the targets are met."""
        rows, is_met = [], True
        for name in REQUESTS:
            to_floor = self.ours.p50(name) / self.floor.p50(name)
            has_target = name != NO_TARGET
            is_met &= not has_target or TO_FLOOR.is_held(to_floor)
            cells = [f"{to_floor:.2f}" + (f" {TO_FLOOR}" if has_target else "")]
            if target := TO_DATASETTE.get(name):
                to_datasette = self.ours.p50(name) / self.datasette.p50(name)
                is_met &= target.is_held(to_datasette)
                cells += [f"{self.datasette.p50(name) * 1000:.2f}", f"{to_datasette:.2f} {target}"]
            else:
                cells += ["–", "–"]
            ours, floor = _quantiles(self.ours.times[name]), _quantiles(self.floor.times[name])
            cpu = [statistics.median(side.cpu[name]) for side in (self.ours, self.floor)]
            rows.append([name, *(f"{value * 1000:.2f}" for value in (*ours, cpu[0], *floor, cpu[1])), *cells])
        heads = ["p50, ms", "p95, ms", "CPU, ms", "floor p50, ms", "floor p95, ms", "floor CPU, ms", "p50 / floor"]
        print_table([f"{self.chats:,} chats × 21", *heads, "Datasette p50, ms", "p50 / Datasette"], rows)
        sys.stdout.write(f"\nA chat's rows by SQL from Datasette: {self.datasette.p50(BY_SQL) * 1000:.2f} ms.\n\n")
        return is_met and self._print_journal()

    def _print_journal(self) -> bool:
        share = json.loads(run_python("-m", "tests.benchmarks.floor.journal", environment=self.environment).output)
        print_table(
            ["write", "ms", "without the journal, ms", "the journal's share"],
            [
                [name, f"{both[0]:.2f}", f"{both[1]:.2f}", f"{1 - both[1] / both[0]:.0%} (≤ {JOURNAL:.0%})"]
                for name, both in share.items()
            ],
        )
        return all(1 - without / whole <= JOURNAL for whole, without in share.values())


class Client:
    """One connection that stays open."""

    def __init__(self, url: str, token: str = "") -> None:
        self.connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
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
