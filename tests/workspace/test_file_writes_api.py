"""Live files made, written and deleted over the API, each change in the journal and undone by it."""

import json

import pytest
import time_machine

from stores.models import Change, ChangedRecord
from stores.records.secrets import reveal
from tests.api import make_file, make_workspace, read, read_problem, sign_in
from tests.workspace.test_workspace_writes_api import send, state, undo
from workspace.models import LiveFile
from workspace.views.texts import MAX_TEXT

pytestmark = pytest.mark.django_db

FILE = {
    "id": "a/1",
    "name": "notes.md",
    "type": "text/markdown",
    "size": 7,
    "content": "Hello é",
    "lastModified": 5,
    "created": 4,
    "isLoading": False,
    "error": None,
}
PATH = "/api/files/~YS8x"


def bare(record):
    return {key: value for key, value in record.items() if key != "_server"}


def put_text(client, path, body, status=200, *, content_type="text/plain", **headers):
    answer = client.put(f"{path}/content", body, content_type=content_type, headers=headers)
    assert answer.status_code == status, answer.content[:2000]
    return answer


def test_a_file_is_made_under_its_id_and_given_as_it_came():
    client = sign_in()
    made = send(client, "post", "/api/files", FILE, 201)
    assert made["Location"] == PATH
    given = client.get(PATH)
    assert bare(read(given)) == bare(made.json()) == FILE
    assert made["ETag"] == given["ETag"]
    read_problem(send(client, "post", "/api/files", FILE, 409), 409)
    undo(client, made)
    assert not LiveFile.objects.exists()


@time_machine.travel("2026-01-02T03:04:05Z", tick=False)
def test_what_a_new_file_lacks_is_added():
    client = sign_in()
    made = bare(send(client, "post", "/api/files", {"name": "x", "content": "é🐈"}, 201).json())
    assert len(made.pop("id")) == 36
    now = 1767323045000
    assert made == {"name": "x", "content": "é🐈", "size": 6, "lastModified": now, "created": now}


def test_a_patch_changes_what_it_names():
    client = sign_in()
    etag = send(client, "post", "/api/files", FILE, 201)["ETag"]
    answer = send(client, "patch", PATH, {"name": "other.md", "error": None}, **{"If-Match": etag})
    expected = {key: value for key, value in FILE.items() if key != "error"} | {"name": "other.md"}
    assert bare(read(client.get(PATH))) == bare(answer.json()) == expected
    assert answer["ETag"] == client.get(PATH)["ETag"] != etag
    refused = send(client, "patch", PATH, {"name": "third.md"}, 412, **{"If-Match": etag})
    assert refused.json()["current"]["name"] == "other.md"
    same = send(client, "patch", PATH, {"name": "other.md", "id": "a/1"})
    assert "Bigagi-Change" not in same and same["ETag"] == answer["ETag"]
    for body, pointer in (({"id": "b"}, "/id"), ({"id": None}, "/id"), ({"name": 5}, "/name")):
        assert send(client, "patch", PATH, body, 400).json()["errors"][0]["pointer"] == pointer
    undo(client, answer)
    assert bare(read(client.get(PATH))) == FILE


@time_machine.travel("2026-01-02T03:04:05Z", tick=False)
@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "text/markdown; charset=utf-8"])
def test_a_text_is_written_raw_and_sets_size_and_time(content_type):
    client = sign_in()
    etag = send(client, "post", "/api/files", FILE, 201)["ETag"]
    text = '{"é": "\r\n'
    answer = put_text(client, PATH, text.encode(), content_type=content_type, **{"If-Match": etag})
    assert client.get(f"{PATH}/content").content == text.encode()
    written = FILE | {"content": text, "size": 10, "lastModified": 1767323045000}
    assert bare(read(client.get(PATH))) == written
    assert "content" not in answer.json() and answer.json()["size"] == 10
    assert answer["ETag"] == client.get(PATH)["ETag"]
    put_text(client, PATH, b"older", 412, **{"If-Match": etag})
    again = put_text(client, PATH, text.encode())
    assert "Bigagi-Change" not in again and again["ETag"] == answer["ETag"]
    undo(client, answer)
    assert bare(read(client.get(PATH))) == FILE


@pytest.mark.parametrize("text", ["", "\u0000", "\ud800 half", "x" * 500_000])
def test_a_text_comes_back_as_it_was_put(text):
    client = sign_in()
    make_file("file")
    answer = put_text(client, "/api/files/file", text.encode("utf-8", "surrogatepass"))
    given = client.get("/api/files/file/content").content
    assert given.decode("utf-8", "surrogatepass") == text
    assert "Bigagi-Change" not in put_text(client, "/api/files/file", given)
    undo(client, answer)
    assert client.get("/api/files/file/content").content == b"Hello"


def test_a_patched_text_sets_size_and_time_unless_they_come_too():
    client = sign_in()
    send(client, "post", "/api/files", FILE, 201)
    assert send(client, "patch", PATH, {"content": "four"}).json()["size"] == 4
    given = send(client, "patch", PATH, {"content": "fiver", "size": 99, "lastModified": 6}).json()
    assert (given["size"], given["lastModified"]) == (99, 6)
    gone = send(client, "patch", PATH, {"content": None}).json()
    assert "content" not in gone
    read_problem(client.get(f"{PATH}/content"), 404)
    put_text(client, PATH, b"back")
    assert client.get(f"{PATH}/content").content == b"back"


def test_a_text_of_more_than_10_mib_is_refused():
    client = sign_in()
    make_file("file")
    put_text(client, "/api/files/file", b"x" * MAX_TEXT)
    for answer in (
        put_text(client, "/api/files/file", b"x" * (MAX_TEXT + 1), 413),
        put_text(client, "/api/files/file", b"x" * (16 * 2**20 + 1), 413),
        send(client, "patch", "/api/files/file", {"content": "x" * (MAX_TEXT + 1)}, 413),
        send(client, "post", "/api/files", {"content": "x" * (MAX_TEXT + 1)}, 413),
        send(client, "post", "/api/workspace/w/files", {"file": {"content": "x" * (MAX_TEXT + 1)}}, 413),
    ):
        assert "MiB" in read_problem(answer, 413)["detail"]
    read_problem(put_text(client, "/api/files/file", b"\xff", 400), 400)
    assert LiveFile.objects.get().size == MAX_TEXT


def test_a_secret_in_a_text_is_kept_as_a_reference_and_comes_back():
    client = sign_in()
    key = "sk-0123456789abcdefWXYZ"
    make_file("file")
    put_text(client, "/api/files/file", f"my key is {key}".encode())
    given = client.get("/api/files/file/content").content
    assert given == b"my key is bigagi-secret:WXYZ"
    assert key not in (LiveFile.objects.get().content or "")
    assert "Bigagi-Change" not in put_text(client, "/api/files/file", given)
    send(client, "patch", "/api/files/file", {"name": "new"})
    assert reveal(LiveFile.objects.get().content) == f"my key is {key}"


@pytest.mark.parametrize("path", ["/api/files/file", "/api/files/file/workspaces"])
def test_a_file_is_taken_out_of_all_workspaces_in_one_change(path):
    client = sign_in()
    make_file("file")
    make_file("other")
    make_workspace("one", ("other", "file"))
    make_workspace("two", ("file",))
    make_workspace("three", ("other",))
    before = state()
    stale = client.get("/api/files/file")["ETag"]
    etag = send(client, "patch", "/api/files/file", {"size": 6})["ETag"]
    send(client, "delete", path, None, 412, **{"If-Match": stale})
    answer = send(client, "delete", path, None, 204, **{"If-Match": etag})
    assert state()["liveFilesByWorkspace"] == {"one": ["other"], "two": [], "three": ["other"]}
    assert LiveFile.objects.filter(uid="file").exists() == path.endswith("workspaces")
    assert Change.objects.count() == 2
    undo(client, answer)
    send(client, "post", f"/api/changes/{Change.objects.order_by('id').first().pk}/undo", {}, 201)
    assert state() == before


def test_what_is_not_here_is_not_changed():
    client = sign_in()
    for method, path in (
        *(("patch", ""), ("delete", ""), ("delete", "/workspaces")),
        ("put", "/content"),
    ):
        read_problem(send(client, method, f"/api/files/nobody{path}", {}, 404), 404)
    make_file("file")
    read_problem(send(client, "post", "/api/files", {"id": 5}, 400), 400)
    read_problem(send(client, "post", "/api/files", [], 400), 400)
    read_problem(client.delete("/api/files/file?purge=perhaps"), 400)
    assert not Change.objects.exists()


def test_what_is_purged_is_kept_nowhere():
    client = sign_in()
    send(client, "post", "/api/files", FILE, 201)
    put_text(client, PATH, b"private words")
    send(client, "delete", f"{PATH}?purge=true", status=204)
    bodies = [body or "" for body in ChangedRecord.objects.values_list("body", flat=True)]
    assert not any("private" in body for body in bodies)
    assert "private" not in json.dumps(read(client.get("/api/changes"))["results"])
