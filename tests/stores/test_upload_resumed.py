"""An upload goes on when its server is killed and starts again, and ends as one that nothing disturbed."""

import random
import time
from pathlib import Path
from typing import Any

import pytest

from tests import generators
from tests.conftest import copy_environment
from tests.nightly import by_day
from tests.servers import Client, execute, run_server
from tests.stores.processes import DEADLINE, Undisturbed, read_comparable, show_everything

pytestmark = pytest.mark.slow

JSON = {"Content-Type": "application/json"}
PATH = "/api/migrations"
MOMENTS = 30
"""At how many random moments of a night servers are killed."""


@pytest.fixture(scope="module")
def backup(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("uploads") / "backup.json"
    ids = [generators.make_id(1, "chat", index) for index in range(20)]
    generators.write_backup(
        path,
        generators.make_conversations(150, 8, images=10),
        stores=generators.make_stores(1, ids, models=60),
        assets=(generators.make_asset(1, index) for index in range(10)),
    )
    return path.read_bytes()


@pytest.fixture(scope="module")
def undisturbed(backup: bytes, first_start: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    with copy_environment(first_start, tmp_path_factory.mktemp("undisturbed") / "data") as environment:
        with run_server(environment) as server:
            began = time.monotonic()
            send(server.sign_in(), backup)
            wait_until_over(server.sign_in())
            seconds = time.monotonic() - began
        return Undisturbed(seconds, show_everything(environment), read_comparable(environment))


def send(client: Client, backup: bytes) -> None:
    answer = client.post(f"{PATH}?filename=upload.json", backup, headers=JSON)
    assert answer.status == 202, answer.text


def wait_until_over(client: Client) -> dict[str, Any]:
    """Return the run when it is done."""
    deadline = time.monotonic() + DEADLINE
    while (run := client.get(f"{PATH}/1").json())["status"] == "running" or run["blocked_by"]:
        assert time.monotonic() < deadline, run
        time.sleep(0.05)
    return run


def uploads_of(environment: dict[str, str]) -> list[Path]:
    return [path for path in Path(environment["BIGAGI_DATA_DIR"], "uploads").iterdir() if path.is_dir()]


@pytest.mark.parametrize("moment", by_day(range(MOMENTS), each=MOMENTS, start=MOMENTS // 2))
def test_an_upload_goes_on_when_its_server_starts_again(
    moment: int, backup: bytes, undisturbed: Undisturbed, started: dict[str, str]
):
    with run_server(started) as server:
        send(server.sign_in(), backup)
        time.sleep(undisturbed.seconds * (moment + random.random()) / MOMENTS)
        server.process.kill()
        server.process.wait()
    with run_server(started) as server:
        run = wait_until_over(server.sign_in())
    assert run["status"] == "done"
    assert execute(started, "SELECT count(*) FROM stores_migrationrun") == [(1,)]
    assert read_comparable(started) == undisturbed.report
    assert show_everything(started) == undisturbed.state
    # The file is not needed any more.
    assert uploads_of(started) == []


def test_one_that_was_broken_off_again_and_again_waits_to_be_asked(
    backup: bytes, undisturbed: Undisturbed, started: dict[str, str]
):
    with run_server(started) as server:
        send(server.sign_in(), backup)
        server.process.kill()
        server.process.wait()
    execute(started, "UPDATE stores_migrationrun SET resumed = 3")
    with run_server(started) as server:
        client = server.sign_in()
        told = client.get(f"{PATH}/1").json()
        assert told["status"] == "error" and f"{PATH}/1/resume" in told["blocked_by"]
        assert len(uploads_of(started)) == 1
        answer = client.post(f"{PATH}/1/resume", b"", headers=JSON)
        assert answer.status == 202 and answer.headers["Location"] == f"{PATH}/1", answer.text
        assert wait_until_over(client)["status"] == "done"
    assert read_comparable(started) == undisturbed.report
    assert show_everything(started) == undisturbed.state


def test_the_command_resumes_an_upload_and_says_so_where_its_file_is_gone(
    backup: bytes, undisturbed: Undisturbed, started: dict[str, str]
):
    with run_server(started) as server:
        send(server.sign_in(), backup)
        server.process.kill()
        server.process.wait()
        done = server.manage("import_indexeddb", "--resume", timeout=DEADLINE)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Import 1, which was broken off, was resumed." in done.stdout
        assert show_everything(started) == undisturbed.state
        assert uploads_of(started) == []
        again = server.manage("import_indexeddb", "--resume", "1", timeout=DEADLINE)
        assert again.returncode == 2 and "has finished" in again.stderr
        execute(started, "UPDATE stores_migrationrun SET status = 'error', certificate = NULL, source_path = 'a/b'")
        gone = server.manage("import_indexeddb", "--resume", timeout=DEADLINE)
        assert gone.returncode == 2 and "Import the same file again" in gone.stderr
