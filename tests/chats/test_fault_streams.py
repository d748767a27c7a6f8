"""A damaged database and a failing disk under what is streamed: exports and answers say so, and never look complete."""

import http.client
import json
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.api import make_message
from tests.chats.talking import Talker, parse_events
from tests.conftest import copy_environment
from tests.faulty_database import ERRORS
from tests.servers import Server, manage, run_server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(os.environ.get("DATABASE_URL")), reason="the pages and connections are SQLite's"),
]
CHATS = 60
PROGRAM = ("-m", "tests.faulty_database")


def read_raw(server: Server, path: str) -> tuple[int, bytes, bool]:
    """Return the status, the bytes that came, and whether the answer ended as HTTP asks for."""
    address = urlsplit(server.url)
    with closing(http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)) as connection:
        connection.request(
            "GET", path, headers={"Cookie": f"bigagi_session={server.sign_in().cookie('bigagi_session')}"}
        )
        answer = connection.getresponse()
        try:
            return answer.status, answer.read(), True
        except http.client.IncompleteRead as error:
            return answer.status, error.partial, False


@pytest.fixture(scope="module")
def pattern(first_start: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Yield the environment of a data folder with some chats, for copies."""
    with copy_environment(first_start, tmp_path_factory.mktemp("pattern") / "data") as environment:
        make_chats(environment)
        yield environment


@pytest.fixture
def filled(pattern: dict[str, str], tmp_path: Path) -> Iterator[dict[str, str]]:
    with copy_environment(pattern, tmp_path / "filled") as environment:
        yield environment


def make_chats(environment: dict[str, str]) -> None:
    with run_server(environment) as server:
        talker = Talker(server)
        for number in range(CHATS):
            messages = [make_message(f"m{at}", f"{number} {at} " + "word " * 800) for at in range(2)]
            talker.send("POST", "/api/chats", {"id": f"c{number:02}", "messages": messages}, 201)
        assert server.stop() == 0


def damage(path: Path, text: bytes) -> None:
    """Overwrite the page that holds the text, as a rotten sector would."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    content = bytearray(path.read_bytes())
    at = content.index(text) // size * size
    content[at : at + size] = b"\xa5" * size
    path.write_bytes(content)


def test_a_damaged_page_is_named_and_the_rest_is_served(filled: dict[str, str]):
    # Chats are put on top, so that this one is among the last of an export.
    damage(Path(filled["BIGAGI_DATA_DIR"]) / "bigagi.sqlite3", b"5 0 word word")
    with run_server(filled) as server:
        assert "is damaged" in "".join(server.output)
        talker = Talker(server)
        served = [talker.send("GET", f"/api/chats/c{number:02}").status for number in range(CHATS)]
        assert served.count(200) > CHATS // 2 and set(served) == {200, 500}
        broken = talker.send("GET", f"/api/chats/c{served.index(500):02}", status=500).json()
        assert broken["type"].endswith("#database-damaged")
        assert "This request only reads: nothing was changed." in broken["detail"] and "restore" in broken["detail"]
        status, content, is_whole = read_raw(server, "/api/chats/export")
        assert status == 200 and not is_whole and content.count(b"\n") > CHATS // 2
        last = json.loads(content.splitlines()[-1])
        assert last["_server"]["problem"]["type"].endswith("#database-damaged")
        # Read in longer stretches, a store may break before its first bytes.
        status, content, is_whole = read_raw(server, "/api/stores/app-chats")
        assert (status, is_whole) in ((500, True), (200, False))
        assert b"#database-damaged" in content.splitlines()[-1]
        turns = f"/chat-test/c{served.index(500):02}/turns"
        part = talker.client.get(turns, headers={"X-Bigagi-Source": "chat"})
        assert part.json()["type"].endswith("#database-damaged")
        page = talker.client.get(turns)
        assert page.status == 500 and "The database is damaged." in page.text
        assert server.stop() == 0
    done = manage("export_store", "app-chats", environment=filled)
    assert done.returncode == 2 and "The database is damaged." in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    with pytest.raises(ValueError):
        json.loads(done.stdout)


def test_what_breaks_before_the_first_bytes_has_its_own_status(filled: dict[str, str]):
    damage(Path(filled["BIGAGI_DATA_DIR"]) / "bigagi.sqlite3", f"{CHATS - 1} 0 word word".encode())
    with run_server(filled) as server:
        status, content, is_whole = read_raw(server, "/api/chats/export")
        assert status == 500 and is_whole
        assert json.loads(content)["type"].endswith("#database-damaged")
        assert server.stop() == 0


def test_an_emptied_database_is_not_taken_for_a_new_one(started: dict[str, str]):
    path = Path(started["BIGAGI_DATA_DIR"]) / "bigagi.sqlite3"
    path.write_bytes(b"")
    for arguments in (("start", "--port", "0"), ("import_indexeddb", "-")):
        done = manage(*arguments, environment=started, input="{}")
        assert done.returncode == 2
        assert "is empty (0 bytes)" in done.stderr and "restore" in done.stderr, done.stderr
        assert path.stat().st_size == 0
    path.write_bytes(b"This is no database. " * 500)
    done = manage("start", "--port", "0", environment=started)
    assert done.returncode == 2 and "The database is damaged." in done.stderr and "restore" in done.stderr
    path.unlink()
    with run_server(started) as server:
        assert "There was no database" in "".join(server.output)
        assert server.stop() == 0


def test_a_new_folder_with_an_empty_file_is_set_up(environment: dict[str, str]):
    """As a first start leaves it that was killed before its first table."""
    folder = Path(environment["BIGAGI_DATA_DIR"])
    folder.mkdir()
    (folder / "bigagi.sqlite3").write_bytes(b"")
    with run_server(environment) as server:
        assert server.sign_in().get("/").status == 200
        assert server.stop() == 0


def test_each_fault_under_an_answer_is_named_and_the_answer_is_stored_afterwards(
    started: dict[str, str], tmp_path: Path
):
    control = tmp_path / "fault"
    with run_server(started | {"BIGAGI_TEST_FAULT": str(control)}, program=PROGRAM) as server:
        talker = Talker(server)
        for kind in ERRORS:
            chat = talker.make_chat()
            control.write_text(kind)
            refused = talker.send("POST", f"/api/chats/{chat}/generate", {"message": {"text": "Hi"}})
            assert refused.json()["type"].endswith(f"#{kind}"), refused.text
            assert "neither stored nor sent" in refused.json()["detail"]
            control.write_text("")
            with talker.open(f"/api/chats/{chat}/generate", {"message": {"text": "Write much. " * 50}}) as stream:
                stream.read_until(20)
                control.write_text(kind)
                talker.send("POST", f"/api/generations/{stream.id}/stop", {}, 202)
                for _ in stream.read():
                    pass
            told = [event.data["problem"] for event in stream.events if event.name == "error"]
            assert told and told[-1]["type"].endswith(f"#{kind}"), (kind, stream.events[-3:])
            assert stream.events[-1].name == "done"
            control.write_text("")
            assert talker.wait_until_over(stream.id)["status"] == "stopped"
            replayed = parse_events(talker.send("GET", f"/api/generations/{stream.id}/events", status=200).text)
            assert replayed == stream.events
        assert server.stop() == 0


def test_a_test_of_the_model_names_the_fault(started: dict[str, str], tmp_path: Path):
    control = tmp_path / "fault"
    with run_server(started | {"BIGAGI_TEST_FAULT": str(control)}, program=PROGRAM) as server:
        talker = Talker(server)
        talker.send("POST", "/api/stores/init", {})
        control.write_text("disk-full")
        told: dict[str, Any] = talker.send("POST", "/api/test-ai?stream=false", {}, 200).json()
        assert told["ok"] is False
        [failed] = [step for step in told["steps"] if step["status"] == "failed"]
        assert re.match(r"The disk is full\. ", failed["detail"])
        assert server.stop() == 0
