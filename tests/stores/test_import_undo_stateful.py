"""Any imports, in any order and repeatedly, with any edits between: undone in reverse order they lead back to the
start, table by table, and undone once more to the end."""

import random
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given
from hypothesis import strategies as st

from stores.importers.file_facts import Strategy
from stores.importers.importer import Options, import_file
from stores.models import MigrationRun
from stores.records.errors import ServiceError
from stores.records.preconditions import Stale
from tests import generators
from tests.nightly import by_day, settings_for
from tests.stores.imports import import_path, undone, write_backup
from tests.stores.test_import_convergence import BROWSERS, Browsers, quiet_importer, random_ways, write_here
from tests.stores.undone_runs import read_tables, undo
from tests.stores.whole_state import assert_sound
from tests.stores.writes import WRITES, backups, steps

pytestmark = [pytest.mark.django_db, pytest.mark.each_database]


def assert_same_tables(found: dict[str, Any], expected: dict[str, Any], when: str) -> None:
    for name, rows in expected.items():
        if found[name] != rows:
            more = [row for row in found[name] if row not in rows][:2] if isinstance(rows, list) else found[name]
            less = [row for row in rows if row not in found[name]][:2] if isinstance(rows, list) else rows
            raise AssertionError(f"{when}: {name}: there are {more} in the place of {less}")


def walk_back_and_forth(runs: list[MigrationRun], states: list[dict[str, Any]]) -> None:
    """Undo the runs, of which `states` are the tables before each and after the last, and then the undos."""
    undos = []
    for run, before in zip(reversed(runs), reversed(states[:-1]), strict=True):
        undos.append(undo(run))
        assert_same_tables(read_tables(), before, f"undo of run {run.pk}")
    for by, after in zip(reversed(undos), states[1:], strict=True):
        undo(by)
        assert_same_tables(read_tables(), after, f"undo of the undo {by.pk}")


class Walk:
    """Imports, each a run, with the tables before each and after the last."""

    def __init__(self) -> None:
        self.runs: list[MigrationRun] = []
        self.states = [read_tables()]

    def import_file(self, path: Path, **options: Any) -> None:
        run = import_path(path, **options).run
        assert run is not None
        self.runs.append(run)
        self.states.append(read_tables())


def make_files(folder: Path, seed: int) -> list[Path]:
    """Write files of several browsers: chats that went their own ways, folders, and what each browser counted."""
    rng = random.Random(seed)
    world = Browsers(folder)
    for name, *values in random_ways(seed)[0]:
        getattr(world, name)(*values)
    for browser in range(BROWSERS):
        world.export(browser, "flash")
    for at in range(3):
        stores = generators.make_stores(rng.randrange(3), ["c0", "c1"], models=3)
        counts = {"totalCosts": at, "usageCount": rng.randrange(9), "lastUsageDate": rng.randrange(9)}
        counted = {"serviceMetrics": {"openai": counts | {"firstUsageDate": rng.randrange(3)}}}
        device = {"state": {"localDeviceId": f"device-{rng.randrange(2)}"}, "version": 0}
        own = {"app-metrics": {"state": counted, "version": 0}, "app-device": device}
        chats = list(generators.make_conversations(2, 3, rng.randrange(3), 2))
        images = [generators.make_asset(rng.randrange(3), index, side=8) for index in range(2)]
        world.files.append(write_backup(folder / f"s{at}.json", chats, stores=stores | own, assets=images))
    return world.files


@pytest.mark.parametrize("seed", by_day(range(30), each=15))
def test_imports_of_several_browsers_are_undone_in_reverse_order(seed: int):
    with quiet_importer() as folder, undone():
        files, rng = make_files(folder, seed), random.Random(seed)
        walk = Walk()
        for path in rng.choices(files, k=7):
            strategy = rng.choice([*[Strategy.MERGE] * 5, *Strategy])
            walk.import_file(path, strategy=strategy, restore_deleted=rng.random() < 0.2)
        walk_back_and_forth(walk.runs, walk.states)


@pytest.mark.parametrize("seed", by_day(range(30), each=15))
def test_what_was_changed_between_and_since_stays(seed: int):
    """Deeds here stand on the imports: an undo keeps what they changed, and the undo of that leads back."""
    with quiet_importer() as folder, undone():
        files, rng = make_files(folder, seed), random.Random(seed)
        walk = Walk()
        for number, path in enumerate(rng.choices(files, k=5)):
            walk.import_file(path)
            write_here(rng.randrange(6), rng.choice(("append", "edit", "delete", "rename", "delete chat")), number)
        now = read_tables()
        run = rng.choice(walk.runs)
        for force in (False, True):
            undo(undo(run, force=force))
            assert_same_tables(read_tables(), now, f"undo of run {run.pk} and of that, {force=}")


# Taking a failure down to its smallest steps takes minutes, and the steps are told without that.
@settings_for(seconds=1.5, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(first=backups(), second=backups(), deeds=st.lists(steps(), max_size=4))
def test_odd_and_damaged_files_are_undone_with_all_that_they_brought(
    tmp_path: Path, first: str, second: str, deeds: list[Any]
):
    with quiet_importer() as folder, undone():
        runs, states = [], [read_tables()]
        for number, text in enumerate((first, second)):
            path = folder / f"{number}.agi.json"
            path.write_bytes(text.encode())
            run = import_file(path, Options()).run
            assert run is not None
            runs.append(run)
            states.append(read_tables())
        walk_back_and_forth(runs, states)
        assert_sound()
        for name, at, other, value in deeds:
            try:
                WRITES[name][0](at, other, value)
            except (ServiceError, Stale):
                continue
        now = read_tables()
        for force in (False, True):
            undo(undo(runs[0], force=force))
            found = read_tables()
            # Parts of a record that several imports brought are told to be of the last one; and places that a deletion
            # left empty are closed.
            for tables, name in product((found, now), ("Quarantine", "Message", "Fragment")):
                for row in tables[name]:
                    row.pop("run_id", None)
                    row.pop("position", None)
            assert_same_tables(found, now, f"after deeds, {force=}")
        assert_sound()
