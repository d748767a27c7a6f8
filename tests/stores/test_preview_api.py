"""A file that is previewed over the API, and then imported without being sent again."""

import json
import os
import time
from pathlib import Path

import pytest

from stores.importers.incoming import KEPT_SECONDS
from tests.stores.imports import make_chats, write_backup
from tests.stores.test_upload_api import JSON, PATH, refused, uploads_of, wait, wait_until_gone

ASYNC = JSON | {"Prefer": "respond-async"}
OUTCOMES = ("outcome", "kind", "uid", "reason", "rules", "parts", "conflicting", "kept_aside", "branch")


@pytest.fixture(scope="module")
def backup(tmp_path_factory) -> bytes:
    return write_backup(tmp_path_factory.mktemp("files") / "backup.json", make_chats(12)).read_bytes()


def records_of(client, run) -> list:
    page = client.get(f"{run['records_href']}?page_size=200").json()
    assert page["next"] is None
    return [[one[name] for name in OUTCOMES] for one in page["results"]]


def test_what_was_previewed_is_imported_without_sending_it_again(server, backup):
    client = server.sign_in()
    answer = client.post(f"{PATH}?preview=1&filename=a.json", backup, headers=JSON)
    assert answer.status == 200, answer.text
    preview = answer.json()
    assert (preview["purpose"], preview["status"], preview["source_name"]) == ("preview", "done", "a.json")
    assert preview["expected_seconds"] >= 0 and preview["source_size"] == len(backup)
    assert preview["counts"]["conversation"]["created"] == 12
    assert client.get("/api/chats").json()["results"] == []
    assert len(uploads_of(server.data_dir)) == 1
    # Another one of the same file, with other options; the file is that one's then.
    again = client.post(f"{preview['run_href']}?preview=1&strategy=theirs", headers={"Prefer": "respond-async"})
    assert again.status == 202, again.text
    second = wait(client, again.headers["Location"])
    assert (second["status"], second["options"]["strategy"]) == ("done", "theirs")
    assert client.get(preview["href"]).json()["run_href"] is None
    begun = client.post(second["run_href"])
    assert begun.status == 202, begun.text
    run = wait(client, begun.headers["Location"])
    assert (run["status"], run["purpose"], run["based_on"]) == ("done", "import", second["id"]), run
    assert (run["source_name"], run["options"]["strategy"]) == ("a.json", "theirs")
    assert run["counts"] == second["counts"] == preview["counts"]
    assert records_of(client, run) == records_of(client, second) == records_of(client, preview)
    assert not any("changed after the preview" in note for note in run["notes"])
    wait_until_gone(server)
    detail = refused(client.post(f"{second['href']}/run"), 410, "file-gone")
    assert f"imported by run {run['id']}" in detail
    refused(client.post(f"{run['href']}/run"), 409, "no-preview")
    refused(client.request("DELETE", run["href"]), 409, "no-preview")


def test_a_change_in_between_is_told_and_the_import_goes_on(server, backup):
    client = server.sign_in()
    begun = client.post(f"{PATH}?preview=1", backup, headers=ASYNC)
    assert begun.status == 202, begun.text
    preview = wait(client, begun.headers["Location"])
    client.post("/api/stores", json.dumps({"name": "other", "value": 1}).encode(), headers=JSON)
    run = wait(client, client.post(preview["run_href"]).headers["Location"])
    assert run["status"] == "done" and any("changed after the preview" in note for note in run["notes"])
    wait_until_gone(server)


def test_a_preview_that_nobody_wants_goes_with_its_file(server, backup):
    client = server.sign_in()
    first, second = (client.post(f"{PATH}?preview=1", backup, headers=JSON).json() for _ in range(2))
    refused(client.post(f"{first['run_href']}?strategy=ours"), 400, "bad-request")
    assert client.request("DELETE", first["href"]).status == 204
    assert client.get(first["href"]).status == 404
    assert len(uploads_of(server.data_dir)) == 1
    # What is kept too long is deleted with the next file that comes.
    [folder] = uploads_of(server.data_dir)
    long_ago = time.time() - KEPT_SECONDS - 1
    os.utime(folder / "kept", (long_ago, long_ago))
    refused(client.post(f"{PATH}?preview=1", b"no JSON", headers=JSON), 400, "not-a-backup")
    wait_until_gone(server)
    assert "kept for 7 days" in refused(client.post(second["run_href"]), 410, "file-gone")


def test_a_cut_file_is_previewed_as_what_it_is(server, backup):
    client = server.sign_in()
    preview = client.post(f"{PATH}?preview=1", backup[: len(backup) // 2], headers=JSON).json()
    assert preview["status"] == "done" and "cut or damaged" in preview["blocked_by"]
    assert preview["errors"] and preview["run_href"]
    client.request("DELETE", preview["href"])
    assert uploads_of(server.data_dir) == []
    assert Path(server.data_dir).is_dir()
