import hashlib
import json
import os
import sqlite3
from contextlib import closing

import pytest

from tests.servers import execute, manage, run_server

pytestmark = pytest.mark.slow

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


def test_a_restore_beside_a_running_import_is_refused(filled, tmp_path):
    back_up(filled, tmp_path / "backup")
    execute(
        filled,
        "INSERT INTO stores_migrationrun (status, phase, phases, counts, errors, notes, last_completed_task, next_task,"
        " blocked_by, source_name, source_kind, source_size, source_sha256, source_taken_at, source_device,"
        " position_base, pid, started_at)"
        " VALUES ('running', '', '[]', '{}', '[]', '[]', '', '', '', 'x', '', 0, '', '', '', 0,"
        f" {os.getpid()}, '2026-01-01 00:00:00')",
    )
    assert_refused(manage("restore", str(tmp_path / "backup"), environment=filled), "Import 1 is running")


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


@pytest.mark.parametrize("damage", ["database", "asset", "missing asset", "manifest"])
def test_a_damaged_backup_is_refused_and_changes_nothing(filled, tmp_path, damage):
    backup = tmp_path / "backup"
    back_up(filled, backup)
    write(filled, "after")
    asset = backup / "assets" / DIGEST[:2] / DIGEST
    if damage == "database":
        database = next(backup.glob("bigagi.*"))
        content = bytearray(database.read_bytes())
        content[len(content) // 2] ^= 0xFF
        database.write_bytes(content)
    elif damage == "asset":
        asset.unlink()
        asset.write_bytes(b"another picture")
    elif damage == "missing asset":
        asset.unlink()
    else:
        (backup / "manifest.json").write_text(json.dumps({"format": 1}))
    assert_refused(manage("restore", str(backup), environment=filled), str(backup))
    assert "after" in read(filled)


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
    assert str(aside) in done.stdout


def test_a_backup_of_the_other_kind_of_database_is_refused(filled, tmp_path):
    backup = tmp_path / "backup"
    back_up(filled, backup)
    manifest = json.loads((backup / "manifest.json").read_text())
    (backup / "manifest.json").write_text(json.dumps(manifest | {"database": "other.db"}))
    assert_refused(manage("restore", str(backup), environment=filled), "another kind of database")
