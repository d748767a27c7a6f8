"""The server checks the stored data in the background, and shows what it found where people and programs look."""

import hashlib
import os
import time

import pytest
from django.urls import reverse

from bigagi_site import data_watch
from chats.models import Asset
from stores.backups import data_check
from stores.backups.creation import create_backup
from stores.records import asset_files
from tests.api import read, read_problem, sign_in
from tests.bigagi_site.factories import make_conversation, make_message
from tests.servers import run_server

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(settings, tmp_path, monkeypatch):
    settings.DATA_DIR, settings.ASSETS_DIR = tmp_path, tmp_path / "assets"
    settings.BACKUPS_DIR = tmp_path / "backups"
    monkeypatch.setattr(data_watch, "REST", 0)
    # The thread's own connection is this test's.
    monkeypatch.setattr(data_watch.connection, "close", lambda: None)
    return tmp_path


def make_asset(folder, content=b"a picture", label="Sunset"):
    name = hashlib.sha256(content).hexdigest()
    path = asset_files.path_in(folder / "assets", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    Asset.objects.create(uid=f"asset-{name}", label=label, sha256=name, size=len(content), position=0)
    return path


def read_everywhere(client):
    """Return the texts of the home page, the dashboard and /api/ready."""
    ready = read(client.get("/api/ready"))
    [detail] = [check["detail"] for check in ready["checks"] if check["name"] == "stored_data"]
    return [" ".join(text.split()) for text in (client.get("/").text, client.get(reverse("admin:index")).text, detail)]


def test_what_is_good_is_told(folder):
    client = sign_in()
    make_asset(folder)
    home, dashboard, ready = read_everywhere(client)
    assert "None yet: the server checks" in home and "not checked yet" in dashboard and "not been checked" in ready
    data_watch.check_once()
    home, dashboard, ready = read_everywhere(client)
    assert "The database and 1 image or audio file are undamaged." in home and "are undamaged." in ready
    assert "not checked yet" not in dashboard
    assert 'role="alert"' not in home


@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_a_damaged_file_is_told_everywhere_until_it_is_mended(folder, damage):
    client = sign_in()
    path = make_asset(folder)
    create_backup("manual")
    if damage == "changed":
        path.write_bytes(b"a pictura")
    else:
        path.unlink()
    data_watch.check_once()
    for text in read_everywhere(client):
        assert "1 image or audio file is damaged or missing: “Sunset”" in text
        assert "check_data --repair" in text
    assert [name for name, _ in data_check.repair_assets(data_check.read_last())] == [path.name]
    assert path.read_bytes() == b"a picture"
    data_watch.check_once()
    assert all("damaged or missing" not in text for text in read_everywhere(client))


def test_a_damaged_database_is_a_fault(folder):
    result = data_check.check()
    data_check._write(data_check.Result(result.at, 0, pages=["Page 7: btreeInitPage() returns error code 11"]))
    client = sign_in()
    problem = read_problem(client.get("/api/ready"), 503)
    assert [error["pointer"] for error in problem["errors"]] == ["/stored_data"]
    assert "Page 7" in problem["detail"] and "Stop the server" in problem["detail"]
    assert "Page 7" in client.get("/").text


def test_what_only_a_whole_check_sees_is_not_called_well_by_a_quick_one(folder):
    # Its digest is none of its content.
    make_message(make_conversation())
    assert len(data_check.check().rows) == 1
    data_watch.check_once()
    assert "1 record in the database cannot be read as written" in data_check.read_last().summary


def test_a_file_that_was_read_lately_is_not_read_again(folder, monkeypatch):
    path = make_asset(folder)
    then = time.time() - 60
    os.utime(path, (then, then))
    data_watch.check_once()
    read = []
    monkeypatch.setattr(asset_files, "find_fault", lambda path, pause: read.append(path) or "")
    data_watch.check_once()
    assert read == []
    monkeypatch.setattr(asset_files, "TRUSTED_SECONDS", 0)
    data_watch.check_once()
    assert read == [path]


@pytest.mark.parametrize(
    "content", ["", "[]", '{"at": 1}', '{"at": "2026-01-01T00:00:00"}', '{"at": "2026-01-01T00:00Z"}']
)
def test_a_result_that_cannot_be_read_is_none(folder, content):
    (folder / "last-check.json").write_text(content)
    assert data_check.read_last() is None


@pytest.mark.slow
def test_a_server_checks_soon_after_its_start(started):
    with run_server(started) as server:
        deadline = time.monotonic() + 60
        while not (server.data_dir / "last-check.json").exists():
            assert time.monotonic() < deadline, "the server has not checked its data"
            time.sleep(0.1)
        assert "The database is undamaged." in server.sign_in().get("/").text
