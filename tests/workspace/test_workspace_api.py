import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.api import ODD_IDS, make_file, make_workspace, read, read_problem, sign_in
from workspace.models import LiveFile

pytestmark = pytest.mark.django_db


def test_a_workspace_names_its_files_in_their_order():
    client = sign_in()
    make_workspace("chat", ("two", "gone", "one"))
    make_file("one", name="one.txt")
    make_file("two", name="two.txt")
    workspace = read(client.get("/api/workspace/chat"))
    assert workspace == {
        "id": "chat",
        "file_ids": ["two", "gone", "one"],
        "href": "/api/workspace/chat",
        "files_href": "/api/workspace/chat/files",
        "chat_href": "/api/chats/chat",
    }
    assert read(client.get("/api/workspace"))["results"] == [workspace]
    files = read(client.get("/api/workspace/chat/files"))
    assert [file["id"] for file in files["results"]] == ["two", "one"]
    assert files["missing"] == ["gone"]
    assert "content" not in files["results"][0]


def test_a_file_is_big_agis_record():
    client = sign_in()
    file = make_file("file", content="Hello \u00e9", fsHandle=None, size="odd")
    make_workspace("chat", ("file",))
    answer = client.get("/api/files/file")
    assert read(answer) == {
        "id": "file",
        "name": "notes.txt",
        "type": "text/plain",
        "size": "odd",
        "content": "Hello \u00e9",
        "fsHandle": None,
        "_server": {"href": "/api/files/file", "contentHref": "/api/files/file/content", "revision": 1},
    }
    assert answer["ETag"] == f'"{file.pk}-1"'
    assert client.get("/api/files/file", headers={"If-None-Match": answer["ETag"]}).status_code == 304


def test_the_list_has_files_without_their_texts():
    client = sign_in()
    make_file("file", content="\ud800")
    make_workspace("b", ("file",))
    make_workspace("a", ("file",))
    [file] = read(client.get("/api/files"))["results"]
    assert "content" not in file
    assert file["_server"]["workspaceIds"] == ["a", "b"]


@pytest.mark.parametrize("content", ["Hello", "", "\u0000 and \u00e9", "<script>alert(1)</script>"])
def test_the_text_alone_is_plain_text(content):
    make_file("file", type="text/html", content=content)
    answer = sign_in().get("/api/files/file/content")
    assert answer.content.decode() == content
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "sandbox"


def test_a_lone_surrogate_is_not_lost():
    make_file("file", content="\ud800")
    assert sign_in().get("/api/files/file/content").content == b"\xed\xa0\x80"


def test_the_text_has_the_files_etag():
    client = sign_in()
    make_file()
    etag = client.get("/api/files/file/content")["ETag"]
    assert client.get("/api/files/file/content", headers={"If-None-Match": etag}).status_code == 304
    LiveFile.objects.update(revision=2)
    assert client.get("/api/files/file/content", headers={"If-None-Match": etag}).status_code == 200


@pytest.mark.parametrize("content", [None, 7])
def test_a_text_that_was_not_kept_is_not_found(content):
    make_file("file", content=content)
    read_problem(sign_in().get("/api/files/file/content"), 404)


def test_files_are_filtered_and_walked():
    client = sign_in()
    for number in range(10):
        # Names that are equal or absent have to be told apart.
        make_file(f"f{number}", name="same" if number % 3 else None, lastModified=number // 4)
    for ordering in ("name", "-name", "last_modified", "-last_modified"):
        seen, path = [], f"/api/files?page_size=3&ordering={ordering}"
        while path:
            page = read(client.get(path))
            seen += [file["id"] for file in page["results"]]
            path = page["next"]
        assert sorted(seen) == [f"f{number}" for number in range(10)]
    assert len(read(client.get("/api/files?name=SAM"))["results"]) == 6
    read_problem(client.get("/api/files?colour=red"), 400)


@pytest.mark.parametrize("uid", ODD_IDS)
def test_an_odd_id_is_found_under_its_address(uid):
    client = sign_in()
    make_workspace(uid, (uid,))
    make_file(uid)
    [workspace] = read(client.get("/api/workspace"))["results"]
    assert read(client.get(workspace["href"])) == workspace
    [file] = read(client.get(workspace["files_href"]))["results"]
    assert read(client.get(file["_server"]["href"]))["id"] == uid
    assert client.get(file["_server"]["contentHref"]).content == b"Hello"


def test_what_is_unknown_is_not_found():
    client = sign_in()
    for path in ("workspace/nobody", "workspace/nobody/files", "files/nobody", "files/nobody/content"):
        read_problem(client.get(f"/api/{path}"), 404)


@pytest.mark.parametrize(
    "path", ["/api/workspace?page_size=200", "/api/files?page_size=200", "/api/workspace/all/files"]
)
def test_the_number_of_queries_does_not_grow_with_the_rows(path):
    client = sign_in()
    counts = []
    for first, last in ((0, 3), (3, 60)):
        for number in range(first, last):
            make_file(f"f{number}", content="\ud800" if number % 2 else "text")
            make_workspace(f"w{number}", tuple(f"f{at}" for at in range(number)))
        make_workspace("all" if first == 0 else "more", tuple(f"f{at}" for at in range(last)))
        with CaptureQueriesContext(connection) as queries:
            read(client.get(path if first == 0 else path.replace("/all/", "/more/")))
        counts.append(len(queries))
    assert counts[0] == counts[1]
