"""An import is taken back as a whole: by a run, from the journal, with all that it brought."""

import copy
from pathlib import Path

import pytest

from stores.models import MigrationRun
from tests import generators
from tests.stores.imports import continued, import_path, make_chats, write_backup
from tests.stores.undone_runs import read_tables, undo

pytestmark = [pytest.mark.django_db, pytest.mark.each_database, pytest.mark.usefixtures("fast_imports")]


def test_undoing_all_imports_leads_back_to_the_start_and_redoing_to_the_end(tmp_path: Path):
    chats = make_chats(5, messages=4, images=2)
    assets = [generators.make_asset(1, index) for index in range(2)]
    stores = generators.make_stores(1, [chat["id"] for chat in chats], models=4)
    later = [continued(chats[0]), chats[1], continued(chats[2], "more"), make_chats(1, seed=9)[0]]
    files = [
        write_backup(tmp_path / "1.json", chats, stores=stores, assets=assets),
        write_backup(tmp_path / "2.json", later, stores=generators.make_stores(2, [], models=6)),
    ]
    states, runs = [read_tables()], []
    for path in files:
        runs.append(import_path(path).run)
        states.append(read_tables())
    undos = []
    for run, before in zip(reversed(runs), reversed(states[:-1]), strict=True):
        undos.append(undo(run))
        assert read_tables() == before
    for run, after in zip(reversed(undos), states[1:], strict=True):
        undo(run)
        assert read_tables() == after
