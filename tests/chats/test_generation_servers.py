"""Two servers, each with a data folder of its own, on one database: neither closes what the other one does."""

import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from tests.chats.talking import Talker
from tests.conftest import copy_environment
from tests.faulty_provider import KEY, FaultyProvider
from tests.providers import run_provider
from tests.servers import Server, build_environment, execute, manage, run_server
from tests.stores.imports import make_chats, write_backup
from tests.stores.processes import read_status, start_import, wait_for

pytestmark = pytest.mark.slow


def beside(first: dict[str, str], data_dir: Path) -> dict[str, str]:
    """Return the environment of another data folder on the same database, with the same key."""
    url = first.get("DATABASE_URL") or f"sqlite:///{first['BIGAGI_DATA_DIR']}/bigagi.sqlite3"
    key = f"{first['BIGAGI_DATA_DIR']}/secrets.key"
    return build_environment(data_dir, DATABASE_URL=url, BIGAGI_KEY_FILE=key)


@pytest.fixture(scope="module")
def talker(first_start: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Talker]:
    data_dir = tmp_path_factory.mktemp("first") / "data"
    with (
        copy_environment(first_start, data_dir) as environment,
        run_provider(FaultyProvider(key=KEY)) as provider,
        run_server(environment) as server,
    ):
        talker = Talker(server)
        provider.slow_words = 3_000
        talker.add_service(provider.setup(), ["slow"])
        yield talker


@pytest.fixture(scope="module")
def second_server(talker: Talker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with run_server(beside(talker.server.environment, tmp_path_factory.mktemp("second") / "data")) as server:
        yield server


@contextmanager
def fallen_asleep(process: "Popen[str]", environment: dict[str, str], statement: str) -> Iterator[None]:
    """Stop a process for the block, at a moment at which it writes nothing, and change the database then."""
    with writing(environment) as execute_in:
        # This waits for what it writes, and keeps it from more.
        execute_in(statement)
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


@contextmanager
def writing(environment: dict[str, str]) -> Iterator[Callable[[str], Any]]:
    """Yield what executes statements in one transaction."""
    if url := environment.get("DATABASE_URL"):
        import psycopg

        with psycopg.connect(url) as connection:
            yield connection.execute
        return
    path = Path(environment["BIGAGI_DATA_DIR"]) / "bigagi.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None, timeout=20)) as database:
        database.execute("BEGIN IMMEDIATE")
        yield database.execute
        database.execute("COMMIT")


def test_the_start_of_another_server_leaves_streams_alone(talker: Talker, tmp_path: Path):
    chat = talker.make_chat()
    body = {"message": {"text": "Hello"}, "modelId": "faulty-slow"}
    with talker.open(f"/api/chats/{chat}/generate", body) as stream:
        stream.read_until(30)
        with run_server(beside(talker.server.environment, tmp_path / "second")) as server:
            other = Talker(server)
            assert other.get(f"/api/generations/{stream.id}")["status"] == "running"
            assert other.get(f"/api/chats/{chat}")["messages"][1]["pendingIncomplete"] is True
            # What it keeps from now on is read by the other one too.
            stream.read_until(len(stream.text) + 100)
            refused = other.send("POST", f"/api/chats/{chat}/generate", body, 409).json()
            assert stream.id in refused["detail"]
            other.send("POST", f"/api/generations/{stream.id}/stop", {}, 202)
            *_, last = stream.read()
            assert last.name == "done"
            assert other.wait_until_over(stream.id)["status"] == "stopped"
    message = talker.last_message(chat)
    assert message["generator"]["tokenStopReason"] == "client-abort"
    assert message["fragments"][0]["part"]["text"].startswith(stream.text[:100])


def test_a_server_that_slept_leaves_alone_what_another_one_closed(talker: Talker, second_server: Server):
    chats = [talker.make_chat(), talker.make_chat()]
    body = {"message": {"text": "Hello"}, "modelId": "faulty-slow"}
    with (
        talker.open(f"/api/chats/{chats[0]}/generate", body) as closed,
        talker.open(f"/api/chats/{chats[1]}/generate", body) as kept,
    ):
        other = Talker(second_server)
        process, environment = talker.server.process, talker.server.environment
        closed.read_until(30)
        kept.read_until(30)
        with fallen_asleep(
            process, environment, f"UPDATE chats_generation SET lease_until = 0 WHERE uid = '{closed.id}'"
        ):
            assert other.wait_until_over(closed.id)["status"] == "error"
            message = other.last_message(chats[0])
        *_, last = closed.read()
        assert (last.name, last.data["status"], last.data["message"]) == ("reset", "error", message)
        # What runs beside it goes on, and what it keeps is stored.
        kept.read_until(len(kept.text) + 100)
        talker.send("POST", f"/api/generations/{kept.id}/stop", {}, 202)
        *_, last = kept.read()
        assert last.name == "done"
        assert other.wait_until_over(kept.id)["status"] == "stopped"
        assert other.last_message(chats[0]) == message


def test_an_answer_of_a_server_that_was_killed_is_closed_by_another_one(talker: Talker, second_server: Server):
    """The last one with the first server."""
    other = Talker(second_server)
    chat = talker.make_chat()
    with talker.open(f"/api/chats/{chat}/generate", {"message": {"text": "x"}, "modelId": "faulty-slow"}) as stream:
        stream.read_until(30)
        talker.server.process.kill()
        talker.server.process.wait()
    # Nobody asked the other one for an answer, which would wake its engine.
    assert other.wait_until_over(stream.id)["status"] == "error"
    assert other.last_message(chat)["fragments"][-1]["part"]["pt"] == "error"


def test_the_start_of_another_server_leaves_an_import_alone(started: dict[str, str], tmp_path: Path):
    backup = write_backup(tmp_path / "backup.json", make_chats(30, 4))
    second = beside(started, tmp_path / "second")
    with start_import(backup, started) as process:
        wait_for(process, lambda: execute(started, "SELECT count(*) FROM stores_migrationrun") != [(0,)])
        # Held still, so that it is not over before the other one looks, however slow that is.
        longer = "UPDATE stores_migrationrun SET lease_until = lease_until + 3600000"
        with fallen_asleep(process, started, longer), run_server(second):
            assert read_status(second)["status"] == "running"
            refused = manage("import_indexeddb", str(backup), environment=second)
        assert refused.returncode == 2 and "run 1 of backup.json" in refused.stderr
        assert process.wait(timeout=90) == 0
    assert read_status(second)["status"] == "done"
    assert execute(started, "SELECT count(*) FROM stores_migrationrun") == [(1,)]


def test_an_import_that_slept_ends_where_another_server_took_it_up(started: dict[str, str], tmp_path: Path):
    backup = write_backup(tmp_path / "backup.json", make_chats(60, 4))
    second = beside(started, tmp_path / "second")
    with start_import(backup, started) as process:
        wait_for(process, lambda: execute(started, "SELECT count(*) FROM chats_conversation")[0][0] > 10)
        with fallen_asleep(process, started, "UPDATE stores_migrationrun SET lease_until = 0"):
            assert manage("import_indexeddb", str(backup), environment=second).returncode == 0
            runs = execute(started, "SELECT * FROM stores_migrationrun ORDER BY id")
        told = process.communicate(timeout=90)[0]
    assert process.returncode == 0 and "Another server has taken up this import" in told
    assert execute(started, "SELECT * FROM stores_migrationrun ORDER BY id") == runs
    assert execute(started, "SELECT status FROM stores_migrationrun ORDER BY id") == [("done",)]
    assert manage("verify_migration", str(backup), environment=second).returncode == 0
