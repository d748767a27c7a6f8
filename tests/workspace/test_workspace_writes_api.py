"""Workspaces filled, copied and deleted over the API, each change in the journal and undone by it."""

import json

import pytest

from stores.models import Change, ChangedRecord
from stores.records.dump import records_of
from tests.api import ODD_IDS, make_chat, make_file, make_message, make_workspace, read, read_problem, sign_in
from workspace.bigagi import LIVE_FILES, WORKSPACES
from workspace.models import LiveFile, Workspace

pytestmark = pytest.mark.django_db


def send(client, method, path, body=None, status=200, **headers):
    answer = getattr(client, method)(path, json.dumps(body), content_type="application/json", headers=headers)
    assert answer.status_code == status, answer.content[:2000]
    return answer


def undo(client, answer):
    return send(client, "post", f"/api/changes/{answer['Bigagi-Change']}/undo", {}, 201)


def state():
    """Return all workspaces and files as big-AGI has them."""
    return {
        collection.key: {row.uid: json for row, json in records_of(collection)}
        for collection in (WORKSPACES, LIVE_FILES)
    }


@pytest.fixture
def client():
    client = sign_in()
    for uid in "abc":
        make_file(uid, name=f"{uid}.txt")
    make_workspace("chat", ("gone", "b"))
    return client


def attachment(**members):
    return {"ft": "attachment", "fId": "f1", "title": "", "part": {"pt": "doc"}, **members}


# method, path, body, status, what the workspaces are afterwards
OPERATIONS = [
    ("post", "chat/files", {"ids": ["a", "b", "c", "a"]}, 200, {"chat": ["gone", "b", "a", "c"]}),
    ("post", "new/files", {"ids": ["a"]}, 200, {"chat": ["gone", "b"], "new": ["a"]}),
    ("post", "chat/files", {"file": {"id": "n/1", "content": "New"}}, 201, {"chat": ["gone", "b", "n/1"]}),
    ("post", "new/files", {"file": {"id": "n"}}, 201, {"chat": ["gone", "b"], "new": ["n"]}),
    ("put", "chat/files/a", None, 200, {"chat": ["gone", "b", "a"]}),
    ("put", "new/files/a", None, 200, {"chat": ["gone", "b"], "new": ["a"]}),
    ("delete", "chat/files/b", None, 200, {"chat": ["gone"]}),
    ("delete", "chat/files/gone", None, 200, {"chat": ["b"]}),
    ("post", "chat/copy", {"to": "new"}, 200, {"chat": ["gone", "b"], "new": ["gone", "b"]}),
    ("delete", "chat", None, 204, {}),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "expected"), OPERATIONS)
def test_each_operation_does_what_it_says_and_is_undone(client, method, path, body, status, expected):
    before = state()
    stale = client.get("/api/workspace/chat")["ETag"]
    answer = send(client, method, f"/api/workspace/{path}", body, status, **{"If-Match": stale})
    assert state()["liveFilesByWorkspace"] == expected
    assert Change.objects.count() == 1
    if status != 204:
        shown = answer.json()
        assert shown["file_ids"] == expected[shown["id"]]
        assert read(client.get(shown["href"])) == shown
        assert answer["ETag"] == client.get(shown["href"])["ETag"] != stale
    undo(client, answer)
    assert state() == before


@pytest.mark.parametrize(("method", "path", "body", "status", "expected"), OPERATIONS)
def test_an_older_if_match_is_refused(client, method, path, body, status, expected):
    stale = client.get("/api/workspace/chat")["ETag"]
    fresh = send(client, "put", "/api/workspace/other/files/c")["ETag"]
    before = state()
    refused = send(client, method, f"/api/workspace/{path}", body, 412, **{"If-Match": stale})
    assert refused["ETag"] == fresh and "current" in refused.json()
    assert state() == before
    send(client, method, f"/api/workspace/{path}", body, status, **{"If-Match": fresh})


def test_what_is_so_already_changes_nothing(client):
    etag = client.get("/api/workspace/chat")["ETag"]
    for method, path, body in (
        ("put", "chat/files/b", None),
        ("post", "chat/files", {"ids": ["b"]}),
        ("post", "chat/files", {"ids": []}),
        ("delete", "chat/files/c", None),
        ("post", "chat/copy", {"to": "chat"}),
    ):
        answer = send(client, method, f"/api/workspace/{path}", body)
        assert "Bigagi-Change" not in answer and answer["ETag"] == etag
    assert not Change.objects.exists()


def test_a_copy_keeps_what_the_other_workspace_has(client):
    make_workspace("other", ("a", "b"))
    assert send(client, "post", "/api/workspace/chat/copy", {"to": "other"}).json()["file_ids"] == ["a", "b", "gone"]


def test_an_emptied_workspace_stays(client):
    send(client, "delete", "/api/workspace/chat/files/b")
    send(client, "delete", "/api/workspace/chat/files/gone")
    assert read(client.get("/api/workspace/chat"))["file_ids"] == []


def test_damaged_members_stay_where_they_are(client):
    make_workspace("odd", ("a", None, "a", "b"))
    send(client, "put", "/api/workspace/odd/files/c")
    assert state()["liveFilesByWorkspace"]["odd"] == ["a", None, "a", "b", "c"]
    answer = send(client, "delete", "/api/workspace/odd/files/a")
    assert state()["liveFilesByWorkspace"]["odd"] == [None, "b", "c"]
    undo(client, answer)
    assert state()["liveFilesByWorkspace"]["odd"] == ["a", None, "a", "b", "c"]
    assert send(client, "post", "/api/workspace/odd/copy", {"to": "new"}).json()["file_ids"] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "pointer"),
    [
        ("post", "chat/files", {}, 400, "/ids"),
        ("post", "chat/files", {"ids": ["a"], "file": {}}, 400, "/ids"),
        ("post", "chat/files", {"ids": "a"}, 400, "/ids"),
        ("post", "chat/files", {"ids": ["a", "nobody"]}, 400, "/ids/1"),
        ("post", "chat/files", {"names": ["a"]}, 400, "/names"),
        ("post", "chat/files", {"a/b~c": ["a"]}, 400, "/a~1b~0c"),
        ("post", "chat/files", {"file": 5}, 400, "/file"),
        ("post", "chat/files", {"file": {"name": 5}}, 400, "/file/name"),
        ("post", "chat/files", {"file": {"id": ""}}, 400, "/id"),
        ("post", "chat/files", {"file": {"id": "a"}}, 409, None),
        ("put", "chat/files/nobody", None, 404, None),
        ("delete", "nobody/files/a", None, 404, None),
        ("post", "nobody/copy", {"to": "chat"}, 404, None),
        ("post", "chat/copy", {}, 400, "/to"),
        ("post", "chat/copy", {"to": ""}, 400, "/to"),
        ("post", "chat/copy", {"to": "\ud800"}, 400, "/to"),
        ("delete", "nobody", None, 404, None),
        ("delete", "chat?colour=red", None, 400, "?colour"),
        ("post", "nobody/import", None, 404, None),
    ],
)
def test_what_cannot_be_done_changes_nothing(client, method, path, body, status, pointer):
    before = state()
    problem = read_problem(send(client, method, f"/api/workspace/{path}", body, status), status)
    assert [error["pointer"] for error in problem["errors"]][:1] == [pointer] * (pointer is not None)
    assert state() == before and not Change.objects.exists()


def test_the_files_that_a_chat_names_are_imported(client):
    fragments = [
        attachment(liveFileId="c"),
        {"ft": "content", "part": {"pt": "text", "text": ""}, "liveFileId": "a"},
        attachment(liveFileId="lost"),
        attachment(liveFileId=5),
        attachment(),
        None,
    ]
    more = [attachment(liveFileId="b"), attachment(liveFileId="c")]
    messages = [make_message("m0", fragments=fragments), make_message("m1", fragments=more)]
    make_chat("chat", messages=messages)
    make_chat("other", 1, messages=messages)
    before = state()
    answer = send(client, "post", "/api/workspace/chat/import", None)
    assert answer.json() == {
        "workspace": read(client.get("/api/workspace/chat")),
        "named": ["c", "lost", "b"],
        "missing": ["lost"],
    }
    assert state()["liveFilesByWorkspace"] == {"chat": ["gone", "b", "c"]}
    assert answer["ETag"] == client.get("/api/workspace/chat")["ETag"]
    undo(client, answer)
    assert state() == before
    assert send(client, "post", "/api/workspace/other/import", None).json()["workspace"]["file_ids"] == ["c", "b"]
    refused = send(client, "post", "/api/workspace/other/import", None, 412, **{"If-Match": '"0-0"'})
    assert refused["Content-Type"] == "application/problem+json"


def test_a_chat_that_names_no_file_gets_no_workspace(client):
    make_chat("bare")
    answer = send(client, "post", "/api/workspace/bare/import", None)
    assert answer.json() == {"workspace": None, "named": [], "missing": []}
    assert not Workspace.objects.filter(uid="bare").exists() and not Change.objects.exists()


@pytest.mark.parametrize("uid", ODD_IDS)
def test_odd_ids_work_on_every_route(uid):
    client = sign_in()
    make_chat(uid, messages=[make_message(fragments=[attachment(liveFileId=uid)])])
    file = send(client, "post", "/api/files", {"id": uid}, 201)["Location"]
    segment = file.rpartition("/")[2]
    made = send(client, "put", f"/api/workspace/{segment}/files/{segment}").json()
    assert (made["id"], made["file_ids"]) == (uid, [uid])
    assert send(client, "delete", f"{made['files_href']}/{segment}").json()["file_ids"] == []
    assert send(client, "post", f"{made['href']}/import").json()["workspace"]["file_ids"] == [uid]
    send(client, "post", made["files_href"], {"ids": [uid]})
    assert send(client, "post", f"{made['href']}/copy", {"to": uid + "!"[: 200 - len(uid)]}).status_code == 200
    send(client, "delete", made["href"], status=204)
    send(client, "delete", file, status=204)
    assert not LiveFile.objects.exists()


def test_what_is_purged_is_kept_nowhere(client):
    answer = send(client, "delete", "/api/workspace/chat?purge=true", status=204)
    assert not ChangedRecord.objects.exclude(body=None).exists()
    read_problem(send(client, "post", f"/api/changes/{answer['Bigagi-Change']}/undo", {}, 409), 409)
