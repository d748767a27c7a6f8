"""A message's page: what was said first, then the facts, then what only bigagi needs; and the ways to the chat page."""

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from chats.models import Fragment, Message
from tests.chats.test_conversation_admin import make_conversation

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner_client(client):
    client.force_login(get_user_model().objects.create_superuser("owner"))
    return client


def page_of(client, message):
    response = client.get(reverse("admin:chats_message_change", args=(message.pk,)))
    assert response.status_code == 200
    return response.content.decode()


def test_what_was_said_comes_first_and_internals_are_folded(owner_client):
    make_conversation("chat/1", "What is **two**?", "1 + <b>1</b>")
    message = Message.objects.get(uid="m0")
    Message.objects.filter(pk=message.pk).update(user_flags="starred", stop_reason="client-abort")
    html = page_of(owner_client, message).partition("<main")[2]
    places = [html.index(words) for words in ("<strong>two</strong>", "About this message", "Internals")]
    assert places == sorted(places)
    assert html.count("<details><summary>") == 2
    assert "starred" in html and "stopped by you" in html and "{" not in html[places[0] : places[1]]
    assert "1 + &lt;b&gt;1&lt;/b&gt;" in page_of(owner_client, Message.objects.get(uid="m1"))


def test_it_leads_to_the_chat_page_and_to_its_neighbours(owner_client):
    chat = make_conversation("chat/1", "one", "two", "three")
    first, second, third = Message.objects.order_by("position")
    html = page_of(owner_client, second)
    assert 'href="/chat-test/~Y2hhdC8x#m1">Open on the chat page' in html
    assert f'href="/admin/chats/conversation/{chat.pk}/change/?at=1#m-1"' in html
    assert f'rel="prev" href="/admin/chats/message/{first.pk}/change/"' in html
    assert f'rel="next" href="/admin/chats/message/{third.pk}/change/"' in html
    assert 'rel="prev"' not in page_of(owner_client, first) and 'rel="next"' not in page_of(owner_client, third)
    transcript = owner_client.get(reverse("admin:chats_conversation_change", args=(chat.pk,))).content.decode()
    assert 'href="/chat-test/~Y2hhdC8x">Open on the chat page' in transcript
    assert 'href="/chat-test/~Y2hhdC8x#m2">Open on the chat page' in transcript


def test_the_chat_page_finds_a_chat_in_the_admin_by_its_id(owner_client):
    chat = make_conversation("chat/1", "one")
    answer = owner_client.get("/admin/chats/conversation/of/~Y2hhdC8x/")
    assert (answer.status_code, answer.url) == (302, f"/admin/chats/conversation/{chat.pk}/change/")
    assert owner_client.get("/admin/chats/conversation/of/none/").status_code == 404
    assert '"admin": "/admin/chats/conversation/"' in owner_client.get("/chat-test/~Y2hhdC8x").content.decode()


def test_the_list_shows_texts_with_as_many_queries_for_many_messages(owner_client):
    make_conversation("chat", *(f"text {at} of a message" for at in range(2)))

    def count():
        with CaptureQueriesContext(connection) as queries:
            html = owner_client.get(reverse("admin:chats_message_changelist")).content.decode()
        assert "text 1 of a message</a>" in html
        return len(queries)

    few = count()
    make_conversation("more", *(f"text {at} of a message" for at in range(40)))
    assert count() == few


def test_the_list_shows_what_went_wrong_of_an_answer_that_failed(owner_client):
    make_conversation("chat", "Cannot reach the provider.")
    Fragment.objects.update(pt="error")
    listed = owner_client.get(reverse("admin:chats_message_changelist")).content.decode()
    assert "Cannot reach the provider.</a>" in listed
