"""The change journal in the admin: found, read, repeated as a call, and undone."""

import json
import shlex
from functools import partial

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from chats.models import Conversation, Folder
from chats.services.conversations import archive_one, change_many, create_chat, delete_chat, patch_chat, replace_chat
from chats.services.folders import patch_folder
from stores.admin.calls import call_of
from stores.admin.difference import Manner, Room, show_operations
from stores.models import Change, ChangedRecord
from stores.records.journal.delta import diff
from stores.records.journal.recorder import Origin
from stores.services.stores import replace_store
from tests.api import make_chat, make_folder, make_message, make_store

pytestmark = pytest.mark.django_db

API = Origin(Change.Source.API, "reader · laptop", "request-1", {"method": "PATCH", "path": "/api/chats/chat"})
BASE = "http://127.0.0.1:8000"


@pytest.fixture
def owner_client(client):
    client.force_login(get_user_model().objects.create_superuser("owner"))
    return client


def page_of(client, change):
    answer = client.get(reverse("admin:stores_change_change", args=(change.pk,)))
    assert answer.status_code == 200
    return answer.content.decode()


def found(client, **parameters):
    answer = client.get(reverse("admin:stores_change_changelist"), parameters)
    assert answer.status_code == 200
    return {change.action for change in answer.context["cl"].result_list}


def undo_in_admin(client, change):
    return client.post(reverse("admin:stores_change_act", args=(change.pk, "undo")), follow=True)


def newest():
    return Change.objects.order_by("-pk").first()


def test_changes_are_found_by_record_request_words_and_filters(owner_client):
    make_chat("chat", userTitle="Cats")
    make_folder("folder")
    patch_chat(API, "chat", {"userTitle": "Sea lions"})
    patch_folder(Origin(Change.Source.ADMIN, "owner", "request-2"), "folder", {"title": "Home"})
    delete_chat(Origin(Change.Source.COMMAND), "chat")
    assert found(owner_client, q="request-1") == {"patch chat"}
    assert found(owner_client, q="chat") == {"patch chat", "delete chat"}
    assert found(owner_client, q="sea LIONS") == {"patch chat", "delete chat"}
    assert found(owner_client, source="admin") == {"patch folder"}
    assert found(owner_client, actor="reader · laptop") == {"patch chat"}
    assert found(owner_client, action="delete chat") == {"delete chat"}
    assert found(owner_client, kind="folder") == {"patch folder"}
    assert found(owner_client, happened="deleted") == found(owner_client, happened="gone") == {"delete chat"}
    assert found(owner_client, q="nothing") == set()


def test_the_size_of_the_journal_stands_above_the_list(owner_client):
    make_chat("chat")
    delete_chat(API, "chat")
    html = owner_client.get(reverse("admin:stores_change_changelist")).content.decode()
    assert "1 change, keeping" in html and "prune_journal --older-than 90d" in html


def test_a_page_tells_what_was_before_and_after(owner_client):
    old = {"id": "chat", "systemPurposeId": "Generic", "userTitle": "Cats", "created": 1, "updated": 2}
    text = "The quick <b>{}</b> fox jumps over the lazy dog at dawn"
    create_chat(API, old | {"messages": [make_message("m0", text.format("brown"))]})
    replace_chat(
        API,
        "chat",
        old
        | {
            "userTitle": "Dogs",
            "messages": [
                make_message("m0", text.format("red")),
                make_message("m1", "A new one"),
            ],
        },
    )
    html = page_of(owner_client, newest())
    for word in ("Cats", "brown"):
        assert f'<del><span class="sr-only">removed: </span>{word}<' in html, word
    for word in ("Dogs", "red"):
        assert f'<ins><span class="sr-only">added: </span>{word}<' in html, word
    assert "A new one" in html and "<code>userTitle</code>" in html and "from position 1" in html
    chat = Conversation.objects.get()
    assert f'/admin/chats/conversation/{chat.pk}/change/">chat</a>' in html
    assert "<b>red</b>" not in html
    created = page_of(owner_client, Change.objects.order_by("pk").first())
    assert "This record is new." in created and f"/admin/chats/conversation/{chat.pk}/change/" in created


def test_a_deleted_record_is_shown_whole_and_comes_back(owner_client):
    make_chat("chat", userTitle="Cats")
    change = delete_chat(API, "chat")
    html = page_of(owner_client, change)
    assert "chat <span" in html and "(missing)" in html and "&quot;userTitle&quot;: &quot;Cats&quot;" in html
    answer = undo_in_admin(owner_client, change)
    assert Conversation.objects.get().user_title == "Cats"
    undone = newest()
    assert (undone.source, undone.actor, undone.undoes_id) == ("admin", "owner", change.pk)
    assert undone.request_id
    assert answer.redirect_chain == [(reverse("admin:stores_change_change", args=(undone.pk,)), 302)]
    html = answer.content.decode()
    assert "Undone: delete chat: Cats" in html and f">Change {undone.pk}</a>" in html
    assert found(owner_client, happened="gone") == set()
    assert f">Change {undone.pk}</a>" in page_of(owner_client, change)


def test_a_refusal_tells_its_reason_and_changes_nothing(owner_client):
    make_chat("chat")
    first = patch_chat(API, "chat", {"userTitle": "Sea lions"}).change
    second = patch_chat(API, "chat", {"userTitle": "Seals"}).change
    html = undo_in_admin(owner_client, first).content.decode()
    assert f"was changed later by change {second.pk} (patch chat). Undo that change first." in html
    assert Conversation.objects.get().user_title == "Seals" and newest() == second


def test_what_cannot_be_undone_has_no_button(owner_client):
    make_chat("chat")
    purged = delete_chat(API, "chat", purge=True)
    html = page_of(owner_client, purged)
    assert "permanently deleted" in html and "Undo this change" not in html
    imported = Change.objects.create(source="import", action="import")
    assert "Undo this change" not in page_of(owner_client, imported)


def test_a_page_shows_markers_for_keys(owner_client):
    key, other = "sk-proj-abcdefghijklmnop1234", "sk-proj-qrstuvwxyzabcdef5678"
    make_store("app-x", {"state": {"apiKey": key}, "version": 1})
    replace_store(
        Origin("api", "x", "r", {"method": "PUT", "path": "/api/stores/app-x", "body": {"state": {"apiKey": other}}}),
        "app-x",
        {"state": {"apiKey": other, "more": [f"a {key} b"]}, "version": 1},
    )
    html = page_of(owner_client, newest())
    record = ChangedRecord.objects.order_by("-pk").first()
    download = owner_client.get(reverse("admin:stores_changedrecord_download", args=(record.pk, "body")))
    for text in (html, download.content.decode()):
        assert "bigagi-secret:1234" in text and "bigagi-secret:5678" in text
        assert key not in text and other not in text and "secret:ref" not in text


def test_long_values_are_folded_and_a_long_page_ends():
    text = "word " * 100_000
    html = show_operations(diff({"a": 1, "text": "x"}, {"a": 1, "text": text, "more": text}), Manner(Room(50_000)))
    assert html.count("<details") == 2 and "Download the file to see the rest." in html
    assert len(html) < 120_000


def test_a_change_of_many_records_needs_no_more_queries(owner_client):
    def count(number):
        uids = [make_chat(f"{number}-{at}", at).uid for at in range(number)]
        change, _ = change_many(
            API, "archive chats", uids, lambda entry, row: archive_one(entry, row, is_archived=True)
        )
        with CaptureQueriesContext(connection) as queries:
            page_of(owner_client, change)
        return len(queries)

    assert count(2) == count(70) < 20
    assert "First 50 records." in page_of(owner_client, newest())


# --- as curl ---------------------------------------------------------------------------------------------------------


def change_with(call, **kwargs):
    return Change.objects.create(**{"source": "api", "action": "put", "call": call} | kwargs)


def test_a_call_is_a_command_for_a_shell():
    body = {"userTitle": 'It\'s a "test" of $HOME é'}
    call = call_of(change_with({"method": "PATCH", "path": "/api/chats/a%20b?x=1&y=2", "body": body}), BASE)
    assert f"curl -X PATCH '{BASE}/api/chats/a%20b?x=1&y=2'" in call.text
    assert '-H "Authorization: Bearer $BIGAGI_TOKEN"' in call.text and not call.is_equivalent
    words = shlex.split(call.text.replace("\\\n", ""))
    assert json.loads(words[words.index("--data-raw") + 1]) == body


def test_a_body_that_was_too_long_is_told_as_such():
    call = call_of(change_with({"method": "POST", "path": "/api/chats", "body_size": 12345}), BASE)
    assert "--data-binary @body.json" in call.text
    assert any("12,345 bytes was not kept" in note for note in call.notes)


def test_changes_without_a_call_have_an_equivalent_where_there_is_one():
    make_chat("a/b", userTitle="Cats")
    make_chat("two")
    origin = Origin(Change.Source.ADMIN, "owner")
    renamed = patch_chat(origin, "a/b", {"userTitle": "Dogs"}).change
    call = call_of(renamed, BASE)
    assert call.is_equivalent and f"-X PATCH '{BASE}/api/chats/~YS9i'" in call.text
    assert '{"userTitle":"Dogs"}' in call.text
    archived, _ = change_many(origin, "archive chats", ["a/b", "two"], partial(archive_one, is_archived=True))
    assert "/api/chats/bulk" in call_of(archived, BASE).text
    assert '{"action":"archive","ids":["a/b","two"]}' in call_of(archived, BASE).text
    assert "-X DELETE" in call_of(delete_chat(origin, "two"), BASE).text
    undone = change_with(None, undoes=renamed)
    assert f"-X POST {BASE}/api/changes/{renamed.pk}/undo" in call_of(undone, BASE).text
    assert call_of(change_with(None, source="import"), BASE) is None


def test_the_page_names_this_server_and_has_a_button_to_copy(owner_client):
    html = page_of(owner_client, change_with({"method": "DELETE", "path": "/api/chats/x"}))
    assert "curl -X DELETE http://testserver/api/chats/x" in html
    assert 'data-copy="call"' in html and 'src="/static/stores/copy.js"' in html
    assert Folder.objects.count() == 0
