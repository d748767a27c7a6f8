"""A key in any store, as of an engine for speech, stays with the host beside it."""

import json
from pathlib import Path

import pytest

from stores.models import Store
from stores.records.secrets import reveal
from tests.api import read, sign_in
from tests.stores.imports import import_path, write_backup

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fast_imports", "data_dir")]

KEY, NEW = "0123456789abcdefWXYZ", "9876543210zyxwvuABCD"
HERE, THERE = "https://one.example/v1", "https://two.example/v1"
NAME = "app-module-speex"
ROUTE = f"/api/stores/{NAME}"


def store(**credentials: str) -> dict:
    return {"state": {"engines": {"a": {"label": "A", "credentials": {"type": "api-key"} | credentials}}}, "version": 1}


def here() -> dict:
    credentials = reveal(Store.objects.get(name=NAME).data)["engines"]["a"]["credentials"]
    return {name: item for name, item in credentials.items() if name != "type"}


def send(client, method: str, path: str, body: object, status: int = 200):
    answer = getattr(client, method)(path, json.dumps(body), content_type="application/json")
    assert answer.status_code == status, answer.content[:1000]
    return answer


@pytest.fixture
def client():
    client = sign_in()
    send(client, "post", "/api/stores", store(apiKey=KEY, apiHost=HERE) | {"name": NAME}, 201)
    return client


@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_key_does_not_follow_to_another_host(client, method: str):
    shown = read(client.get(ROUTE))
    shown["state"]["engines"]["a"]["credentials"]["apiHost"] = THERE
    answer = read(send(client, method, ROUTE, shown))
    assert here() == {"apiHost": THERE, "apiKey": ""}
    [note] = answer["_server"]["notes"]
    assert "state.engines.a.credentials.apiKey" in note and "Enter them again" in note


def test_of_a_patch_it_is_gone(client):
    send(client, "patch", ROUTE, {"state": {"engines": {"a": {"credentials": {"apiHost": THERE}}}}})
    assert here() == {"apiHost": THERE}


@pytest.mark.parametrize(
    "credentials",
    [{"apiHost": "https://ONE.example:443"}, {"apiHost": THERE, "apiKey": NEW}, {"apiHost": THERE, "apiKey": KEY}],
)
def test_it_stays_at_its_host_and_goes_along_if_it_is_sent_anew(client, credentials: dict):
    answer = send(client, "patch", ROUTE, {"state": {"engines": {"a": {"credentials": credentials}}}})
    assert here() == {"apiKey": KEY} | credentials and "notes" not in read(answer).get("_server", {})


@pytest.mark.parametrize("way", ["restore", "undo"])
def test_a_revision_and_an_undo_do_not_carry_a_later_key_back(client, way: str):
    changed = send(client, "put", ROUTE, store(apiKey=KEY, apiHost=THERE))
    if way == "undo":
        send(client, "post", f"/api/changes/{changed['Bigagi-Change']}/undo", {}, 201)
    else:
        [revision] = read(client.get(f"{ROUTE}/revisions"))["results"]
        send(client, "post", f"{ROUTE}/revisions/{revision['id']}/restore", {})
    assert here() == {"apiHost": HERE}


def test_nor_does_an_import(tmp_path: Path):
    import_path(write_backup(tmp_path / "one.json", None, stores={NAME: store(apiKey=KEY, apiHost=HERE)}))
    later = "2027-01-01T00:00:00.000Z"
    second = write_backup(tmp_path / "two.json", None, stores={NAME: store(apiHost=THERE)}, taken_at=later)
    progress = import_path(second)
    assert here() == {"apiHost": THERE}
    assert any("credentials.apiKey" in note for note in progress.notes) and progress.run.status == "done"
