"""The server tells whether it can do its work, and what keeps it from it."""

import pytest
from cryptography.fernet import Fernet
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from stores.models import Secret
from tests.api import make_service, read, read_problem, sign_in

pytestmark = pytest.mark.django_db


def test_a_server_on_which_all_is_well_is_ready():
    answer = read(sign_in().get("/api/ready"))
    assert answer == {"status": "ready", "checks": ["database", "data_folder", "secrets"]}


def test_strangers_are_told_nothing():
    read_problem(Client().get("/api/ready"), 401)


def test_a_database_that_is_not_migrated_is_told():
    client = sign_in()
    MigrationRecorder.Migration.objects.filter(app="chats").delete()
    problem = read_problem(client.get("/api/ready"), 503)
    assert [error["pointer"] for error in problem["errors"]] == ["/database"]
    assert "manage.py migrate" in problem["detail"]


def test_keys_that_cannot_be_read_are_told(settings, tmp_path):
    client = sign_in()
    make_service(setup={"oaiKey": "sk-1234567890abcdef1234"})
    assert Secret.objects.exists()
    settings.KEY_FILE = tmp_path / "other.key"
    settings.KEY_FILE.write_bytes(Fernet.generate_key())
    problem = read_problem(client.get("/api/ready"), 503)
    assert [error["pointer"] for error in problem["errors"]] == ["/secrets"]


def test_a_data_folder_that_is_gone_is_told(settings, tmp_path):
    client = sign_in()
    settings.DATA_DIR = tmp_path / "nowhere"
    problem = read_problem(client.get("/api/ready"), 503)
    assert "/data_folder" in [error["pointer"] for error in problem["errors"]]
