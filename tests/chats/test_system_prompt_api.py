"""The system prompt of a chat: which messages are sent as it, and how it is set, cleared and taken back."""

import json

import pytest

from chats.bigagi.conversation import CONVERSATIONS
from chats.generations.sending import prompt_so_far
from chats.models import Conversation, Generation
from llms.catalog import find_model
from stores.models import Change
from tests.api import make_chat, make_message, make_store, read, read_problem, sign_in

pytestmark = pytest.mark.django_db

PATH = "/api/chats/chat/system-prompt"
DEFAULT = "You are a helpful assistant. Today is "


@pytest.fixture
def client():
    return sign_in()


def load():
    [record] = CONVERSATIONS.load([chat := Conversation.objects.get()])
    assert CONVERSATIONS.to_rows(record, chat.uid).content_hash == chat.content_hash
    return record


def sent():
    prompt = prompt_so_far(Conversation.objects.get(), "", find_model("bigagi-demo-echo"))
    return [message["content"] for message in prompt.messages if message["role"] == "system"]


def system(uid, text, **members):
    return make_message(uid, text, role="system", **members)


def put(client, text, **headers):
    return client.put(PATH, json.dumps({"text": text}), content_type="application/json", headers=headers)


def undo(client, answer):
    assert (
        client.post(f"/api/changes/{answer['Bigagi-Change']}/undo", content_type="application/json").status_code == 201
    )


MESSAGES = [make_message("q"), make_message("a", role="assistant")]


@pytest.mark.parametrize("damaged", [[], [None]], ids=["whole", "damaged"])
def test_a_chat_gets_a_prompt_of_its_own_at_its_start(client, damaged):
    make_chat(messages=[*MESSAGES, *damaged])
    before = load()
    told = read(client.get(PATH))
    assert told["text"].startswith(DEFAULT) and told["source"] == "default"
    assert (told["persona"], told["persona_name"], told["is_persona_known"]) == ("Generic", "Default", False)

    answer = put(client, "Be brief.", **{"If-Match": client.get(PATH)["ETag"]})
    assert answer.status_code == 200
    assert (answer.json()["text"], answer.json()["source"]) == ("Be brief.", "chat")
    [first, *others] = load()["messages"]
    assert others == before["messages"]
    assert (first["role"], first["purposeId"]) == ("system", "Generic")
    # As big-AGI marks what it is not to write anew.
    assert first["updated"] >= first["created"] > 10**12
    assert first["fragments"][0]["part"] == {"pt": "text", "text": "Be brief."}
    assert sent() == ["Be brief."]
    assert [row.position for row in Conversation.objects.get().messages.order_by("position")] == [0, 1, 2]

    changed = put(client, "Be briefer.")
    assert [message["id"] for message in load()["messages"] if message][0] == first["id"]
    count = Change.objects.count()
    assert "Bigagi-Change" not in put(client, "Be briefer.")
    assert Change.objects.count() == count

    cleared = client.delete(PATH)
    assert cleared.json()["source"] == "default"
    assert load()["messages"] == before["messages"]
    for change in (cleared, changed, answer):
        undo(client, change)
    assert load() == before


def test_where_the_first_message_is_gone_its_place_is_taken(client):
    make_chat(messages=[make_message("gone"), *MESSAGES])
    client.delete("/api/chats/chat/messages/gone")
    put(client, "Be brief.")
    assert [message["id"] for message in load()["messages"][1:]] == ["q", "a"]
    assert [row.position for row in Conversation.objects.get().messages.order_by("position")] == [0, 1, 2]


def test_big_agis_text_is_sent_while_the_chat_has_its_persona(client):
    ours = system("s", "You are a developer.", purposeId="DeveloperPreview")
    skipped = system("k", "Skipped.", userFlags=["aix.skip"], purposeId="DeveloperPreview")
    note = system("n", "A note.", updated=5)
    make_chat(systemPurposeId="DeveloperPreview", messages=[skipped, ours, *MESSAGES, note])
    make_store(
        "app-app-personas", {"state": {"simplePersonas": [{"id": "p", "name": "Pirate", "systemPrompt": "Arr."}]}}
    )
    told = read(client.get(PATH))
    assert (told["text"], told["source"], told["notes"]) == ("You are a developer.", "big-agi", 1)
    assert sent() == ["You are a developer.", "A note."]

    client.patch("/api/chats/chat", {"systemPurposeId": "p"}, content_type="application/merge-patch+json")
    told = read(client.get(PATH))
    assert (told["text"], told["source"], told["stale"], told["persona_name"]) == ("Arr.", "persona", 1, "Pirate")
    assert sent() == ["Arr.", "A note."]
    assert client.get("/chat-test/chat").text.count("for another persona: not sent to the model") == 1
    # What is edited is the chat's, whatever its persona. The unsent text makes room for it.
    put(client, "Mine.")
    assert [message["id"] for message in load()["messages"]] == ["k", "s", "q", "a", "n"]
    client.patch("/api/chats/chat", {"systemPurposeId": "Scientist"}, content_type="application/merge-patch+json")
    assert sent() == ["Mine.", "A note."]
    client.delete(PATH)
    assert [message["id"] for message in load()["messages"]] == ["k", "q", "a", "n"]
    assert read(client.get(PATH))["is_persona_known"] is False


def test_several_messages_at_the_start_become_one(client):
    attached = {"ft": "attachment", "fId": "d", "title": "notes", "part": {"pt": "doc", "data": {"text": "More."}}}
    first = system("one", "One.", updated=5)
    first["fragments"] = [*first["fragments"], attached, first["fragments"][0] | {"fId": "f1"}]
    make_chat(messages=[first, system("two", "Two.", updated=5), *MESSAGES])
    before = load()
    assert read(client.get(PATH))["text"] == "One.\n\nOne.\n\nTwo."
    answer = put(client, "Both.")
    assert [message["id"] for message in load()["messages"]] == ["one", "q", "a"]
    assert [fragment["fId"] for fragment in load()["messages"][0]["fragments"]] == ["f0", "d"]
    undo(client, answer)
    assert load() == before


def test_what_cannot_be_written_is_told_and_changes_nothing(client):
    chat = make_chat(messages=MESSAGES)
    before = load()
    for text in ("", " \n ", "x" * 100_001, 5, "a\u0000b"):
        assert "characters that is not blank" in read_problem(put(client, text), 400)["detail"]
    assert put(client, "Late.", **{"If-Match": '"1-99"'}).status_code == 412
    read_problem(client.get("/api/chats/nobody/system-prompt"), 404)
    Generation.objects.create(
        uid="g", conversation=chat, message_uid="a", start_message={}, lease_until=2**60, started=1, owner="other"
    )
    assert read_problem(put(client, "Busy."), 409)["type"].endswith("generation-running")
    assert load() == before


def test_a_key_in_the_text_is_kept_and_not_shown(client):
    key = "sk-proj-aB3dE5fG7hI9jK1lM3nO5pQ7"
    make_chat(messages=MESSAGES)
    answer = put(client, f"Use {key}.")
    assert answer.json()["text"] == "Use bigagi-secret:5pQ7."
    put(client, "Always use bigagi-secret:5pQ7.")
    prompt = prompt_so_far(Conversation.objects.get(), "", find_model("bigagi-demo-echo"))
    assert prompt.messages[0]["content"] == "Always use bigagi-secret:5pQ7." and prompt.keys == 1
