"""Ids of messages over REST: made where they are missing, derived where a file had none, never a reason to hide one."""

import json
from pathlib import Path
from typing import Any

import pytest

from chats.models import Conversation, Message
from stores.models import Change, Quarantine
from stores.records.codecs import is_id
from tests.api import read, read_problem, sign_in
from tests.stores.conftest import data_dir, fast_imports  # noqa: F401  (fixtures)
from tests.stores.import_cases import chat, encode, message
from tests.stores.imports import chats_here, import_path, typed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fast_imports")]

NAMELESS = chat("c", "Soup") | {"messages": [message("one"), message("two"), message("two"), message("four", "m4")]}


def send(client: Any, method: str, address: str, body: Any, status: int = 200) -> Any:
    answer = getattr(client, method)(address, json.dumps(body), content_type="application/json")
    assert answer.status_code == status, answer.content
    return answer


def texts(client: Any, uid: str = "c") -> list[str]:
    listed = read(client.get(f"/api/chats/{uid}/messages"))["results"]
    return [one["fragments"][0]["part"]["text"] for one in listed]


@pytest.fixture
def imported(tmp_path: Path) -> None:
    path = tmp_path / "chat.json"
    path.write_bytes(encode(NAMELESS))
    import_path(path)


@pytest.mark.parametrize("method", ["post", "put"])
def test_messages_without_an_id_get_one_and_it_is_returned(method: str):
    client = sign_in()
    if method == "put":
        send(client, "post", "/api/chats", chat("c", "Old", "old"), 201)
    address = "/api/chats" if method == "post" else "/api/chats/c"
    answer = send(client, method, address, NAMELESS, 201 if method == "post" else 200).json()

    ids = [one["id"] for one in answer["messages"]]
    assert len(set(ids)) == 4 and all(map(is_id, ids)) and ids[3] == "m4"
    assert texts(client) == ["one", "two", "two", "four"]
    assert ids == [one["id"] for one in read(client.get("/api/chats/c"))["messages"]]
    assert [one["id"] for one in chats_here()[0]["messages"]] == ids
    assert not Quarantine.objects.exists()


@pytest.mark.parametrize(
    ("messages", "pointer"),
    [
        ([message("a", "m"), message("b", "m")], "/messages/1/id"),
        ([message("a", 7)], "/messages/0/id"),
        ([message("a") | {"id": None}], "/messages/0/id"),
        ([message("a", "")], "/messages/0/id"),
        ([message("a", "x" * 201)], "/messages/0/id"),
        ([message("a", "m"), None], "/messages/1"),
        ([{"id": "m", "role": "user"}], "/messages/0"),
        ([message("a", "m") | {"fragments": [{"part": {"pt": "text", "text": "no ft"}}]}], "/messages/0/fragments/0"),
    ],
)
def test_what_could_not_be_read_is_refused_with_its_place(messages: Any, pointer: str):
    client = sign_in()
    body = chat("c", "Soup") | {"messages": messages}
    problem = read_problem(send(client, "post", "/api/chats", body, 400), 400)
    assert problem["errors"][0]["pointer"] == pointer
    send(client, "post", "/api/chats", chat("c", "Soup", "one"), 201)
    problem = read_problem(send(client, "put", "/api/chats/c", body, 400), 400)
    assert problem["errors"][0]["pointer"] == pointer
    assert texts(client) == ["one"] and not Quarantine.objects.exists()


@pytest.mark.parametrize("uid", ["", "a\x00b", None, 7, "x" * 201])
def test_an_id_that_cannot_be_one_is_refused_with_its_place(uid: Any):
    client = sign_in()
    send(client, "post", "/api/chats", chat("c", "Soup", "one"), 201)
    problem = read_problem(send(client, "post", "/api/chats/c/messages", message("two") | {"id": uid}, 400), 400)
    assert problem["errors"][0]["pointer"] == "/id"


def test_what_is_shown_beside_a_message_is_not_stored():
    client = sign_in()
    send(client, "post", "/api/chats", chat("c", "Soup", "one"), 201)
    listed = read(client.get("/api/chats/c/messages"))["results"]
    send(client, "put", "/api/chats/c", chat("c", "Soup") | {"messages": listed})
    assert "_server" not in chats_here()[0]["messages"][0]


@pytest.mark.parametrize("members", [{"fragments": [None]}, {"fragments": [{"part": {}}]}])
def test_a_single_message_that_could_not_be_read_is_refused(members: Any):
    client = sign_in()
    send(client, "post", "/api/chats", chat("c", "Soup", "one"), 201)
    for method, address in (("post", "/api/chats/c/messages"), ("put", "/api/chats/c/messages/c-0")):
        body = {"role": "user", **members}
        problem = read_problem(send(client, method, address, body, 400), 400)
        assert problem["errors"][0]["pointer"].endswith("/fragments/0")


def test_what_was_shown_can_be_sent_back_and_changes_nothing(imported: None):
    client = sign_in()
    before, changes = chats_here(), Change.objects.count()
    given = read(client.get("/api/chats/c"))
    listed = read(client.get("/api/chats/c/messages"))["results"]
    assert [one["id"] for one in given["messages"]] == [one["id"] for one in listed]

    send(client, "put", "/api/chats/c", given)
    for one in listed:
        send(client, "put", one["_server"]["href"], one)
    send(client, "put", "/api/chats/c", NAMELESS)

    assert Change.objects.count() == changes
    assert typed(chats_here()) == typed(before) == typed([NAMELESS])


def test_a_message_with_a_derived_id_is_read_edited_branched_at_and_deleted(imported: None):
    client = sign_in()
    first, second, third, _ = read(client.get("/api/chats/c/messages"))["results"]
    assert read(client.get(second["_server"]["href"])) == second

    branch = send(client, "post", "/api/chats/c/branch", {"messageId": second["id"]}, 201).json()
    assert texts(client, branch["id"]) == ["one", "two"]
    edited = message("edited", second["id"])
    assert send(client, "put", second["_server"]["href"], edited).json()["id"] == second["id"]
    assert texts(client) == ["one", "edited", "two", "four"]
    assert client.delete(first["_server"]["href"]).status_code == 204
    assert texts(client) == ["edited", "two", "four"]
    # The others are addressed as before.
    assert read(client.get(third["_server"]["href"]))["id"] == third["id"]
    assert Message.objects.filter(conversation__uid="c", has_derived_uid=True).count() == 1


def test_a_changed_chat_keeps_what_had_no_id_as_it_came(imported: None):
    client = sign_in()
    given = read(client.get("/api/chats/c"))
    given["messages"].append(message("five", "m5"))
    given["messages"][0] = given["messages"][0] | {"role": "system"}

    send(client, "put", "/api/chats/c", given)

    here = chats_here()[0]["messages"]
    assert [one.get("id") for one in here] == [given["messages"][0]["id"], None, None, "m4", "m5"]
    assert texts(client) == ["one", "two", "two", "four", "five"]


def test_a_chat_with_a_number_for_an_id_is_used_as_any_other(tmp_path: Path):
    path = tmp_path / "chat.json"
    path.write_bytes(encode({"conversations": [chat(17, "Soup", "one")]}))
    import_path(path)
    client = sign_in()
    [listed] = read(client.get("/api/chats"))["results"]
    assert listed["id"] == Conversation.objects.get().uid
    address = listed["_server"]["href"]

    given = read(client.get(address))
    assert given["id"] == listed["id"]
    send(client, "put", address, given)
    assert client.patch(address, '{"userTitle": "Stew"}', content_type="application/json").json()["id"] == listed["id"]
    send(client, "post", f"{address}/messages", message("two"), 201)

    assert texts(client, listed["id"]) == ["one", "two"]
    [here] = chats_here()
    assert (here["id"], here["userTitle"]) == (17, "Stew")
