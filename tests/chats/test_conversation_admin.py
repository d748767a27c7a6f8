import re

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from chats.models import Asset, Conversation, Folder, FolderMembership, Fragment, Message
from chats.transcript import PAGE_SIZE, format_cost
from stores.models import Quarantine
from stores.records.sealing import Sealer
from tests.api import make_store
from workspace.models import LiveFile, Workspace, WorkspaceFile

pytestmark = pytest.mark.django_db

T = 1_795_288_299_195


@pytest.fixture
def owner_client(client):
    client.force_login(get_user_model().objects.create_superuser("owner"))
    return client


def make_conversation(uid="chat", *texts, **columns):
    """Store a chat with messages of the given texts, the person's and the model's in turn."""
    chat = Conversation.objects.create(uid=uid, position=0, content_hash="", **{"user_title": "A title"} | columns)
    messages = Message.objects.bulk_create(
        Message(conversation=chat, uid=f"m{at}", position=at, role=("user", "assistant")[at % 2], content_hash="")
        for at in range(len(texts))
    )
    Fragment.objects.bulk_create(
        Fragment(message=message, position=0, ft="content", pt="text", text=text, part={})
        for message, text in zip(messages, texts, strict=True)
    )
    return chat


def page_of(client, chat, **parameters):
    response = client.get(reverse("admin:chats_conversation_change", args=(chat.pk,)), parameters)
    assert response.status_code == 200
    return response.content.decode()


def seal(text):
    sealer = Sealer()
    sealed = sealer.seal(text)
    sealer.save()
    return sealed


def test_lists_and_pages_show_markers_for_sealed_keys(owner_client):
    first, second = "sk-proj-" + "a1" * 16, "sk-proj-" + "b2" * 16
    chat = make_conversation("chat", seal(f"Use {first} or {second}"), user_title=seal(f"Of {first}"))
    Fragment.objects.update(title=seal(f"About {second}"))
    folder = Folder.objects.create(uid="folder", title=seal(f"In {second}"), position=0, content_hash="")
    FolderMembership.objects.create(folder=folder, conversation_uid="chat", position=0)
    urls = [reverse(f"admin:chats_{name}_changelist") for name in ("conversation", "message", "fragment", "folder")]
    urls += [reverse("admin:chats_folder_change", args=(folder.pk,)), reverse("admin:index")]
    for url in [*urls, reverse("admin:chats_conversation_change", args=(chat.pk,))]:
        html = owner_client.get(url).content.decode()
        assert "bigagi-secret:" in html, url
        assert "bigagi-secret:ref" not in html, url
    assert "Of bigagi-secret:a1a1" in owner_client.get(urls[0]).content.decode()


@pytest.mark.parametrize("before", [0, 40, 70, 90, 99, 110, 430])
def test_an_excerpt_never_ends_inside_a_reference(owner_client, before):
    make_conversation("chat", seal("x" * before + " " + " ".join(f"sk-proj-{at:032}" for at in range(12))))
    html = owner_client.get(reverse("admin:chats_fragment_changelist")).content.decode()
    assert "bigagi-secret:r" not in html


def test_keys_in_a_list_cost_one_query(owner_client):
    def count_queries():
        with CaptureQueriesContext(connection) as queries:
            owner_client.get(reverse("admin:chats_conversation_changelist"))
        return len(queries)

    for at in range(5):
        make_conversation(f"chat-{at}")
    plain = count_queries()
    for at, chat in enumerate(Conversation.objects.all()):
        Conversation.objects.filter(pk=chat.pk).update(user_title=seal(f"sk-proj-{at:032}"))
    assert count_queries() == plain + 1


def test_it_reads_as_a_chat(owner_client):
    chat = make_conversation("chat", "What is **two**?", "```python\nreturn 2\n```")
    Message.objects.filter(uid="m1").update(
        generator_name="gpt-9",
        purpose_id="Developer",
        created=T,
        user_flags="starred aix.skip",
        stop_reason="out-of-tokens",
        metrics={"$c": 0.4565, "TIn": 580, "TOut": 63, "TOutR": 18, "dtAll": 3800, "$code": "partial-msg"},
        metadata={"inReferenceTo": [{"mrt": "dmsg", "mText": "quoted <i>", "mRole": "assistant"}]},
    )
    html = page_of(owner_client, chat)
    assert html.index("<strong>two</strong>") < html.index('<span class="k">return</span>')
    for shown in (
        *(
            "gpt-9",
            "Developer",
            "2026-11-21 19:11:39 UTC",
            "starred",
            "skipped: not sent to the model",
            "out of tokens",
        ),
        *(
            "$0.004565 (partial-msg)",
            "580 new input",
            "63 output",
            "18 reasoning (included)",
            "3.80 s",
            "quoted &lt;i&gt;",
        ),
    ):
        assert shown in html, shown


def test_alpine_and_htmx_stay_out_of_what_was_written(owner_client):
    html = page_of(owner_client, make_conversation("chat", "<div x-data hx-get='/x'>{{ 1 }}"))
    assert '<ol class="turns" x-ignore hx-disable>' in html
    assert "&lt;div x-data hx-get=" in html


def test_the_list_leads_to_it(owner_client):
    chat = make_conversation()
    listed = owner_client.get(reverse("admin:chats_conversation_changelist")).content.decode()
    assert f"/admin/chats/conversation/{chat.pk}/change/" in listed


def test_a_persona_is_called_as_on_the_chat_page(owner_client):
    make_store("app-app-personas", {"state": {"simplePersonas": [{"id": "own1", "name": "Poet"}]}, "version": 1})
    for uid, persona in (("a", "DeveloperPreview"), ("b", "own1"), ("c", "gone")):
        chat = make_conversation(uid, system_purpose_id=persona)
    listed = owner_client.get(reverse("admin:chats_conversation_changelist")).content.decode()
    cells = re.findall(r"<td[^>]*field-persona[^>]*>\s*([^<]*?)\s*<", listed)
    assert sorted(cells) == ["Developer preview", "Poet", "gone"]
    assert "Unknown persona (gone)" in page_of(owner_client, chat)


def test_damaged_members_stand_at_their_places(owner_client):
    chat = make_conversation("chat", "first", "third")
    third = chat.messages.get(uid="m1")
    Message.objects.filter(pk=third.pk).update(position=2)
    common = {"store": "app-chats", "raw_digest": "", "is_json": True, "place": ""}
    Quarantine.objects.create(
        collection="messages", owner=chat.pk, position=1, kind="message", reason="no object", raw='"<raw>"', **common
    )
    Quarantine.objects.create(
        collection="fragments", owner=third.pk, position=1, kind="fragment", reason="no type", raw="{}", **common
    )
    html = page_of(owner_client, chat)
    places = [html.index(text) for text in ('id="m-0"', 'id="m-1"', "no object", "&lt;raw&gt;", 'id="m-2"', "no type")]
    assert places == sorted(places)


def test_its_relatives_are_linked(owner_client):
    chat = make_conversation()
    folder = Folder.objects.create(uid="f", title="Work", position=0, content_hash="")
    FolderMembership.objects.create(folder=folder, conversation_uid=chat.uid, position=0)
    workspace = Workspace.objects.create(uid=chat.uid, content_hash="")
    file = LiveFile.objects.create(uid="lf", name="notes.md", content_hash="")
    WorkspaceFile.objects.create(workspace=workspace, file_uid="lf", position=0)
    WorkspaceFile.objects.create(workspace=workspace, file_uid="gone", position=1)
    html = page_of(owner_client, chat)
    assert f'/admin/chats/folder/{folder.pk}/change/">Work</a>' in html
    assert f'/admin/workspace/livefile/{file.pk}/change/">notes.md</a>' in html
    assert "gone (missing)" in html
    folder_page = owner_client.get(reverse("admin:chats_folder_change", args=(folder.pk,))).content.decode()
    assert f'/admin/chats/conversation/{chat.pk}/change/">A title</a>' in folder_page


def test_an_asset_names_the_messages_that_use_it(owner_client):
    chat = make_conversation("chat", "look")
    asset = Asset.objects.create(uid="pic", mime_type="image/png", sha256="ab", position=0, content_hash="")
    Fragment.objects.create(
        message=chat.messages.get(), position=1, pt="image_ref", part={"dataRef": {"dblobAssetId": "pic"}}
    )
    html = owner_client.get(reverse("admin:chats_asset_change", args=(asset.pk,))).content.decode()
    assert f"/admin/chats/conversation/{chat.pk}/change/?at=0#m-0" in html
    assert '<img class="bigagi-image" src="/api/assets/pic/content"' in html
    Asset.objects.update(mime_type="image/svg+xml")
    html = owner_client.get(reverse("admin:chats_asset_change", args=(asset.pk,))).content.decode()
    assert "<img class" not in html


def test_a_secret_shows_its_marker(owner_client):
    sealer = Sealer()
    key = "sk-proj-abcdefghijklmnop1234"
    sealed = sealer.seal({"text": f"my key is {key}"})["text"]
    sealer.save()
    assert key not in sealed
    chat = make_conversation("chat", sealed)
    html = page_of(owner_client, chat)
    assert "bigagi-secret:1234" in html
    assert key not in html and "secret:ref" not in html


def test_a_long_chat_comes_in_pages(owner_client):
    chat = make_conversation("chat", *(f"text {at} end" for at in range(2 * PAGE_SIZE + 1)))
    first = page_of(owner_client, chat)
    assert "text 0 end" in first and f"text {PAGE_SIZE - 1} end" in first and f"text {PAGE_SIZE} end" not in first
    assert 'rel="next" href="?page=2"' in first
    last = page_of(owner_client, chat, page="3")
    assert f"text {2 * PAGE_SIZE} end" in last and 'rel="next"' not in last
    assert f'id="m-{PAGE_SIZE + 5}"' in page_of(owner_client, chat, at=PAGE_SIZE + 5)


@pytest.mark.parametrize("parameters", [{"page": "0"}, {"page": "999"}, {"page": "x"}, {"at": "9" * 30}, {"at": "-1"}])
def test_a_page_that_is_not_there_gives_another(owner_client, parameters):
    page_of(owner_client, make_conversation("chat", "text"), **parameters)


def test_it_needs_the_same_queries_for_few_and_for_many_messages(owner_client):
    def count(chat):
        with CaptureQueriesContext(connection) as queries:
            page_of(owner_client, chat)
        return len(queries)

    few = make_conversation("few", "one", "two")
    many = make_conversation("many", *(f"text {at}" for at in range(400)))
    assert count(many) == count(few) < 20


def test_an_empty_chat_says_so(owner_client):
    assert "No messages here." in page_of(owner_client, make_conversation("empty", user_title=None))


def test_search_and_filters_find_chats(owner_client):
    make_conversation("one", user_title="Pirates", updated=T, is_archived=True)
    make_conversation("two", user_title="Storage", updated=None)

    def found(**parameters):
        response = owner_client.get(reverse("admin:chats_conversation_changelist"), parameters)
        return [chat.uid for chat in response.context["cl"].result_list]

    assert found(q="pirat") == ["one"]
    assert found(archived="yes") == ["one"]
    assert found(archived="no") == ["two"]
    assert found(changed="old") == []
    assert found(folder="x") == found() == ["one", "two"] or found() == ["two", "one"]


def test_money_is_told_in_dollars_and_unknown_is_not_zero():
    assert format_cost({"$c": 0.4565}) == "$0.004565"
    assert format_cost({"$c": 250}) == "$2.50"
    assert format_cost({"$code": "free"}) == "free (free)"
    assert format_cost({"$code": "no-pricing"}) == "unpriced (no-pricing)"
    assert format_cost(None) == format_cost([]) == format_cost({"$c": "x"}) == "unpriced"
