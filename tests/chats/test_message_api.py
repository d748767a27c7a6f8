import pytest
from django.db.models import F

from chats.models import Conversation
from tests.api import ODD_IDS, make_chat, make_message, read, read_problem, sign_in

pytestmark = pytest.mark.django_db


def test_messages_come_whole_and_by_position():
    messages = [make_message(f"m{number}", f"text {number}", metadata={"odd": number}) for number in range(3)]
    make_chat("chat", messages=[messages[0], None, messages[1], messages[2]])
    make_chat("other", 1, messages=[make_message("m0", "of the other chat")])
    page = read(sign_in().get("/api/chats/chat/messages"))
    facts = [message.pop("_server") for message in page["results"]]
    assert page["results"] == messages
    assert facts[1] == {"href": "/api/chats/chat/messages/m1", "position": 2}


def test_walking_messages_both_ways():
    client = sign_in()
    make_chat("chat", messages=[make_message(f"m{number}") for number in range(60)])
    seen, path = [], "/api/chats/chat/messages?page_size=25"
    while path:
        page = read(client.get(path))
        seen += [message["id"] for message in page["results"]]
        path, last = page["next"], page
    assert seen == [f"m{number}" for number in range(60)]
    before = read(client.get(last["previous"]))
    assert [message["id"] for message in before["results"]] == [f"m{number}" for number in range(25, 50)]
    newest = read(client.get("/api/chats/chat/messages?ordering=-position&page_size=2"))
    assert [message["id"] for message in newest["results"]] == ["m59", "m58"]


@pytest.mark.parametrize("uid", ODD_IDS)
def test_a_message_with_an_odd_id_is_found_under_its_address(uid):
    client = sign_in()
    make_chat("chat/1", messages=[make_message(uid)])
    [listed] = read(client.get("/api/chats/~Y2hhdC8x/messages"))["results"]
    assert read(client.get(listed["_server"]["href"])) == listed


def test_a_message_has_its_chats_etag():
    client = sign_in()
    chat = make_chat()
    first = client.get("/api/chats/chat/messages/m0")
    assert first["ETag"] == f'"{chat.pk}-1"'
    assert client.get("/api/chats/chat/messages/m0", headers={"If-None-Match": first["ETag"]}).status_code == 304
    Conversation.objects.update(revision=F("revision") + 1)
    assert client.get("/api/chats/chat/messages/m0", headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_an_unknown_message_is_not_found():
    client = sign_in()
    make_chat("chat")
    make_chat("other", 1, messages=[make_message("elsewhere")])
    read_problem(client.get("/api/chats/chat/messages/elsewhere"), 404)
    read_problem(client.get("/api/chats/nobody/messages/m0"), 404)
    read_problem(client.get("/api/chats/chat/messages?role=user"), 400)
