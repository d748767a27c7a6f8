"""The personas that the person makes: big-AGI's store, each persona changed apart, and what a model is sent of them."""

import json

import pytest

from chats.generations.sending import prompt_so_far
from chats.models import Conversation
from llms.catalog import find_model
from stores.importers.importer import import_file
from stores.importers.options import Options
from stores.models import Change, Store
from tests.api import make_chat, make_store, read, read_problem, sign_in

pytestmark = pytest.mark.django_db

DEMO = "bigagi-demo-echo"
PIRATE = {
    **{"id": "pirate1", "name": "Pirate", "systemPrompt": "You are a pirate.", "creationDate": "2026-01-01T00:00:00Z"},
    **{"inputText": "", "inputProvenance": {"type": "text"}, "odd": [1.0, None]},
}


@pytest.fixture
def client():
    return sign_in()


def send(client, method, path, body=None, **headers):
    if body is None and method != "post":
        return getattr(client, method)(path, headers=headers)
    content = "application/merge-patch+json" if method == "patch" else "application/json"
    return getattr(client, method)(path, json.dumps(body or {}), content_type=content, headers=headers)


def held():
    return Store.objects.get(name="app-app-personas").data["simplePersonas"]


def sent(chat="chat"):
    row = Conversation.objects.get(uid=chat)
    return prompt_so_far(row, "", find_model(DEMO)).messages[0]["content"]


def test_one_is_made_changed_copied_and_deleted_and_each_can_be_taken_back(client):
    made = send(client, "post", "/api/personas", {"name": "Poet", "systemPrompt": "Rhyme.", "mood": "calm"})
    assert made.status_code == 201
    uid = made.json()["id"]
    assert held() == [{name: value for name, value in made.json().items() if name != "_server"}]
    assert set(held()[0]) == {"id", "name", "systemPrompt", "creationDate", "inputText", "mood"}
    assert made["Location"] == f"/api/personas/{uid}"
    assert Store.objects.get(name="app-app-personas").version == 1
    make_chat(systemPurposeId=uid, messages=[])
    assert sent() == "Rhyme."

    one = client.get(made["Location"])
    patched = send(client, "patch", made["Location"], {"systemPrompt": "Rhyme more."}, **{"If-Match": one["ETag"]})
    assert patched.json() == one.json() | {"systemPrompt": "Rhyme more."}
    assert sent() == "Rhyme more."

    copied = send(client, "post", f"{made['Location']}/copy")
    assert copied.status_code == 201
    assert [persona["name"] for persona in held()] == ["Poet (copy)", "Poet"]
    assert copied.json()["id"] != uid and copied.json()["mood"] == "calm"
    assert [each["name"] for each in read(client.get("/api/personas"))["results"]] == ["Poet (copy)", "Poet"]

    deleted = client.delete(made["Location"])
    assert deleted.status_code == 204
    assert sent().startswith("You are a helpful assistant. Today is 20")
    read_problem(client.get(made["Location"]), 404)
    for answer, names in ((deleted, ["Poet (copy)", "Poet"]), (copied, ["Poet"])):
        assert send(client, "post", f"/api/changes/{answer['Bigagi-Change']}/undo").status_code == 201
        assert [persona["name"] for persona in held()] == names
    assert sent() == "Rhyme more."


def test_two_who_change_different_personas_keep_one_anothers(client):
    others = [PIRATE, PIRATE | {"id": "second", "name": "Second"}, {"damaged": True}, None]
    make_store("app-app-personas", {"state": {"simplePersonas": others, "more": {"a": 1}}, "version": 1, "x": 2})
    tags = {uid: client.get(f"/api/personas/{uid}")["ETag"] for uid in ("pirate1", "second")}
    for uid, tag in tags.items():
        answer = send(client, "patch", f"/api/personas/{uid}", {"name": f"New {uid}"}, **{"If-Match": tag})
        assert answer.status_code == 200
    # The second to change the same one is told, with what is there now.
    problem = send(client, "patch", "/api/personas/second", {"name": "Lost"}, **{"If-Match": tags["second"]})
    assert problem.status_code == 412 and problem.json()["current"]["name"] == "New second"
    assert send(client, "delete", "/api/personas/second", **{"If-Match": tags["second"]}).status_code == 412
    # What this service does not know stays.
    assert held() == [PIRATE | {"name": "New pirate1"}, others[1] | {"name": "New second"}, *others[2:]]
    store = Store.objects.get(name="app-app-personas")
    assert store.data["more"] == {"a": 1} and store.extra == {"x": 2}
    count = Change.objects.count()
    assert send(client, "patch", "/api/personas/second", {"name": "New second"}).status_code == 200
    assert Change.objects.count() == count


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "told"),
    [
        ("post", "", {"name": "No text"}, 400, "required"),
        ("post", "", {"systemPrompt": " \n"}, 400, "not blank"),
        ("post", "", {"systemPrompt": "x", "name": "n" * 201}, 400, "at most 200 characters"),
        ("post", "", {"systemPrompt": "x", "name": " \t"}, 400, "Must not be blank."),
        ("post", "", {"systemPrompt": "x", "id": "Generic"}, 400, "big-AGI's"),
        ("post", "", {"systemPrompt": "x", "id": "pirate1"}, 409, "taken"),
        ("patch", "/pirate1", {"systemPrompt": None}, 400, "must have a system prompt"),
        ("patch", "/pirate1", {"id": "other"}, 400, "cannot be changed"),
        ("patch", "/nobody", {"name": "x"}, 404, "no persona nobody"),
        ("post", "/nobody/copy", None, 404, "no persona nobody"),
        ("delete", "/nobody", None, 404, "no persona nobody"),
    ],
)
def test_what_cannot_be_is_told_and_changes_nothing(client, method, path, body, status, told):
    make_store("app-app-personas", {"state": {"simplePersonas": [PIRATE]}, "version": 1})
    problem = read_problem(send(client, method, f"/api/personas{path}", body), status)
    assert told in json.dumps(problem)
    assert held() == [PIRATE]


def test_there_are_at_most_as_many_as_big_agi_keeps(client):
    many = [PIRATE | {"id": f"p{at}"} for at in range(100)]
    make_store("app-app-personas", {"state": {"simplePersonas": many}, "version": 1})
    for path, body in (("", {"systemPrompt": "One more"}), ("/p1/copy", None)):
        assert "at most 100" in read_problem(send(client, "post", f"/api/personas{path}", body), 409)["detail"]
    assert held() == many


def test_a_store_that_holds_something_else_is_told(client):
    make_store("app-app-personas", {"state": {"simplePersonas": {}}, "version": 1})
    assert read(client.get("/api/personas"))["results"] == []
    problem = read_problem(send(client, "post", "/api/personas", {"systemPrompt": "x"}), 409)
    assert "does not hold a list" in problem["detail"]


def test_an_imported_persona_reaches_the_model_as_big_agi_wrote_it(real_data, tmp_path, client):
    backup = json.loads((real_data / "exports" / "flash.json").read_bytes())
    backup["storage"]["localStorage"]["app-app-personas"] = {"state": {"simplePersonas": [PIRATE]}, "version": 1}
    path = tmp_path / "with-personas.agi.json"
    path.write_text(json.dumps(backup))
    import_file(path, Options())
    assert read(client.get("/api/personas"))["results"] == [PIRATE | {"_server": {"href": "/api/personas/pirate1"}}]
    make_chat("imported", systemPurposeId="pirate1", messages=[])
    assert sent("imported") == "You are a pirate."
    assert prompt_so_far(None, "pirate1", find_model(DEMO)).messages[0]["content"] == "You are a pirate."
