"""The server tells whether it can do its work, what keeps it from it, and what will one day."""

import json
import os
import shutil
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from bigagi_site import readiness
from metrics.ledger.triggers import find_missing_triggers
from stores.models import Secret
from stores.records.sealing import Sealer
from tests.api import make_chat, make_service, read, read_problem, sign_in
from tests.bigagi_site.factories import make_asset

pytestmark = pytest.mark.django_db

NAMES = [
    *("database", "migrations", "triggers", "views", "data_folder", "disk_space", "key_file", "last_backup"),
    "stored_data",
]
MIB = 2**20


@pytest.fixture(autouse=True)
def folders(settings, tmp_path):
    """Let each test have folders of its own."""
    settings.DATA_DIR, settings.BACKUPS_DIR = tmp_path, tmp_path / "backups"
    settings.KEY_FILE = tmp_path / "secrets.key"


def make_backup(folder, age_days, **told):
    path = folder / f"{age_days}-by-hand"
    path.mkdir(parents=True)
    created_at = datetime.now(UTC) - timedelta(days=age_days)
    (path / "manifest.json").write_text(
        json.dumps({"format": 1, "size": 1, "created_at": created_at.isoformat(), "reason": "by-hand"} | told)
    )


def have_free(monkeypatch, free):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**12, 10**12 - free, free))


def state_of(answer, name):
    [found] = [check for check in answer["checks"] if check["name"] == name]
    return found["state"]


def read_faults(client):
    """Return the problem and the checks that it names as faults."""
    problem = read_problem(client.get("/api/ready"), 503)
    assert problem["type"].endswith("#not-ready")
    assert all(error["code"] == "fault" and error["detail"] for error in problem["errors"])
    return problem, [error["pointer"] for error in problem["errors"]]


def test_a_fresh_server_is_ready_without_warnings():
    answer = read(sign_in().get("/api/ready"))
    assert answer["status"] == "ready" and answer["warnings"] == []
    assert [check["name"] for check in answer["checks"]] == NAMES
    assert {check["state"] for check in answer["checks"]} == {"ok"}
    assert all(check["detail"].endswith(".") for check in answer["checks"])


def test_strangers_are_told_nothing():
    read_problem(Client().get("/api/ready"), 401)


def test_a_parameter_is_refused():
    read_problem(sign_in().get("/api/ready?verbose=1"), 400)


def test_a_database_that_is_not_migrated_is_told():
    client = sign_in()
    MigrationRecorder.Migration.objects.filter(app="chats").delete()
    problem, faults = read_faults(client)
    assert faults == ["/migrations"]
    assert "manage.py migrate" in problem["detail"]


def test_a_database_of_a_newer_program_is_told():
    client = sign_in()
    MigrationRecorder.Migration.objects.create(app="chats", name="9999_tomorrow")
    problem, faults = read_faults(client)
    assert faults == ["/migrations"]
    assert "chats.9999_tomorrow" in problem["detail"]


def test_a_lost_trigger_is_told():
    client = sign_in()
    assert find_missing_triggers() == []
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE metrics_usageevent DISABLE TRIGGER USER")
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'metrics_usageevent'")
            cursor.execute(f"DROP TRIGGER {cursor.fetchall()[0][0]}")
    problem, faults = read_faults(client)
    assert faults == ["/triggers"]
    assert find_missing_triggers()[0] in problem["detail"]


def test_keys_that_cannot_be_read_are_told(settings):
    client = sign_in()
    make_service(setup={"oaiKey": "sk-1234567890abcdef1234"})
    assert Secret.objects.exists()
    settings.KEY_FILE = settings.DATA_DIR / "other.key"
    settings.KEY_FILE.write_bytes(Fernet.generate_key())
    settings.KEY_FILE.chmod(0o600)
    problem, faults = read_faults(client)
    assert faults == ["/key_file"]
    assert "forget_secrets" in problem["detail"]


def test_secrets_of_another_key_are_warned_of(settings):
    other = Fernet(Fernet.generate_key())
    sealer = Sealer()
    sealer.seal({"apiKey": "hunter2"})
    sealer.save()
    Secret.objects.create(reference="0" * 32, ciphertext=other.encrypt(b"x"), sealed_with="cd" * 16)
    answer = read(sign_in().get("/api/ready"))
    assert state_of(answer, "key_file") == "warning"
    assert "1 of 2 stored secrets" in answer["warnings"][0] and "key cdcdcdcd" in answer["warnings"][0]


def test_a_key_file_that_others_can_read_is_warned_of(settings):
    settings.KEY_FILE.write_bytes(Fernet.generate_key())
    settings.KEY_FILE.chmod(0o644)
    answer = read(sign_in().get("/api/ready"))
    assert state_of(answer, "key_file") == "warning"
    assert "chmod 600" in answer["warnings"][0]


def test_a_data_folder_that_is_gone_is_told(settings, tmp_path):
    client = sign_in()
    settings.DATA_DIR = tmp_path / "nowhere"
    _, faults = read_faults(client)
    assert faults == ["/data_folder", "/disk_space"]


@pytest.mark.parametrize(
    ("free", "state"), [(600 * MIB, "ok"), (499 * MIB, "warning"), (51 * MIB, "warning"), (49 * MIB, "fault")]
)
def test_little_disk_space_is_warned_of_and_none_is_a_fault(monkeypatch, free, state):
    client = sign_in()
    have_free(monkeypatch, free)
    if state == "fault":
        problem, faults = read_faults(client)
        assert faults == ["/disk_space"] and "Free some space" in problem["detail"]
        return
    answer = read(client.get("/api/ready"))
    assert state_of(answer, "disk_space") == state
    assert len(answer["warnings"]) == (state == "warning")


def test_a_backup_of_a_large_database_has_to_fit(monkeypatch):
    client = sign_in()
    have_free(monkeypatch, 3000 * MIB)
    monkeypatch.setattr(readiness, "database_size", lambda: 4000 * MIB)
    [warning] = read(client.get("/api/ready"))["warnings"]
    assert "4,000 MiB" in warning


def test_a_backup_has_to_copy_assets_that_no_backup_has(monkeypatch):
    client = sign_in()
    have_free(monkeypatch, 3000 * MIB)
    make_asset(size=4000 * MIB)
    [warning] = read(client.get("/api/ready"))["warnings"]
    assert "a backup needs 4,0" in warning
    make_backup(readiness.settings.BACKUPS_DIR, 1, assets_size=4000 * MIB)
    assert read(client.get("/api/ready"))["warnings"] == []


@pytest.mark.parametrize(("age_days", "state"), [(29, "ok"), (31, "warning")])
def test_an_old_backup_is_warned_of(settings, age_days, state):
    make_backup(settings.BACKUPS_DIR, 90)
    make_backup(settings.BACKUPS_DIR, age_days)
    answer = read(sign_in().get("/api/ready"))
    assert state_of(answer, "last_backup") == state


def test_data_without_any_backup_is_warned_of():
    make_chat()
    answer = read(sign_in().get("/api/ready"))
    assert state_of(answer, "last_backup") == "warning"
    assert "manage.py backup" in answer["warnings"][0]


def test_what_cannot_be_looked_at_is_told_without_a_traceback(settings):
    settings.BACKUPS_DIR.write_text("a file")
    problem, faults = read_faults(sign_in())
    assert faults == ["/last_backup"]
    assert str(settings.BACKUPS_DIR) in problem["detail"] and "Traceback" not in str(problem)


def test_a_check_that_stumbles_keeps_no_other_from_being_made(monkeypatch):
    monkeypatch.setitem(readiness.CHECKS, "triggers", lambda: 1 / 0)
    have_free(monkeypatch, 1)
    problem, faults = read_faults(sign_in())
    assert faults == ["/triggers", "/disk_space"]
    assert "division" not in str(problem)


def test_without_a_database_the_other_checks_name_no_fault_of_their_own(monkeypatch):
    def fail():
        raise OperationalError("database is locked")

    client = sign_in()
    monkeypatch.setitem(readiness.CHECKS, "database", fail)
    monkeypatch.setattr(readiness, "find_missing_triggers", fail)
    problem, faults = read_faults(client)
    assert faults == ["/database"]
    assert readiness.look()["triggers"].state == "unknown"


def test_a_database_that_cannot_tell_who_asks_is_not_ready(monkeypatch):
    client = sign_in()

    def fail(*args, **kwargs):
        raise OperationalError("no route to db.internal")

    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore.load", fail)
    problem, faults = read_faults(client)
    assert faults == ["/database"]
    assert "db.internal" not in str(problem)


def test_a_sign_of_life_needs_neither_sign_in_nor_database(django_assert_num_queries):
    client = sign_in()
    with django_assert_num_queries(0):
        assert read(Client().get("/api/health")) == {"status": "ok"}
        assert read(client.get("/api/health")) == {"status": "ok"}


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root can read everything")
def test_a_folder_of_backups_that_cannot_be_read_is_told(settings):
    settings.BACKUPS_DIR.mkdir(mode=0)
    _, faults = read_faults(sign_in())
    assert faults == ["/last_backup"]
