"""A generation whose process is gone is closed before the write that finds it, whatever becomes of that one."""

import pytest
from django.test import Client
from django.urls import reverse

from chats.generations.requests import GenerationRequest, StartedGeneration
from chats.generations.start import start_all
from chats.models import Conversation, Generation
from stores.models import Change
from stores.records.journal.recorder import Origin
from tests.api import make_chat, make_message, read_problem, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def abandoned() -> Generation:
    make_chat(messages=[])
    [started] = start_all([GenerationRequest(Origin("chat"), "chat", {"text": "Hello"}, "bigagi-demo-echo")], "1-gone")
    assert isinstance(started, StartedGeneration)
    Generation.objects.update(lease_until=1)
    return started.row


def test_the_question_gave_the_chat_its_title_as_the_answer_began(abandoned: Generation):
    assert Conversation.objects.get().auto_title == "Hello"


def test_it_is_closed_also_where_the_write_is_refused(abandoned: Generation):
    client = sign_in()
    answer = client.delete("/api/chats/chat", headers={"If-Match": '"other"'})
    assert answer.status_code == 412
    abandoned.refresh_from_db()
    assert abandoned.status == "error" and abandoned.detail


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("post", "/api/chats/chat/messages", make_message("new"), 201),
        ("put", "/api/chats/chat", {"messages": []}, 200),
        ("delete", "/api/chats/chat", {}, 204),
        ("post", "/api/chats/bulk", {"action": "delete", "ids": ["chat"]}, 200),
        ("post", "/api/chats/chat/branch", {}, 201),
        ("put", "/api/stores/app-chats", {"state": {"conversations": []}, "version": 4}, 200),
        ("patch", "/api/stores/app-chats", {"state": {"conversations": []}}, 200),
        ("delete", "/api/stores/app-chats?confirm=true", {}, 204),
    ],
)
def test_whoever_writes_in_the_chat_closes_it(abandoned: Generation, method: str, path: str, body, status: int):
    answer = getattr(sign_in(), method)(path, body, content_type="application/json")
    assert answer.status_code == status, answer.content
    assert not Generation.objects.filter(status="running").exists()


def test_an_undo_closes_it_and_names_the_change_to_undo_first(abandoned: Generation):
    client = sign_in()
    begun = Change.objects.get(action="generate").pk
    # What such a request wrote in its own transaction would be gone with its answer.
    refused = ask_to_undo(client, begun, headers={"Idempotency-Key": "undo"})
    ended = Change.objects.latest("pk")
    assert ended.action == "finish answer"
    problem = read_problem(refused, 409)
    assert problem["type"].endswith("#cannot-be-undone") and f"change {ended.pk} " in problem["detail"]
    assert ask_to_undo(client, ended.pk).status_code == 201
    # Nobody is writing: a message that says so would wait for ever.
    [asked, answer] = client.get("/api/chats/chat").json()["messages"]
    assert answer["fragments"] == [] and "pendingIncomplete" not in answer
    # What was undone can be brought back, and undone from its beginning.
    undone = Change.objects.latest("pk").pk
    assert ask_to_undo(client, undone).status_code == 201
    assert client.get("/api/chats/chat").json()["messages"][1]["fragments"][0]["part"]["pt"] == "error"
    assert ask_to_undo(client, Change.objects.latest("pk").pk).status_code == 201
    assert ask_to_undo(client, begun).status_code == 201
    assert not Conversation.objects.get().messages.exists()


def ask_to_undo(client: Client, change: int, **kwargs):
    return client.post(f"/api/changes/{change}/undo", {}, content_type="application/json", **kwargs)


def test_an_undo_in_the_admin_closes_it(abandoned: Generation):
    begun = Change.objects.get(action="generate").pk
    answer = sign_in().post(reverse("admin:stores_change_act", args=(begun, "undo")), follow=True)
    assert "Undo that change first" in answer.text
    abandoned.refresh_from_db()
    assert abandoned.status == "error"


def test_the_next_generation_closes_it(abandoned: Generation):
    [started] = start_all([GenerationRequest(Origin("chat"), "chat", model="bigagi-demo-echo")], "1-here")
    assert isinstance(started, StartedGeneration)
    abandoned.refresh_from_db()
    assert abandoned.status == "error"
