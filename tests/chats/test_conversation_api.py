import json

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from chats.models import Conversation
from chats.models.conversation import LAST_CHANGE
from metrics.ledger.corrections import correct
from stores.models import ImportedRecord, MigrationRun
from stores.records.codecs import is_id
from stores.records.jsontext import same
from tests.api import ODD_IDS, make_chat, make_folder, make_message, read, read_problem, sign_in
from tests.metrics.events import make_event

pytestmark = pytest.mark.django_db

WHOLE = {
    "id": "whole",
    "messages": [
        make_message("m0", "caf\u00e9 \ud83d"),
        make_message(
            "m1", "nul \u0000", generator={"mgt": "aix", "name": "x", "aix": {"vId": "v", "mId": "m"}, "odd": 1}
        ),
        None,
        make_message("m1", "the same id again"),
        {"id": "m2", "role": 7, "fragments": [None, {"part": 1}, {"ft": "content", "part": {"pt": "new", "a": [1.5]}}]},
    ],
    "userTitle": "\ud800 lone",
    "autoTitle": None,
    "systemPurposeId": "Developer",
    "created": 10**400,
    "updated": 0.012594999999999999,
    "tokenCount": -1,
    "unknown": {"deep": [[[]]], "big": 2**64, "true": True},
}


def uids(page):
    return [chat["id"] for chat in page["results"]]


def walk(client, path, link="next"):
    """Return the pages from a path on, following a link."""
    pages = [read(client.get(path))]
    while pages[-1][link]:
        pages.append(read(client.get(pages[-1][link])))
        assert len(pages) < 100
    return pages


# --- one chat ---


def test_a_chat_is_what_big_agi_wrote_and_our_facts():
    make_chat("whole", **{key: value for key, value in WHOLE.items() if key != "id"})
    given = read(sign_in().get("/api/chats/whole"))
    facts = given.pop("_server")
    # The second message with an id is shown under another one, by which it can be addressed.
    assert is_id(given["messages"][3]["id"]) and given["messages"][3]["id"] != "m1"
    given["messages"][3]["id"] = "m1"
    assert same(given, json.loads(json.dumps(WHOLE)))
    assert facts == {"href": "/api/chats/whole", "revision": 1, "messageCount": 4, "lastMessageAt": 1}


def test_numbers_and_texts_that_other_writers_lose_survive():
    make_chat("odd", huge=float("inf"), long=10**400, text="\ud83d")
    body = sign_in().get("/api/chats/odd").content
    assert body.isascii()
    assert b'"huge":1e999' in body
    assert b"1" + b"0" * 400 in body
    assert rb'"text":"\ud83d"' in body


def test_a_chat_has_an_etag_and_is_not_sent_again():
    client = sign_in()
    chat = make_chat()
    first = client.get("/api/chats/chat")
    assert first["ETag"] == f'"{chat.pk}-1"'
    for known in (first["ETag"], f'"other", {first["ETag"]}', "*"):
        again = client.get("/api/chats/chat", headers={"If-None-Match": known})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    Conversation.objects.update(revision=F("revision") + 1)
    changed = client.get("/api/chats/chat", headers={"If-None-Match": first["ETag"]})
    assert (changed.status_code, changed["ETag"]) == (200, f'"{chat.pk}-2"')


@pytest.mark.parametrize("uid", ODD_IDS)
def test_an_odd_id_is_found_under_its_address(uid):
    client = sign_in()
    make_chat(uid)
    [listed] = read(client.get("/api/chats"))["results"]
    assert read(client.get(listed["_server"]["href"]))["id"] == uid
    assert read(client.get(listed["_server"]["href"] + "/"))["id"] == uid
    [message] = read(client.get(listed["_server"]["href"] + "/messages"))["results"]
    assert read(client.get(message["_server"]["href"]))["id"] == "m0"


@pytest.mark.parametrize("segment", ["nobody", "search", "~", "~!", "~c2VhcmN", "%00", "x" * 300])
def test_an_unknown_chat_is_not_found(segment):
    client = sign_in()
    make_chat("search")
    read_problem(client.get(f"/api/chats/{segment}"), 404)
    read_problem(client.get(f"/api/chats/{segment}/messages"), 404)


# --- the list ---


def test_the_list_has_chats_without_messages_and_with_facts():
    client = sign_in()
    run = MigrationRun.objects.create(phases=[], counts={}, errors=[], notes=[], pid=1, source_name="x")
    ImportedRecord.objects.create(
        kind="conversation", uid="chat", source_digest="", imported_hash="", run=run, branch_of="root"
    )
    make_chat(messages=[make_message("m0"), make_message("m1", created=7), make_message("m2", created=5)], odd=[1])
    make_folder("f1", 1, conversationIds=["chat", "gone"])
    make_folder("f0", 0, conversationIds=["other", "chat"])
    [chat] = read(client.get("/api/chats"))["results"]
    assert chat.pop("_server") == {
        "title": "",
        "href": "/api/chats/chat",
        "revision": 1,
        "messageCount": 3,
        "lastMessageAt": 7,
        "folderIds": ["f0", "f1"],
        "pinned": False,
        "costNanoUsd": None,
        "run": run.pk,
        "branchOf": "root",
    }
    assert chat == {"id": "chat", "systemPurposeId": "Generic", "created": 1, "updated": 2, "odd": [1]}


def test_a_listed_chat_tells_what_its_calls_cost():
    client = sign_in()
    for uid in ("paid", "free", "unpriced", "tested", "taken-back", "none"):
        make_chat(uid)
    make_event(conversation="paid", cost_nano_usd=2**40)
    make_event(conversation="paid", cost_nano_usd=7, source="import")
    make_event(conversation="paid", cost_nano_usd=None, cost_code="no-pricing")
    correct(make_event(conversation="paid", cost_nano_usd=1000))
    make_event(conversation="paid", cost_nano_usd=50, source="test")
    make_event(conversation="free", cost_nano_usd=None, cost_code="free")
    make_event(conversation="unpriced", cost_nano_usd=None, cost_code="no-pricing")
    make_event(conversation="tested", cost_nano_usd=5, source="test")
    correct(make_event(conversation="taken-back"))
    listed = read(client.get("/api/chats"))["results"]
    assert {chat["id"]: chat["_server"]["costNanoUsd"] for chat in listed} == {
        **{"paid": 2**40 + 7, "free": 0},
        **dict.fromkeys(("unpriced", "tested", "taken-back", "none")),
    }


def test_the_list_has_no_etag():
    assert "ETag" not in sign_in().get("/api/chats")


@pytest.mark.parametrize("ordering", ["position", "-position", "-updated", "updated", "-created", "created"])
def test_walking_by_cursor_gives_every_chat_once_forward_and_back(ordering):
    client = sign_in()
    for number in range(60):
        # Many equal values and many absent ones: the cursor has to tell them apart.
        times = {} if number % 4 == 0 else {"updated": number // 7, "created": number % 3}
        make_chat(f"c{number}", number // 2, **{"updated": None, "created": None, **times})
    pages = walk(client, f"/api/chats?page_size=7&ordering={ordering}")
    forward = [uid for page in pages for uid in uids(page)]
    assert len(forward) == 60
    assert set(forward) == {f"c{number}" for number in range(60)}
    assert pages[0]["previous"] is None
    back = walk(client, pages[-1]["previous"], "previous")
    assert [uid for page in reversed(back) for uid in uids(page)] == forward[: 60 - len(pages[-1]["results"])]
    assert uids(read(client.get(back[-1]["next"]))) == uids(pages[1])


def test_the_lists_order_is_big_agis_or_by_time():
    client = sign_in()
    make_chat("old", 5, updated=1)
    make_chat("new", -(2**40), updated=3)
    make_chat("never", 9, created=2, updated=None)
    make_chat("timeless", 10, created=None, updated=None)
    assert uids(read(client.get("/api/chats"))) == ["new", "old", "never", "timeless"]
    # Without a time of its own, a chat stands where it came here.
    assert uids(read(client.get("/api/chats?ordering=-updated"))) == ["timeless", "new", "never", "old"]
    assert uids(read(client.get("/api/chats?ordering=updated"))) == ["old", "never", "new", "timeless"]
    came = Conversation.objects.annotate(at=LAST_CHANGE).get(uid="timeless")
    assert abs(came.at - came.created_at.timestamp() * 1000) < 2


def test_the_list_counts_if_asked():
    client = sign_in()
    for number in range(3):
        make_chat(f"c{number}", number, isArchived=number == 1)
    assert "count" not in read(client.get("/api/chats"))
    assert read(client.get("/api/chats?count=1&page_size=1"))["count"] == 3
    assert read(client.get("/api/chats?count=1&page_size=1&archived=0"))["count"] == 2


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("archived=1", ["b"]),
        ("archived=true", ["b"]),
        ("archived=false", ["a", "c"]),
        ("folder=f%2F1", ["a", "c"]),
        ("folder=none", []),
        ("persona=Developer", ["a"]),
        ("model=openai-gpt%2F5", ["c"]),
        ("title=MENU", ["a"]),
        ("title=auto", ["b"]),
        ("title=hidden", []),
        ("updated_after=20", ["b", "c"]),
        ("updated_before=20", ["a", "b"]),
        ("created_after=200&created_before=250", ["b"]),
        ("archived=0&folder=f%2F1&persona=Developer", ["a"]),
        (f"updated_after={-(2**63)}", ["a", "b", "c"]),
    ],
)
def test_filters(query, found):
    client = sign_in()
    answer = make_message("m0", generator={"mgt": "aix", "aix": {"mId": "openai-gpt/5"}})
    make_chat("a", 0, userTitle="A menu", autoTitle="hidden", systemPurposeId="Developer", updated=10, created=100)
    make_chat("b", 1, userTitle="", autoTitle="automatic", isArchived=True, updated=20, created=200)
    make_chat("c", 2, messages=[answer, answer | {"id": "m1"}], isArchived=False, updated=30, created=300)
    make_folder("f/1", conversationIds=["c", "a"])
    assert uids(read(client.get(f"/api/chats?{query}"))) == found


@pytest.mark.parametrize(
    ("query", "parameter", "told"),
    [
        ("colour=red", "colour", "archived, pinned, folder, persona"),
        ("page_size=201", "page_size", "1 to 200"),
        ("page_size=0", "page_size", "1 to 200"),
        ("page_size=many", "page_size", "1 to 200"),
        ("page_size=%D9%A3", "page_size", "1 to 200"),
        ("ordering=title", "ordering", "-updated"),
        ("count=yes", "count", "0, 1"),
        ("archived=maybe", "archived", "maybe"),
        ("updated_after=yesterday", "updated_after", "number"),
        (f"updated_after={2**63}", "updated_after", "less than"),
        ("updated_after=1.5", "updated_after", "decimal"),
        ("title=%00", "title", "Null"),
        ("cursor=x", "cursor", "next or previous"),
        ("cursor=W10", "cursor", "next or previous"),
        ("cursor=WyJhZnRlciIsInBvc2l0aW9uIiwiYSIsMV0", "cursor", "next or previous"),
        ("cursor=WyJhZnRlciIsInBvc2l0aW9uIixudWxsLDFd", "cursor", "next or previous"),
        ("cursor=WyJhZnRlciIsIi11cGRhdGVkIiwxLDFd", "cursor", "next or previous"),
    ],
)
def test_a_bad_parameter_is_named(query, parameter, told):
    problem = read_problem(sign_in().get(f"/api/chats?{query}"), 400)
    assert problem["errors"][0]["pointer"] == f"?{parameter}"
    assert told in problem["detail"]


@pytest.mark.parametrize("path", ["/api/chats?page_size=200&count=1", "/api/chats/c0", "/api/chats/c0/messages"])
def test_the_number_of_queries_does_not_grow_with_the_rows(path):
    client = sign_in()
    counts = []
    for first, last in ((0, 3), (3, 60)):
        for number in range(first, last):
            make_chat(f"c{number}", number, messages=[make_message(f"m{at}") for at in range(number)])
            make_folder(f"f{number}", number, conversationIds=[f"c{number}"])
        Conversation.objects.filter(uid="c0").delete()
        make_chat("c0", 99, messages=[make_message(f"m{at}") for at in range(last)])
        with CaptureQueriesContext(connection) as queries:
            read(client.get(path))
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[0] <= 10
