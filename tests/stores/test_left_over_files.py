"""What a killed backup, restore or check was writing is deleted by the next one; what a living one writes is not."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from stores.background import partial_files
from stores.background.partial_files import LEFT_OVER_AFTER, name_partial
from stores.background.processes import name_of
from stores.backups import data_check
from stores.backups.creation import AUTOMATIC_KEPT, create_backup, list_backups
from stores.backups.unfinished import UNFINISHED
from tests.servers import REPOSITORY, execute, manage


@pytest.fixture
def process() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process


def make_partial(folder: Path, name: str, owner: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a file or folder as this process would under its name."""
    monkeypatch.setattr(partial_files.processes, "name_of", lambda pid: owner)
    path = folder / name_partial(name)
    monkeypatch.undo()
    if name == UNFINISHED:
        path.mkdir(parents=True)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
    (path / "inside" if name == UNFINISHED else path).write_bytes(b"half")
    return path


@pytest.mark.parametrize(
    ("place", "name"),
    [
        *(("backups", UNFINISHED), ("", UNFINISHED), ("", ".last-check.json")),
        *(("assets", ".known-good.json"), ("assets", "incoming"), ("", ".bigagi.sqlite3")),
    ],
)
def test_the_process_decides_and_where_it_is_not_known_the_age(process, data_dir, monkeypatch, place, name):
    monkeypatch.setattr(data_check.snapshots, "is_sqlite", lambda: True)
    monkeypatch.setattr(data_check.snapshots, "_live_path", lambda: data_dir / "bigagi.sqlite3")
    folder, alive = data_dir / place, name_of(process.pid)
    paths = [make_partial(folder, name, owner, pytest.MonkeyPatch()) for owner in (alive, "elsewhere:1:1", "a:1:")]
    living, elsewhere, left = paths
    own = folder / f"{name}-mine"
    own.write_bytes(b"not of ours")
    for path in (living, left, own):
        long_ago = time.time() - LEFT_OVER_AFTER - 60
        for one in (*path.glob("*"), path):
            os.utime(one, (long_ago, long_ago))
    data_check.delete_left_over_files()
    assert living.exists() and elsewhere.exists() and not left.exists()
    process.kill()
    process.wait()
    data_check.delete_left_over_files()
    assert elsewhere.exists() and not living.exists() and own.exists() == (name != "incoming")


@pytest.mark.django_db(transaction=True)
def test_an_old_backup_that_is_deleted_by_halves_is_none(data_dir, monkeypatch):
    for _ in range(AUTOMATIC_KEPT):
        create_backup("before-import")
    with monkeypatch.context() as patch:
        patch.setattr("stores.backups.unfinished.shutil.rmtree", lambda path, **kwargs: None)
        create_backup("before-import")
    assert len(list_backups()) == AUTOMATIC_KEPT
    assert len(list(data_dir.glob(f"backups/{UNFINISHED}-*/manifest.json"))) == 1


# --- killed for real -------------------------------------------------------------------------------------------------

KILLED = """
import os, signal, sys
import django
django.setup()
from django.core.management import call_command
from stores.backups import creation, restoration, snapshots

def be_killed(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

creation.take_assets = restoration._restore_assets = snapshots.put_in_place = be_killed
call_command(*sys.argv[1:])
"""


def be_killed(environment: dict[str, str], *command: str) -> None:
    """Run the command until it has written half of what it writes."""
    variables = environment | {"DJANGO_SETTINGS_MODULE": "bigagi_site.settings"}
    done = subprocess.run([sys.executable, "-c", KILLED, *command], cwd=REPOSITORY, env=variables, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr


def unfinished(folder: Path) -> list[str]:
    names = "*.sqlite3-[0-9a-f]*", f"{UNFINISHED}-*"
    return [path.name for name in names for path in (*folder.glob(name), *folder.glob(f"backups/{name}"))]


@pytest.mark.slow
def test_the_next_command_deletes_what_a_killed_one_left(started, tmp_path):
    data, usb = tmp_path / "data", tmp_path / "usb"
    usb.mkdir()
    for folder, options in ((data, ()), (usb, ("--to", str(usb)))):
        be_killed(started, "backup", *options)
        assert unfinished(folder)
        assert manage("backup", *options, environment=started).returncode == 0
        assert unfinished(folder) == []
    [backup] = usb.iterdir()
    be_killed(started, "restore", str(backup))
    assert unfinished(data)
    assert manage("restore", str(backup), environment=started).returncode == 0
    assert unfinished(data) == []
    if connection.vendor != "sqlite":
        return
    damage_an_index(started)
    be_killed(started, "check_data", "--repair")
    assert unfinished(data)
    assert manage("check_data", "--repair", environment=started).returncode == 0
    assert unfinished(data) == []


def damage_an_index(environment: dict[str, str]) -> None:
    """Change a byte in a leaf of an index."""
    execute(environment, "PRAGMA wal_checkpoint(TRUNCATE)")
    [[size]] = execute(environment, "PRAGMA page_size")
    leaf = "SELECT pageno FROM dbstat WHERE name = 'django_content_type_app_label_model_76bd3d3b_uniq'"
    [page, *_] = execute(environment, leaf)[-1]
    path = Path(environment["BIGAGI_DATA_DIR"]) / "bigagi.sqlite3"
    content = bytearray(path.read_bytes())
    content[page * size - 1] ^= 1
    path.write_bytes(content)
