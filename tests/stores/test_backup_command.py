import hashlib
import json
import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from stores.background.leases import GRACE_MS, LEASE_MS, next_end
from tests.conftest import copy_environment
from tests.servers import execute, manage, run_server

pytestmark = [pytest.mark.slow, pytest.mark.each_database]

CONTENT = b"\x89PNG the picture"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def filled(started, tmp_path):
    """A data folder with a store named `before`, an asset and a key file."""
    write(started, "before")
    asset = tmp_path / "data" / "assets" / DIGEST[:2] / DIGEST
    asset.parent.mkdir(parents=True)
    asset.write_bytes(CONTENT)
    return started


def write(environment, name):
    execute(environment, INSERT.format(name=name))


INSERT = (
    "INSERT INTO stores_store (name, shape, data, revision, content_hash, created_at, updated_at)"
    " VALUES ('{name}', 'value', '1', 1, '', '2026-01-01 00:00:00', '2026-01-01 00:00:00')"
)


def read(environment):
    return [row[0] for row in execute(environment, "SELECT name FROM stores_store")]


def back_up(environment, target):
    done = manage("backup", "--to", str(target), environment=environment)
    assert done.returncode == 0, done.stderr
    return done


def assert_refused(done, *parts):
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    for part in parts:
        assert part in done.stderr


def test_a_backup_names_its_place_and_the_key_file(filled, tmp_path):
    done = manage("backup", environment=filled)
    path = next((tmp_path / "data" / "backups").iterdir())
    assert str(path) in done.stdout
    assert f"The key file is not in it: keep a copy of {tmp_path / 'data' / 'secrets.key'}" in done.stdout


def test_a_restore_brings_back_what_was_and_keeps_what_is(filled, tmp_path):
    back_up(filled, tmp_path / "backup")
    write(filled, "after")
    (tmp_path / "data" / "assets" / DIGEST[:2] / DIGEST).unlink()
    done = manage("restore", str(tmp_path / "backup"), environment=filled)
    assert done.returncode == 0, done.stderr
    assert "after" not in read(filled)
    assert (tmp_path / "data" / "assets" / DIGEST[:2] / DIGEST).read_bytes() == CONTENT
    kept = next((tmp_path / "data" / "backups").glob("*-before-restore"))
    assert str(kept) in done.stdout
    assert manage("restore", str(kept), environment=filled).returncode == 0
    assert "after" in read(filled)
    with run_server(filled) as server:
        assert server.sign_in().get("/").status == 200


def test_a_restore_into_an_empty_folder_serves_again(filled, tmp_path):
    if "DATABASE_URL" in filled:
        pytest.skip("the database is not in the folder")
    back_up(filled, tmp_path / "backup")
    elsewhere = filled | {"BIGAGI_DATA_DIR": str(tmp_path / "elsewhere")}
    done = manage("restore", str(tmp_path / "backup"), environment=elsewhere)
    assert done.returncode == 0, done.stderr
    assert "Copy your key file" in done.stdout
    assert "The previous data was saved" not in done.stdout
    with run_server(elsewhere) as server:
        assert server.sign_in().get("/").status == 200
    assert "before" in read(elsewhere)


def test_a_restore_beside_a_running_server_is_refused(filled, tmp_path):
    back_up(filled, tmp_path / "backup")
    with run_server(filled) as server:
        assert_refused(server.manage("restore", str(tmp_path / "backup")), "A server is running", "stop it")
        assert server.sign_in().get("/").status == 200


@pytest.mark.parametrize("is_answered_for", [True, False])
def test_a_restore_beside_a_running_import_is_refused(filled, tmp_path, is_answered_for):
    back_up(filled, tmp_path / "backup")
    # One of another machine, whose process here would be somebody else's.
    until = next_end() - (0 if is_answered_for else LEASE_MS + GRACE_MS)
    execute(
        filled,
        "INSERT INTO stores_migrationrun (status, phase, phases, counts, errors, notes, last_completed_task, next_task,"
        " blocked_by, source_name, source_kind, source_size, source_sha256, source_taken_at, source_device,"
        " position_base, pid, owner, lease_until, started_at)"
        " VALUES ('running', '', '[]', '{}', '[]', '[]', '', '', '', 'x', '', 0, '', '', '', 0,"
        f" 1, 'elsewhere:1:1', {until}, '2026-01-01 00:00:00')",
    )
    done = manage("restore", str(tmp_path / "backup"), environment=filled)
    if is_answered_for:
        assert_refused(done, "Import 1 is running")
    else:
        assert done.returncode == 0, done.stderr


def test_a_restore_while_another_process_has_the_database_open_changes_nothing(filled, tmp_path):
    if "DATABASE_URL" in filled:
        pytest.skip("PostgreSQL locks by itself")
    back_up(filled, tmp_path / "backup")
    write(filled, "after")
    with closing(sqlite3.connect(tmp_path / "data" / "bigagi.sqlite3")) as other:
        other.execute("SELECT count(*) FROM stores_store").fetchone()
        done = manage("restore", str(tmp_path / "backup"), environment=filled)
    assert_refused(done, "another process has", "stop it")
    assert "after" in read(filled)


def make_asset(environment, content):
    """Write the file of an asset, and return its path below the data folder."""
    digest = hashlib.sha256(content).hexdigest()
    path = Path(environment["BIGAGI_DATA_DIR"], "assets", digest[:2], digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return Path("assets", digest[:2], digest)


def change(path):
    """Flip a bit of the file in its place."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(content)


@pytest.fixture
def elsewhere():
    """A folder on another file system than the data, where the machine has one."""
    place = Path("/dev/shm")
    if not os.access(place, os.W_OK):
        pytest.skip("there is no second file system")
    with tempfile.TemporaryDirectory(prefix="bigagi-drill-", dir=place) as folder:
        yield Path(folder)


def test_a_drill_brings_back_everything_that_is_good_and_names_the_rest(filled, tmp_path, elsewhere):
    data, backup = tmp_path / "data", elsewhere / "backup"
    contents = [b"good in both", b"damaged here", b"gone here", b"damaged there", b"damaged in both", b"gone there"]
    files = [make_asset(filled, content) for content in contents]
    good, bad_here, gone_here, bad_there, bad_in_both, gone_there = files
    back_up(filled, backup)
    write(filled, "after")
    for path in (data / bad_here, data / bad_in_both, backup / bad_there, backup / bad_in_both):
        change(path)
    (data / gone_here).unlink()
    (backup / gone_there).unlink()
    done = manage("restore", str(backup), environment=filled)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "before" in read(filled) and "after" not in read(filled)
    for file, content in zip(files, contents, strict=True):
        assert ((data / file).read_bytes() == content) == (file != bad_in_both)
        assert (str(backup / file) in done.stderr) == (file in (bad_there, bad_in_both, gone_there))
        assert (data / file).stat().st_nlink == 1
    assert "Replaced 1 damaged file here, from the backup" in done.stdout
    assert "All else was restored" in done.stderr
    again = manage("check_data", environment=filled)
    assert again.returncode == 1 and str(data / bad_in_both) in again.stderr and str(data / good) not in again.stderr


@pytest.mark.any_database
def test_a_whole_backup_on_another_file_system_is_restored(filled, tmp_path, elsewhere):
    back_up(filled, elsewhere / "backup")
    write(filled, "after")
    change(tmp_path / "data" / "assets" / DIGEST[:2] / DIGEST)
    done = manage("restore", str(elsewhere / "backup"), environment=filled)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "data" / "assets" / DIGEST[:2] / DIGEST).read_bytes() == CONTENT
    assert "before" in read(filled) and "after" not in read(filled)


@pytest.mark.any_database
@pytest.mark.parametrize("content", ["", json.dumps({"format": 1})])
def test_a_damaged_manifest_is_named_and_keeps_nothing_back(filled, tmp_path, content):
    back_up(filled, tmp_path / "backup")
    write(filled, "after")
    (tmp_path / "backup" / "manifest.json").write_text(content)
    done = manage("restore", str(tmp_path / "backup"), environment=filled)
    assert done.returncode == 1 and f"{tmp_path / 'backup' / 'manifest.json'} cannot be read" in done.stderr
    assert "after" not in read(filled)


def test_a_backup_from_before_there_were_sums_is_restored_as_a_good_one(filled, tmp_path):
    assert manage("backup", environment=filled).returncode == 0
    [backup] = (tmp_path / "data" / "backups").iterdir()
    manifest = json.loads((backup / "manifest.json").read_text())
    older = {key: value for key, value in manifest.items() if key not in ("sha256", "lost", "assets_size")}
    (backup / "manifest.json").write_text(json.dumps(older))
    (backup / "SHA256SUMS").unlink()
    write(filled, "after")
    back_up(filled, tmp_path / "damaged")
    database = next((tmp_path / "damaged").glob("bigagi.*"))
    database.write_bytes(database.read_bytes()[:-5000])
    assert_refused(manage("restore", str(tmp_path / "damaged"), environment=filled), str(backup))
    done = manage("restore", str(backup), environment=filled)
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert "could not be compared" in done.stdout and "has no sum of it" in done.stdout
    assert "after" not in read(filled)


def test_a_database_that_does_not_hold_together_is_refused_and_another_backup_is_named(filled, tmp_path):
    assert manage("backup", environment=filled).returncode == 0
    whole = next((tmp_path / "data" / "backups").iterdir())
    back_up(filled, tmp_path / "backup")
    write(filled, "after")
    database = next((tmp_path / "backup").glob("bigagi.*"))
    database.write_bytes(database.read_bytes()[:-5000])
    done = manage("restore", str(tmp_path / "backup"), environment=filled)
    assert_refused(done, str(database), "Nothing was restored", str(whole))
    assert "after" in read(filled)


@pytest.mark.any_database
@pytest.mark.parametrize("place", ["bigagi.sqlite3", "assets", f"assets/{DIGEST[:2]}/{DIGEST}"])
def test_a_symbolic_link_in_a_backup_is_refused(filled, tmp_path, place):
    if "DATABASE_URL" in filled:
        pytest.skip("the database has another name there")
    back_up(filled, tmp_path / "backup")
    write(filled, "after")
    path = tmp_path / "backup" / place
    path.rename(tmp_path / "moved")
    path.symlink_to(tmp_path / "moved")
    assert_refused(manage("restore", str(tmp_path / "backup"), environment=filled), str(path), "symbolic link")
    assert "after" in read(filled)


@pytest.mark.any_database
def test_check_data_names_what_is_damaged_and_mends_it_from_a_backup(filled, tmp_path):
    done = manage("check_data", environment=filled)
    assert done.returncode == 0 and "The database and 1 image or audio file are undamaged." in done.stdout
    assert manage("backup", environment=filled).returncode == 0
    asset = tmp_path / "data" / "assets" / DIGEST[:2] / DIGEST
    change(asset)
    lost = tmp_path / "data" / make_asset(filled, b"in no backup")
    change(lost)
    done = manage("check_data", environment=filled)
    assert done.returncode == 1 and str(asset) in done.stderr and "check_data --repair" in done.stderr
    done = manage("check_data", "--repair", environment=filled)
    assert done.returncode == 1 and f"Repaired assets/{DIGEST[:2]}/{DIGEST}" in done.stdout
    assert asset.read_bytes() == CONTENT
    assert lost.name in done.stderr.splitlines()[-1] and DIGEST not in done.stderr.splitlines()[-1]
    lost.unlink()
    assert manage("check_data", environment=filled).returncode == 0


def test_the_drill_with_a_backup_of_another_version_ends_and_says_what_to_do(filled, tmp_path):
    """Restored, checked, migrated, checked: each step of README's drill, before any server was started."""
    make_older(filled)
    back_up(filled, tmp_path / "backup")
    with copy_environment(filled, tmp_path / "drill") as drill:
        done = manage("restore", str(tmp_path / "backup"), environment=drill)
        assert done.returncode == 0, done.stderr
        for version, way_out in (("an earlier version", "manage.py migrate"), ("a newer version", "Update bigagi")):
            done = manage("check_data", environment=drill, timeout=60)
            assert done.returncode == 0 and not done.stderr, done.stdout + done.stderr
            assert f"of {version} of bigagi" in done.stdout and way_out in done.stdout
            assert "The pages of the database and 1 image or audio file are undamaged." in done.stdout
            assert manage("migrate", environment=drill).returncode == 0
            execute(drill, "INSERT INTO django_migrations (app, name, applied) VALUES ('chats', '9', '2026-01-01')")
        execute(drill, "DELETE FROM django_migrations WHERE name = '9'")
        done = manage("check_data", environment=drill)
        assert done.stdout == "The database and 1 image or audio file are undamaged.\n"
        # Of this version it must have all columns.
        execute(drill, DROP_COLUMN)
        done = manage("check_data", environment=drill, timeout=60)
        assert done.returncode == 1 and "chats_message cannot be read: " in done.stderr


DROP_COLUMN = "ALTER TABLE chats_message DROP COLUMN has_derived_uid"


def make_older(environment):
    """Make the tables those of an earlier version."""
    execute(environment, DROP_COLUMN)
    execute(environment, "ALTER TABLE chats_conversation DROP COLUMN has_derived_uid")
    execute(environment, "DROP INDEX chats_conversation_change")
    execute(environment, "DROP TABLE chats_pinnedchat")
    execute(environment, "DELETE FROM django_migrations WHERE app = 'chats' AND name >= '0003'")


@pytest.mark.any_database
def test_a_folder_that_is_no_backup_is_refused(filled, tmp_path):
    assert_refused(manage("restore", str(tmp_path), environment=filled), "is not a backup")
    assert_refused(manage("restore", str(tmp_path / "nowhere"), environment=filled), "is not a backup")


def test_a_damaged_database_is_set_aside_and_replaced(filled, tmp_path):
    if "DATABASE_URL" in filled:
        pytest.skip("the database is no file")
    back_up(filled, tmp_path / "backup")
    database = tmp_path / "data" / "bigagi.sqlite3"
    database.write_bytes(b"SQLite format 3\0" + b"\xff" * 50_000)
    done = manage("restore", str(tmp_path / "backup"), environment=filled)
    assert done.returncode == 0, done.stderr
    assert "before" in read(filled)
    aside = next((tmp_path / "data" / "backups").glob("*-damaged-*"))
    assert (aside / "bigagi.sqlite3").read_bytes().endswith(b"\xff" * 100)
    assert f"The previous database was damaged. It was saved as it is in {aside}" in done.stdout


def test_a_backup_of_the_other_kind_of_database_is_refused(filled, tmp_path):
    backup = tmp_path / "backup"
    back_up(filled, backup)
    manifest = json.loads((backup / "manifest.json").read_text())
    (backup / "manifest.json").write_text(json.dumps(manifest | {"database": "other.db"}))
    assert_refused(manage("restore", str(backup), environment=filled), "another kind of database")
