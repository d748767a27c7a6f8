"""An import that is killed with SIGKILL leaves every call in the ledger once, when it is imported again."""

import json
from pathlib import Path

import pytest

from tests import generators
from tests.nightly import by_day
from tests.servers import execute, manage
from tests.stores.processes import DEADLINE, import_whole, start_import, wait_for

pytestmark = pytest.mark.slow

CHATS, MESSAGES = 150, 12


@pytest.fixture(scope="module")
def backup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("killed") / "backup.json"
    generators.write_backup(path, generators.make_conversations(CHATS, MESSAGES), stores=generators.make_stores(1, []))
    return path


def calls_in(path: Path) -> list[tuple[int, int]]:
    """Return time and tenths of micro-dollars of each call in the file, by the file alone."""
    storage = json.loads(path.read_bytes())["storage"]
    chats = json.loads(storage["indexedDB"]["keyval-store"]["keyval"][0]["value"])["state"]["conversations"]
    found = {}
    for chat in chats:
        for message in chat["messages"]:
            generator = message.get("generator", {})
            if metrics := generator.get("metrics"):
                key = json.dumps([generator.get("aix"), message["created"], metrics], sort_keys=True)
                found[key] = (message["created"], round(metrics["$c"] * 10_000))
    return sorted(found.values())


def ledger(environment: dict[str, str]) -> list[tuple[int, int]]:
    rows = execute(environment, "SELECT at, cost_nano_usd FROM metrics_usageevent WHERE source = 'import'")
    assert all(cost % 1000 == 0 for _, cost in rows)
    return sorted((at, cost // 1000) for at, cost in rows)


@pytest.mark.parametrize("share", by_day([10, 2], each=2))
def test_a_killed_import_is_completed_call_by_call(share: int, backup: Path, started: dict[str, str]) -> None:
    expected = calls_in(backup)
    assert len(expected) > CHATS
    with start_import(backup, started) as process:
        wait_for(process, lambda: len(ledger(started)) > len(expected) // share)
        process.kill()
        process.wait()
    written = ledger(started)
    chats = int(execute(started, "SELECT count(*) FROM chats_conversation")[0][0])
    assert len(written) < len(expected) and chats < CHATS
    # What is there of the chats is there of their calls.
    told = manage("rebuild_ledger", "--check", environment=started, timeout=DEADLINE)
    assert told.returncode == 0, told.stdout + told.stderr

    for _ in range(2):
        printed = import_whole(backup, started)
        assert ledger(started) == expected
        assert f"{len(expected):,} calls from imported messages in the ledger" in printed
    again = manage("rebuild_ledger", environment=started, timeout=DEADLINE)
    assert again.returncode == 0 and again.stdout.startswith("Nothing was missing"), again.stdout + again.stderr
