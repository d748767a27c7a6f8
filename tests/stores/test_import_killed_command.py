"""An import that is killed with SIGKILL is resumed by the next one of the same file, as if nothing had happened."""

import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import generators
from tests.conftest import copy_environment
from tests.nightly import by_day
from tests.servers import execute, manage
from tests.stores.processes import (
    Undisturbed,
    import_whole,
    read_comparable,
    read_status,
    show_everything,
    start_import,
    wait_for,
)

pytestmark = pytest.mark.slow

CHATS, MESSAGES, IMAGES, MODELS = 120, 10, 40, 300
MOMENTS = 30
"""At how many random moments of a night imports are killed."""


def count(environment: dict[str, str], table: str) -> int:
    return int(execute(environment, f"SELECT count(*) FROM {table}")[0][0])


def count_asset_files(environment: dict[str, str]) -> int:
    return sum(1 for path in Path(environment["BIGAGI_DATA_DIR"], "assets").glob("??/*"))


PLACES: dict[str, Callable[[dict[str, str]], bool]] = {
    "middle": lambda environment: count(environment, "chats_conversation") > CHATS // 2,
    "stores": lambda environment: count(environment, "llms_model") > 0,
    "assets": lambda environment: count_asset_files(environment) > IMAGES // 3,
    "first chats": lambda environment: count(environment, "chats_conversation") > 0,
    "verify": lambda environment: execute(environment, "SELECT phase FROM stores_migrationrun") == [("verify",)],
}


@pytest.fixture(scope="module")
def backup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("killed") / "backup.json"
    ids = [generators.make_id(1, "chat", index) for index in range(20)]
    generators.write_backup(
        path,
        generators.make_conversations(CHATS, MESSAGES, images=IMAGES),
        stores=generators.make_stores(1, ids, models=MODELS),
        assets=(generators.make_asset(1, index) for index in range(IMAGES)),
    )
    return path


@pytest.fixture(scope="module")
def undisturbed(backup: Path, first_start: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """Import the file."""
    with copy_environment(first_start, tmp_path_factory.mktemp("undisturbed") / "data") as environment:
        began = time.monotonic()
        import_whole(backup, environment)
        return Undisturbed(time.monotonic() - began, show_everything(environment), read_comparable(environment))


def resume_and_compare(backup: Path, environment: dict[str, str], undisturbed: Undisturbed) -> None:
    told = import_whole(backup, environment)
    assert "Import 1, which was broken off, was resumed." in told
    assert execute(environment, "SELECT status, resumed FROM stores_migrationrun") == [("done", 1)]
    assert read_comparable(environment) == undisturbed.report
    assert show_everything(environment) == undisturbed.state
    assert not Path(environment["BIGAGI_DATA_DIR"], "scratch").exists()


@pytest.mark.parametrize("place", by_day(list(PLACES), each=len(PLACES)))
def test_the_next_import_resumes_one_that_was_killed(
    place: str, backup: Path, undisturbed: Undisturbed, started: dict[str, str]
):
    with start_import(backup, started) as process:
        wait_for(process, lambda: PLACES[place](started))
        process.kill()
        process.wait()
    killed = read_status(started)
    assert killed["status"] == "error"
    assert "Import the same file again" in killed["blocked_by"]
    assert all(phase["status"] != "running" for phase in killed["phases"])
    assert count(started, "chats_conversation") < CHATS or place == "verify"

    resume_and_compare(backup, started, undisturbed)


@pytest.mark.parametrize("moment", by_day(range(MOMENTS), each=MOMENTS, start=MOMENTS // 2))
def test_so_does_it_with_one_that_was_killed_at_any_moment(
    moment: int, backup: Path, undisturbed: Undisturbed, started: dict[str, str]
):
    with start_import(backup, started) as process:
        wait_for(process, lambda: count(started, "stores_migrationrun") > 0)
        time.sleep(undisturbed.seconds * (moment + random.random()) / MOMENTS / 2)
        process.kill()
        process.wait()
    if execute(started, "SELECT status FROM stores_migrationrun") == [("done",)]:
        # This machine was faster now.
        assert read_comparable(started) == undisturbed.report
        return
    resume_and_compare(backup, started, undisturbed)


def test_an_import_while_one_runs_is_refused_and_names_it(
    backup: Path, undisturbed: Undisturbed, started: dict[str, str]
):
    with start_import(backup, started) as process:
        wait_for(process, lambda: count(started, "stores_migrationrun") > 0)
        # Held still, so that it is not over before the second one looks.
        process.send_signal(signal.SIGSTOP)
        try:
            refused = manage("import_indexeddb", str(backup), environment=started)
        finally:
            process.send_signal(signal.SIGCONT)
        assert refused.returncode == 2, refused.stdout + refused.stderr
        assert "run 1" in refused.stderr and backup.name in refused.stderr and str(process.pid) in refused.stderr
        assert len(refused.stderr.strip().splitlines()) == 1
        assert process.wait(timeout=90) == 0
    assert count(started, "stores_migrationrun") == 1
    assert show_everything(started) == undisturbed.state
