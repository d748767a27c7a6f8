"""Two servers, each with a data folder of its own, on one database: neither closes what the other one does."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.chats.talking import Talker
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


@pytest.fixture
def talker(started: dict[str, str]) -> Iterator[Talker]:
    with run_provider(FaultyProvider(key=KEY)) as provider, run_server(started) as server:
        talker = Talker(server)
        talker.add_service(provider.setup(), ["slow"])
        yield talker


@contextmanager
def second_server(talker: Talker, tmp_path: Path) -> Iterator[Server]:
    with run_server(beside(talker.server.environment, tmp_path / "second")) as server:
        yield server


def test_the_start_of_another_server_leaves_streams_alone(talker: Talker, tmp_path: Path):
    chat = talker.make_chat()
    body = {"message": {"text": "Hello"}, "modelId": "faulty-slow"}
    with talker.open(f"/api/chats/{chat}/generate", body) as stream:
        stream.read_until(30)
        with second_server(talker, tmp_path) as server:
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


def test_an_answer_of_a_server_that_was_killed_is_closed_by_another_one(talker: Talker, tmp_path: Path):
    with second_server(talker, tmp_path) as server:
        other = Talker(server)
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
        # Held still, so that it is not over before the other one looks.
        process.send_signal(signal.SIGSTOP)
        try:
            with run_server(second):
                assert read_status(second)["status"] == "running"
                refused = manage("import_indexeddb", str(backup), environment=second)
        finally:
            process.send_signal(signal.SIGCONT)
        assert refused.returncode == 2 and "run 1 of backup.json" in refused.stderr
        assert process.wait(timeout=90) == 0
    assert read_status(second)["status"] == "done"
    assert execute(started, "SELECT count(*) FROM stores_migrationrun") == [(1,)]
