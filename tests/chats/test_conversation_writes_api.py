"""Chats made, changed and deleted over the API, each change in the journal and undone by it."""

import json

import pytest

from chats.models import Conversation
from stores.models import Change, ChangedRecord
from stores.records.clock import now_ms
from stores.records.jsontext import same
from tests.api import make_chat, make_folder, make_message, read, read_problem, sign_in

pytestmark = pytest.mark.django_db

CHAT = {
    "id": "new/1",
    "userTitle": "Cats",
    "systemPurposeId": "Generic",
    "messages": [make_message("m0", "Hello"), make_message("m1", "World")],
    "created": 1,
    "updated": None,
    "unknown": {"x": 1e400},
}


def send(client, method, path, body=None, status=200, **headers):
    text = json.dumps(body).replace("Infinity", "1e400")
    answer = getattr(client, method)(path, text, content_type="application/json", headers=headers)
    assert answer.status_code == status, answer.content[:2000]
    return answer


def bare(record):
    return {key: value for key, value in record.items() if key != "_server"}


def undo(client, answer):
    return send(client, "post", f"/api/changes/{answer['Bigagi-Change']}/undo", {}, 201)


def test_a_chat_is_made_under_its_id_and_given_as_it_came():
    client = sign_in()
    make_chat("older")
    made = send(client, "post", "/api/chats", CHAT, 201)
    given = read(client.get(made["Location"]))
    assert same(bare(given), CHAT) and same(bare(made.json()), CHAT)
    assert made["ETag"] == client.get(made["Location"])["ETag"]
    assert [chat["id"] for chat in read(client.get("/api/chats"))["results"]] == ["new/1", "older"]
    read_problem(send(client, "post", "/api/chats", CHAT, 409), 409)
    undo(client, made)
    assert not Conversation.objects.filter(uid="new/1").exists()


def test_a_chat_without_times_is_made_now():
    client, before = sign_in(), now_ms()
    made = send(client, "post", "/api/chats", {"messages": []}, 201).json()
    assert before <= made["created"] == made["updated"] <= now_ms()
    assert client.get(made["_server"]["href"]).json() == made


def test_the_same_chat_put_again_changes_nothing():
    client = sign_in()
    send(client, "post", "/api/chats", CHAT, 201)
    before = client.get("/api/chats/~bmV3LzE")
    answer = send(client, "put", "/api/chats/~bmV3LzE", before.json() | {"_server": {"revision": 7}})
    assert answer["ETag"] == before["ETag"] and "Bigagi-Change" not in answer
    assert Change.objects.count() == 1


def test_only_messages_that_are_others_are_written():
    client = sign_in()
    send(client, "post", "/api/chats", CHAT, 201)
    keys = dict(Conversation.objects.get().messages.values_list("uid", "pk"))
    changed = CHAT | {"messages": [CHAT["messages"][0], make_message("m1", "Moon"), make_message("m2", "Sun")]}
    answer = send(client, "put", "/api/chats/~bmV3LzE", changed)
    now = dict(Conversation.objects.get().messages.values_list("uid", "pk"))
    assert now["m0"] == keys["m0"] and now["m1"] != keys["m1"]
    assert same(bare(read(client.get("/api/chats/~bmV3LzE"))), changed)
    undo(client, answer)
    assert same(bare(read(client.get("/api/chats/~bmV3LzE"))), CHAT)


def test_messages_are_appended_replaced_and_deleted_and_all_is_undone_in_turn():
    client = sign_in()
    send(client, "post", "/api/chats", CHAT, 201)
    path = "/api/chats/~bmV3LzE"
    states, answers = [bare(read(client.get(path)))], []
    for method, at, body, status in (
        ("post", "", make_message("m2", "More"), 201),
        ("put", "/m1", make_message("m1", "Moon"), 200),
        ("delete", "/m0", None, 204),
        ("post", "", {"role": "user", "fragments": []}, 201),
    ):
        answers.append(send(client, method, f"{path}/messages{at}", body, status))
        states.append(bare(read(client.get(path))))
        assert client.get(path)["ETag"] == answers[-1]["ETag"]
    assert [message["id"] for message in states[3]["messages"]] == ["m1", "m2"]
    assert states[4]["messages"][2]["fragments"] == []
    read_problem(send(client, "post", f"/api/changes/{answers[0]['Bigagi-Change']}/undo", {}, 409), 409)
    for answer, before in zip(reversed(answers), reversed(states[:-1]), strict=True):
        undo(client, answer)
        assert same(bare(read(client.get(path))), before)


def test_a_patch_changes_what_it_names():
    client = sign_in()
    send(client, "post", "/api/chats", CHAT, 201)
    answer = send(client, "patch", "/api/chats/~bmV3LzE", {"userTitle": "Dogs", "isArchived": True, "unknown": None})
    given = read(client.get("/api/chats/~bmV3LzE"))
    assert (given["userTitle"], given["isArchived"], "unknown" in given) == ("Dogs", True, False)
    read_problem(send(client, "patch", "/api/chats/~bmV3LzE", {"messages": []}, 400), 400)
    read_problem(send(client, "patch", "/api/chats/~bmV3LzE", {"id": "x"}, 400), 400)
    problem = read_problem(send(client, "patch", "/api/chats/~bmV3LzE", {"userTitle": 5}, 400), 400)
    assert problem["errors"][0]["pointer"] == "/userTitle"
    undo(client, answer)
    assert same(bare(read(client.get("/api/chats/~bmV3LzE"))), CHAT)


def test_an_older_if_match_is_refused_with_what_is_here():
    client = sign_in()
    etag = send(client, "post", "/api/chats", CHAT, 201)["ETag"]
    send(client, "patch", "/api/chats/~bmV3LzE", {"userTitle": "Dogs"}, **{"If-Match": etag})
    answer = send(client, "patch", "/api/chats/~bmV3LzE", {"userTitle": "Mice"}, 412, **{"If-Match": etag})
    problem = answer.json()
    assert problem["current"]["userTitle"] == "Dogs" and answer["ETag"] == client.get("/api/chats/~bmV3LzE")["ETag"]
    send(client, "patch", "/api/chats/~bmV3LzE", {"userTitle": "Mice"}, **{"If-Match": answer["ETag"]})


@pytest.mark.parametrize("header", ["", " ", "1-2", ","])
def test_an_if_match_that_names_no_etag_is_refused_as_such(header):
    client = sign_in()
    send(client, "post", "/api/chats", CHAT, 201)
    answer = send(client, "patch", "/api/chats/~bmV3LzE", {"userTitle": "Mice"}, 400, **{"If-Match": header})
    assert "ETags in double quotes" in read_problem(answer, 400)["detail"]
    assert read(client.get("/api/chats/~bmV3LzE"))["userTitle"] == CHAT["userTitle"]


def test_a_deleted_chat_comes_back_to_its_place():
    client = sign_in()
    for at, uid in enumerate("abc"):
        make_chat(uid, at)
    answer = send(client, "delete", "/api/chats/b", status=204)
    assert [chat["id"] for chat in read(client.get("/api/chats"))["results"]] == ["a", "c"]
    undo(client, answer)
    assert [chat["id"] for chat in read(client.get("/api/chats"))["results"]] == ["a", "b", "c"]


def test_what_is_purged_is_kept_nowhere():
    client = sign_in()
    send(client, "post", "/api/chats", CHAT | {"userTitle": "a secret thing"}, 201)
    send(client, "patch", "/api/chats/~bmV3LzE", {"userTitle": "another"})
    answer = send(client, "delete", "/api/chats/~bmV3LzE?purge=true", status=204)
    assert not ChangedRecord.objects.exclude(body=None).exists()
    assert "secret thing" not in json.dumps(read(client.get("/api/changes"))["results"])
    problem = read_problem(send(client, "post", f"/api/changes/{answer['Bigagi-Change']}/undo", {}, 409), 409)
    assert "permanently deleted" in problem["detail"]


def test_a_branch_is_a_copy_up_to_a_message():
    client = sign_in()
    send(client, "post", "/api/chats", CHAT, 201)
    made = send(client, "post", "/api/chats/~bmV3LzE/branch", {"messageId": "m0"}, 201)
    branch = made.json()
    assert branch["autoTitle"] == "(1) Cats" and "userTitle" not in branch
    assert [message["fragments"][0]["part"]["text"] for message in branch["messages"]] == ["Hello"]
    assert branch["messages"][0]["id"] != "m0"
    again = send(client, "post", f"/api/chats/{branch['id']}/branch", {}, 201).json()
    assert again["autoTitle"] == "(2) Cats"
    read_problem(send(client, "post", "/api/chats/~bmV3LzE/branch", {"messageId": "m9"}, 400), 400)


def test_many_chats_are_changed_under_one_entry():
    client = sign_in()
    for at in range(120):
        make_chat(f"c{at}", at, systemPurposeId="Developer" if at % 2 else "Generic")
    make_folder("work", conversationIds=["c3"])
    answer = send(client, "post", "/api/chats/bulk", {"action": "archive", "filter": {"persona": "Developer"}})
    assert answer.json() == {"matched": 60, "changed": 60, "missing": [], "change": Change.objects.get().pk}
    assert Conversation.objects.filter(is_archived=True).count() == 60
    undo(client, answer)
    assert not Conversation.objects.filter(is_archived=True).exists()
    moved = send(client, "post", "/api/chats/bulk", {"action": "move", "ids": ["c1", "no"], "folder": "work"})
    assert moved.json()["missing"] == ["no"]
    assert read(client.get("/api/folders/work"))["conversationIds"] == ["c3", "c1"]
    gone = send(client, "post", "/api/chats/bulk", {"action": "delete", "ids": ["c1", "c2"]})
    assert Conversation.objects.count() == 118
    undo(client, gone)
    assert Conversation.objects.count() == 120
    read_problem(send(client, "post", "/api/chats/bulk", {"action": "delete"}, 400), 400)
    answer = send(client, "post", "/api/chats/bulk", {"action": "delete", "filter": {"a/b~c": 1}}, 400)
    assert read_problem(answer, 400)["errors"][0]["pointer"] == "/filter/a~1b~0c"


def test_all_chats_of_a_list_are_exported_whole():
    client = sign_in()
    make_chat("a", 0)
    make_chat("b", 1, isArchived=True)
    lines = client.get("/api/chats/export?archived=false").getvalue().decode().splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["a"]
    assert json.loads(lines[0]) == bare(read(client.get("/api/chats/a")))


def test_bodies_that_are_no_chats_are_refused():
    client = sign_in()
    for body, pointer in (
        ({"messages": "x"}, "/messages"),
        ({}, "/messages"),
        ({"messages": [], "created": "now"}, "/created"),
        ({"messages": [], "id": 5}, "/id"),
    ):
        problem = read_problem(send(client, "post", "/api/chats", body, 400), 400)
        assert problem["errors"][0]["pointer"] == pointer
    for text in ("[]", "{", "[" * 500, '{"id": NaN}', '"\xff'):
        answer = client.post("/api/chats", text.encode("latin-1"), content_type="application/json")
        read_problem(answer, 400)
    read_problem(client.post("/api/chats", "<x/>", content_type="text/xml"), 415)
    assert not Change.objects.exists()


def test_what_is_given_can_be_put_back_also_where_an_odd_member_holds_a_key():
    client, odd = sign_in(), ["sk-FAKE0undo1234567890abcdefghijklmnop"]
    make_chat("odd", userTitle=odd, messages=[make_message(role=odd)])
    make_folder("odd", title=odd)
    for path in ("/api/chats/odd", "/api/chats/odd/messages/m0", "/api/folders/odd"):
        given = client.get(path)
        assert "bigagi-secret:" in given.content.decode()
        answer = send(client, "put", path, bare(given.json()))
        assert "Bigagi-Change" not in answer and answer["ETag"] == given["ETag"]
