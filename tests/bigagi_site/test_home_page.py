import re

import pytest
from django.conf import settings
from django.test import Client

from stores.importers.verdict import Verdict
from tests.bigagi_site.factories import make_asset, make_conversation, make_message, make_owner, make_run, make_service

pytestmark = pytest.mark.django_db
COMMAND = "uv run manage.py import_indexeddb ~/Downloads/"


@pytest.fixture
def owner_client(client):
    client.force_login(make_owner())
    return client


@pytest.mark.parametrize("path", ["/", "/import", "/account"])
def test_pages_need_a_sign_in(client, path):
    assert client.get(path).url == f"/sign-in?next={path}"


def test_an_empty_home_tells_how_to_bring_chats(owner_client):
    text = owner_client.get("/").text
    assert "There is nothing here yet" in text
    for way in ("Bring your chats", "Add a key", "Try it without a key"):
        assert way in text
    for address in ("/import", "/services", "/chat-test"):
        assert f'href="{address}"' in text
    assert "data-upload" in text


def test_it_says_where_the_data_lies(owner_client):
    text = owner_client.get("/").text
    assert str(settings.DATA_DIR) in text
    assert str(settings.KEY_FILE) in text


def test_it_counts_what_is_here(owner_client):
    conversation = make_conversation()
    make_conversation("chat-2")
    for position in range(1, 1235):
        make_message(conversation, f"message-{position}", position=position)
    make_asset(size=5 * 10**12)
    make_asset("asset-2", asset_type="audio")
    make_service()
    text = " ".join(owner_client.get("/").text.split())
    for count in (
        "<b>2</b> chats",
        "<b>1,234</b> messages",
        "<b>1</b> image<",
        "<b>1</b> service<",
        "<b>5.0 TB</b>",
    ):
        assert count in text
    assert "There is nothing here yet" not in text


def test_it_tells_of_the_last_import(owner_client):
    make_run(status="done", source_name="first.json")
    blocked = "The disk was full. Fix this, then import the same file again to complete it."
    run = make_run(status="error", source_name="<second>.json", blocked_by=blocked)
    text = owner_client.get("/").text
    assert "&lt;second&gt;.json" in text
    assert f"/import/{run.pk}" in text
    assert "then import the same file again" in text
    assert "first.json" not in text


def test_it_says_whether_all_of_the_last_import_is_here(owner_client):
    counts = {"conversation": {"read": 12, "quarantined": 0}, "message": {"read": 60, "quarantined": 0}}
    verdict = Verdict(here={"conversation": 12, "message": 60})
    certificate = {"states": {"same": 72}, "differences": 0, "verdict": verdict.as_json()}
    make_run(status="done", counts=counts, certificate=certificate)
    assert "12 chats, 60 messages: all here, verified." in owner_client.get("/").text
    verdict.add("aside", "message", 2)
    make_run(status="done", counts=counts, certificate=certificate | {"verdict": verdict.as_json()})
    page = owner_client.get("/").text
    assert "12 chats, 62 messages: not all here." in page
    assert '<span class="state state-partial">Not all here</span>' in page
    assert "Kept aside: 2 messages" in owner_client.get("/").text


def test_it_leads_to_the_chats_that_were_changed_last(owner_client):
    at = 1_595_288_299_195
    for number in range(7):
        make_conversation(f"chat-{number}", user_title=f"Title <{number}>", updated=at + number)
    make_conversation("a/b", auto_title="Slash", updated=at + 10)
    make_conversation("archived", user_title="Archived", updated=at + 20, is_archived=True)
    make_conversation("odd", user_title="Odd time", updated=2**62)
    make_conversation("new", user_title="Came last")
    make_conversation("old", user_title="Old", created=1)
    text = owner_client.get("/").text
    latest = text[text.index('class="latest"') : text.index("</ul>", text.index('class="latest"'))]
    titles = re.findall(r'<a href="([^"]+)">([^<]+)</a>', latest)
    assert titles == [
        ("/chat-test/odd", "Odd time"),
        ("/chat-test/new", "Came last"),
        ("/chat-test/~YS9i", "Slash"),
        *[(f"/chat-test/chat-{number}", f"Title &lt;{number}&gt;") for number in (6, 5)],
    ]
    assert 'title="20 July 2020, 23:38 UTC"' in latest


def test_its_queries_do_not_grow_with_the_rows(owner_client, django_assert_num_queries):
    conversation = make_conversation()
    for position in range(50):
        make_message(conversation, f"message-{position}", position=position)
        make_run()
    with django_assert_num_queries(18):
        owner_client.get("/")


def test_the_import_page_helps_when_home_is_full(owner_client):
    make_conversation()
    assert COMMAND not in owner_client.get("/").text
    text = owner_client.get("/import").text
    assert COMMAND in text
    for words in ("data-box", "Include Binary Images", "Chrome", "Firefox", "Safari"):
        assert words in text


def test_a_missing_page_is_told_kindly(owner_client):
    answer = owner_client.get("/nowhere")
    assert answer.status_code == 404
    assert "Nothing was found at this address" in answer.text
    assert '<a href="/settings">Settings</a>' in answer.text and "Go to the home page" in answer.text
    in_admin = owner_client.get("/admin/nowhere/")
    assert in_admin.status_code == 404 and '<a href="/admin/">Go to the admin</a>' in in_admin.text
    assert "<nav" not in Client().get("/nowhere").text


def test_a_failure_is_told_without_details(owner_client, monkeypatch):
    def fail():
        raise RuntimeError("sk-secret")

    monkeypatch.setattr("bigagi_site.views.pages.describe_data", fail)
    owner_client.raise_request_exception = False
    answer = owner_client.get("/")
    assert answer.status_code == 500
    assert "An internal error occurred" in answer.text
    assert "sk-secret" not in answer.text
