"""An undo that is killed with SIGKILL is completed by another call, as if nothing had happened; and, by the server, it
goes on after the answer."""

import random
from pathlib import Path
from typing import Any

import pytest

from tests import forking, generators
from tests.conftest import copy_environment
from tests.nightly import by_day
from tests.servers import execute, manage, run_server
from tests.stores.imports import continued
from tests.stores.processes import DEADLINE, import_whole, read_status, show_everything, wait_for
from tests.stores.test_upload_api import wait

pytestmark = pytest.mark.slow

CHATS, MESSAGES = 120, 10


@pytest.fixture(scope="module")
def imported(first_start: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A data folder with two imports, of which the second changed chats of the first."""
    folder = tmp_path_factory.mktemp("undone")
    chats = list(generators.make_conversations(CHATS, MESSAGES, images=4))
    later = [continued(chat) for chat in chats[::2]]
    stores = generators.make_stores(1, [chat["id"] for chat in chats[:20]], models=200)
    with copy_environment(first_start, folder / "data") as environment:
        import_whole(_write(folder / "1.json", chats, stores), environment)
        before = _see(environment)
        import_whole(_write(folder / "2.json", [*later, *generators.make_conversations(60, 5, 9)], stores), environment)
        yield environment, before


def _write(path: Path, chats: list[Any], stores: Any) -> Path:
    generators.write_backup(path, chats, stores=stores, assets=(generators.make_asset(1, at) for at in range(4)))
    return path


@pytest.mark.parametrize("moment", by_day([random.Random(seed).random() for seed in range(30)], each=30))
def test_it_is_completed_by_another_call(moment: float, imported: Any, tmp_path: Path):
    source, before = imported
    with copy_environment(source, tmp_path / "data") as environment:
        process = forking.start(("manage.py",), ["undo_migration", "2"], environment, is_merged=True)
        try:
            wait_for(process, lambda: _count(environment) > moment * 150)
        finally:
            process.kill()
            process.communicate(timeout=DEADLINE)
        killed = read_status(environment)
        assert (killed["purpose"], killed["status"]) == ("undo", "error"), killed
        assert "To complete it now, undo the same run again." in killed["blocked_by"]

        done = manage("undo_migration", "2", environment=environment, timeout=DEADLINE)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "120 chats" in done.stdout and "taken back, verified." in done.stdout
        assert execute(environment, "SELECT count(*) FROM stores_migrationrun") == [(3,)]
        assert execute(environment, "SELECT count(*) FROM stores_change WHERE run_id = 3") == [(1,)]
        assert _see(environment) == before


def _see(environment: dict[str, str]) -> Any:
    """Return all that is here, and what its calls come to."""
    calls = execute(environment, "SELECT sum(calls), sum(cost_nano_usd), sum(output_tokens) FROM metrics_usageevent")
    return show_everything(environment), calls


def _count(environment: dict[str, str]) -> int:
    return int(execute(environment, "SELECT count(*) FROM stores_runrecord WHERE run_id = 3")[0][0])


def test_the_server_undoes_after_the_answer(imported: Any, tmp_path: Path):
    source, before = imported
    with copy_environment(source, tmp_path / "data") as environment, run_server(environment) as server:
        client = server.sign_in()
        answer = client.post("/api/migrations/2/undo")
        assert answer.status == 202, answer.text
        run = wait(client, answer.headers["Location"])
        assert run["status"] == "done" and "taken back, verified." in run["certificate"]["proof"]
        assert client.get("/api/migrations/2").json()["undone_by"] == run["id"]
        assert _see(environment) == before
