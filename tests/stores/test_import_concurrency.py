"""While an import runs in a process of its own, reads are answered and a write waits for a part of it."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests import generators
from tests.stores.imports import make_chats, write_backup
from tests.stores.processes import import_whole, start_import, wait_for

pytestmark = pytest.mark.slow

CHATS = 300
LONGEST_WAIT = 0.25
"""The part of the import's time that a read or a write of somebody else may take at most."""


@pytest.fixture
def environment(started: dict[str, str]) -> dict[str, str]:
    if started.get("DATABASE_URL"):
        pytest.skip("on PostgreSQL no writer waits for another one's rows")
    return started


def test_others_read_and_write_while_an_import_runs(environment: dict[str, str], tmp_path: Path):
    mine = write_backup(tmp_path / "mine.json", make_chats(3, seed=9))
    import_whole(mine, environment)
    large = tmp_path / "large.json"
    generators.write_flash_backup(large, CHATS, 12, images=20)
    reads: list[float] = []
    writes: list[float] = []
    database = Path(environment["BIGAGI_DATA_DIR"], "bigagi.sqlite3")
    began = time.monotonic()
    with start_import(large, environment) as process, closing(sqlite3.connect(database, timeout=20)) as connection:
        connection.isolation_level = None

        def timed(statement: str) -> tuple[float, list[tuple[int]]]:
            started = time.monotonic()
            rows = connection.execute(statement).fetchall()
            return time.monotonic() - started, rows

        def use() -> bool:
            took, rows = timed("SELECT count(*) FROM chats_conversation")
            reads.append(took)
            # Only the time in which chats come in counts: before it the file is read, and nobody would wait.
            if rows[0][0] > 3:
                took, _ = timed("UPDATE chats_conversation SET user_title = 'mine' WHERE position = 0")
                writes.append(took)
            return rows[0][0] == CHATS + 3

        wait_for(process, use)
        took_all = time.monotonic() - began
        assert process.wait(timeout=90) == 0
        assert connection.execute("SELECT count(*) FROM chats_conversation WHERE user_title = 'mine'").fetchone() == (
            1,
        )
    assert len(writes) > 10, "the import was over too soon to measure"
    assert max(reads) < LONGEST_WAIT * took_all
    assert max(writes) < LONGEST_WAIT * took_all
