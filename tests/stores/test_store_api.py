import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from stores.models import Quarantine, Revision, Store
from tests.api import ODD_IDS, make_chat, make_folder, make_store, read, read_problem, sign_in

pytestmark = pytest.mark.django_db


def names(page):
    return [store["name"] for store in page["results"]]


def test_the_list_has_stores_without_their_states():
    client = sign_in()
    make_store("app-ui", {"state": {"a": 1}, "version": 3})
    make_store("bare", "value")
    make_chat()
    by_name = {store["name"]: store for store in read(client.get("/api/stores?count=1"))["results"]}
    assert list(by_name) == ["app-chats", "app-ui", "bare"]
    updated_at = by_name["app-ui"].pop("updated_at")
    assert updated_at.endswith("Z")
    assert by_name["app-ui"] == {
        "name": "app-ui",
        "relational": False,
        "version": 3,
        "revision": 1,
        "href": "/api/stores/app-ui",
    }
    # There is no row of the store itself, only a chat.
    assert by_name["app-chats"] | {"href": ""} == {
        "name": "app-chats",
        "relational": True,
        "version": None,
        "revision": None,
        "updated_at": None,
        "href": "",
    }


def test_walking_the_list_both_ways():
    client = sign_in()
    for number in range(7):
        make_store(f"s{number}")
    seen, path = [], "/api/stores?page_size=3"
    while path:
        page = read(client.get(path))
        seen += names(page)
        path, last = page["next"], page
    assert seen == [f"s{number}" for number in range(7)]
    assert names(read(client.get(last["previous"]))) == ["s3", "s4", "s5"]
    read_problem(client.get("/api/stores?page_size=201"), 400)
    read_problem(client.get("/api/stores?kind=x"), 400)
    read_problem(client.get("/api/stores?cursor=WyJhZnRlciIsIm5hbWUiLDEsMV0"), 400)


@pytest.mark.parametrize(
    "value",
    [
        {"state": {"text": "\ud800 \u0000", "big": 10**400, "float": 0.012594999999999999}, "version": 3, "odd": None},
        {"state": None},
        {"state": {}, "version": "3"},
        "text",
        7,
        None,
        [],
        {"no": "state"},
    ],
)
def test_a_store_is_what_the_browser_holds(value):
    Store.objects.all().delete()
    from stores.records.opaque_stores import OPAQUE_STORES
    from tests.api import store_record

    store_record(OPAQUE_STORES, value, "odd")
    body = sign_in().get("/api/stores/odd").content
    assert body.isascii()
    assert json.loads(body) == value


def test_a_store_has_an_etag_and_is_not_sent_again():
    client = sign_in()
    store = make_store()
    answer = client.get("/api/stores/app-ui")
    assert answer["ETag"] == f'"{store.pk}-1"'
    assert client.get("/api/stores/app-ui", headers={"If-None-Match": answer["ETag"]}).status_code == 304
    Store.objects.update(revision=2)
    assert client.get("/api/stores/app-ui", headers={"If-None-Match": answer["ETag"]}).status_code == 200


@pytest.mark.parametrize("name", ODD_IDS)
def test_a_store_of_any_name_is_found_under_its_address(name):
    client = sign_in()
    make_store(name, {"state": name})
    [listed] = read(client.get("/api/stores"))["results"]
    assert read(client.get(listed["href"])) == {"state": name}
    assert read(client.get(listed["href"] + "/revisions"))["results"] == []


def test_a_store_kept_as_rows_is_put_together():
    make_chat("b", 1)
    make_chat("a", 0)
    Quarantine.objects.create(
        store="app-chats",
        collection="conversations",
        position=1,
        kind="conversation",
        place="",
        reason="",
        raw='{"damaged":true}',
        raw_digest="",
        is_json=True,
    )
    client = sign_in()
    answer = client.get("/api/stores/app-chats")
    assert answer.streaming
    assert answer["ETag"] == '"0-0"'
    assert client.get("/api/stores/app-chats", headers={"If-None-Match": '"0-0"'}).status_code == 304
    store = read(answer)
    assert [chat.get("id") for chat in store["state"]["conversations"]] == ["a", None, "b"]
    assert store["version"] == 4


def test_an_unknown_store_is_not_found():
    client = sign_in()
    # The browser's database of images is no store, although it is kept as rows.
    read_problem(client.get("/api/stores/init"), 405)
    for name in ("nothing", "app-chats", "Big-AGI", "~", "~aW5pdA"):
        read_problem(client.get(f"/api/stores/{name}"), 404)
        read_problem(client.get(f"/api/stores/{name}/revisions"), 404)


def test_revisions_are_listed_the_newest_first():
    client = sign_in()
    make_store()
    for number in range(3):
        Revision.objects.create(
            kind="store", uid="app-ui", reason="replaced", body="{}", size=2, content_hash=f"{number}"
        )
    Revision.objects.create(kind="folder", uid="app-ui", reason="replaced", body="{}", size=2, content_hash="x")
    page = read(client.get("/api/stores/app-ui/revisions?page_size=2"))
    assert [revision["content_hash"] for revision in page["results"]] == ["2", "1"]
    assert set(page["results"][0]) == {"id", "reason", "reason_text", "size", "content_hash", "run", "created_at"}
    assert [revision["content_hash"] for revision in read(client.get(page["next"]))["results"]] == ["0"]


@pytest.mark.parametrize("path", ["/api/stores", "/api/stores/one/revisions"])
def test_the_number_of_queries_does_not_grow_with_the_rows(path):
    client = sign_in()
    make_store("one")
    make_folder()
    counts = []
    for first, last in ((0, 3), (3, 60)):
        for number in range(first, last):
            make_store(f"s{number}")
            Revision.objects.create(
                kind="store", uid="one", reason="replaced", body="{}", size=2, content_hash=f"{number}"
            )
        with CaptureQueriesContext(connection) as queries:
            read(client.get(f"{path}?page_size=200"))
        counts.append(len(queries))
    assert counts[0] == counts[1]
