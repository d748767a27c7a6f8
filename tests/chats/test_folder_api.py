import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.api import ODD_IDS, make_chat, make_folder, read, read_problem, sign_in

pytestmark = pytest.mark.django_db


def test_folders_are_big_agis_in_its_order():
    client = sign_in()
    make_folder("second", 1, title="\ud800", color="#407cf8", odd=[None])
    make_folder("first", 0, conversationIds=["gone", None, "chat", "gone"])
    first, second = read(client.get("/api/folders"))["results"]
    assert first == {
        "id": "first",
        "title": "Work",
        "conversationIds": ["gone", None, "chat", "gone"],
        "_server": {"href": "/api/folders/first", "chatsHref": "/api/chats?folder=first"},
    }
    assert second["title"] == "\ud800"
    assert second["odd"] == [None]
    assert read(client.get("/api/folders/first")) == first


@pytest.mark.parametrize("uid", ODD_IDS)
def test_a_folder_with_an_odd_id_is_found_with_its_chats(uid):
    client = sign_in()
    make_folder(uid, conversationIds=["chat"])
    make_chat("chat")
    make_chat("other", 1)
    [listed] = read(client.get("/api/folders"))["results"]
    assert read(client.get(listed["_server"]["href"])) == listed
    assert [chat["id"] for chat in read(client.get(listed["_server"]["chatsHref"]))["results"]] == ["chat"]


def test_an_unknown_folder_is_not_found():
    client = sign_in()
    make_folder("order")
    read_problem(client.get("/api/folders/nobody"), 404)
    # A word of ours, not the folder of that name.
    read_problem(client.get("/api/folders/order"), 405)
    read_problem(client.get("/api/folders?title=Work"), 400)


def test_the_number_of_queries_does_not_grow_with_the_rows():
    client = sign_in()
    counts = []
    for first, last in ((0, 3), (3, 60)):
        for number in range(first, last):
            make_folder(f"f{number}", number, conversationIds=[f"c{at}" for at in range(number)])
        with CaptureQueriesContext(connection) as queries:
            assert len(read(client.get("/api/folders?page_size=200"))["results"]) == last
        counts.append(len(queries))
    assert counts[0] == counts[1]
