"""What looks like a key in a chat: the model is sent what was typed, and whatever is not sent is said.

With the wrong key file nothing is sealed: what needs that is refused with a way out, all else goes on.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from tests.chats.talking import Talker, check_message, error_texts, message_text, text_of
from tests.conftest import copy_environment
from tests.faulty_provider import FAULTS, KEY, FaultyProvider
from tests.providers import run_provider
from tests.servers import run_server

pytestmark = pytest.mark.any_database

TYPED = "sk-proj-aB3dE5fG7hI9jK1lM3nO5pQ7"
SHORT = "sk-Abcdef123456"
"""Sealed where it is a text of its own; too short to be seen inside of one."""
MODEL = "faulty-good-model"


@pytest.fixture(scope="module")
def provider() -> Iterator[FaultyProvider]:
    with run_provider(FaultyProvider(key=KEY)) as running:
        yield running


@pytest.fixture(scope="module")
def talker(first_start, tmp_path_factory, provider) -> Iterator[Talker]:
    data_dir = tmp_path_factory.mktemp("keys") / "data"
    with copy_environment(first_start, data_dir) as environment, run_server(environment) as server:
        talker = Talker(server)
        talker.add_service(provider.setup(), [*FAULTS, "good-model"])
        yield talker


@contextmanager
def other_key_file(talker: Talker, content: bytes | None) -> Iterator[Path]:
    """Put another key file in the place of the right one, or none."""
    path = Path(talker.server.environment["BIGAGI_DATA_DIR"], "secrets.key")
    right = path.read_bytes()
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    try:
        yield path
    finally:
        path.write_bytes(right)


def sent_to(provider: FaultyProvider) -> str:
    return json.dumps(provider.asked[-1].body["messages"])


@pytest.mark.parametrize("text", [f"Is {TYPED} a good key?", SHORT])
def test_the_model_is_sent_what_was_typed(talker, provider, text: str):
    chat = talker.make_chat()
    events = talker.generate(chat, MODEL, text)
    assert text in sent_to(provider) and "bigagi-secret" not in sent_to(provider)
    assert events[0].data["prompt"]["keysMasked"] == 0

    talker.generate(chat, MODEL, "And now?")
    assert text in sent_to(provider)
    whole = talker.get(f"/api/chats/{chat}")
    assert not error_texts(whole["messages"][-1])
    # Nobody but the model gets it.
    everything = [whole, talker.get("/api/changes"), [event.data for event in events]]
    assert TYPED not in json.dumps(everything) and SHORT not in json.dumps(everything)
    for path in (f"/chat-test/{chat}", f"/chat-parts/preview?model={MODEL}&chat={chat}"):
        shown = talker.send("GET", path, status=200).text
        assert TYPED not in shown and SHORT not in shown and "bigagi-secret:" in shown, path


def test_a_message_that_was_edited_as_it_is_shown_is_sent_with_its_key(talker, provider):
    chat = talker.make_chat()
    talker.generate(chat, MODEL, f"Is {TYPED} a good key?")
    question, answer = talker.get(f"/api/chats/{chat}")["messages"]
    question["fragments"][0]["part"]["text"] += " Be short."
    talker.send("PUT", f"/api/chats/{chat}/messages/{question['id']}", question, 200)

    with talker.open(f"/api/chats/{chat}/generate", {"replaces": answer["id"], "modelId": MODEL}) as stream:
        list(stream.read())
    assert f"Is {TYPED} a good key? Be short." in sent_to(provider)


def test_messages_that_are_put_back_as_they_were_shown_have_their_keys_again(talker, provider):
    chat = talker.make_chat()
    talker.generate(chat, MODEL, f"Is {TYPED} a good key?")
    whole = talker.get(f"/api/chats/{chat}")
    # As the page does it for "Save and send" and its "Undo".
    talker.send("PUT", f"/api/chats/{chat}", whole | {"messages": []}, 200)
    [question, _] = whole["messages"]
    quote = {"role": "user", "fragments": [fragment(f"> {message_text(question)}")]}
    talker.send("PUT", f"/api/chats/{chat}", whole | {"messages": [*whole["messages"], quote]}, 200)
    talker.generate(chat, MODEL, "And now?")
    assert sent_to(provider).count(TYPED) == 2 and "bigagi-secret" not in sent_to(provider)

    # The key is that of the chat alone.
    talker.generate(other := talker.make_chat(), MODEL, "Is bigagi-secret:5pQ7 a good key?")
    talker.send("PUT", f"/api/chats/{other}", talker.get(f"/api/chats/{other}"), 200)
    talker.generate(other, MODEL, "And now?")
    assert TYPED not in sent_to(provider)


def test_the_preview_says_that_keys_are_sent_as_typed(talker):
    chat = talker.make_chat()
    talker.generate(chat, MODEL, f"{TYPED} and {TYPED}")
    assert talker.get(f"/chat-parts/preview?model={MODEL}&chat={chat}")["keys"] == 2


def test_an_answer_that_repeats_a_key_is_sealed_in_text_and_title(talker):
    chat = talker.make_chat()
    talker.generate(chat, "bigagi-demo-echo", TYPED)
    whole = talker.get(f"/api/chats/{chat}")
    assert TYPED not in json.dumps(whole)
    assert "bigagi-secret:5pQ7" in message_text(whole["messages"][-1])
    assert whole["autoTitle"] == "bigagi-secret:5pQ7"


@pytest.mark.parametrize("content", [Fernet.generate_key(), b"no key", None], ids=["other", "damaged", "missing"])
def test_with_the_wrong_key_file_what_cannot_be_read_is_sent_masked_and_the_turn_says_so(talker, content):
    chat = talker.make_chat()
    talker.generate(chat, "bigagi-demo-echo", f"Keep {TYPED}.")
    answers = len(talker.get(f"/api/chats/{chat}")["messages"])
    with other_key_file(talker, content) as path:
        # A chat whose new text has no key goes on.
        events = talker.generate(chat, "bigagi-demo-echo", "Say it again.")
        # The question and the echo of it.
        assert events[0].data["prompt"]["keysMasked"] == 2
        message = talker.last_message(chat)
        check_message(message)
        [told] = error_texts(message)
        assert "2 passages" in told and str(path) in told and "regenerate" in told
        assert events[-1].name == "done" and events[-1].data["message"] == message
    with talker.open(
        f"/api/chats/{chat}/generate", {"replaces": message["id"], "modelId": "bigagi-demo-echo"}
    ) as stream:
        [*_, done] = stream.read()
    assert not error_texts(done.data["message"])
    assert len(talker.get(f"/api/chats/{chat}")["messages"]) == answers + 2


@pytest.mark.parametrize("content", [Fernet.generate_key(), b"no key", None], ids=["other", "damaged", "missing"])
def test_with_the_wrong_key_file_text_like_a_key_is_refused_with_the_way_out(talker, content):
    chat = talker.make_chat()
    record = {"id": "new", "label": "New", "vId": "openai", "setup": {"oaiKey": "sk-Wrong0123456789abcdef"}}
    before = talker.sql("SELECT id FROM stores_change")
    with other_key_file(talker, content) as path:
        refused = [
            talker.send("POST", f"/api/chats/{chat}/generate", {"message": {"text": TYPED}, "modelId": MODEL}),
            talker.send("POST", f"/api/chats/{chat}/generate", {"message": {"text": "Hello"}, "modelId": MODEL}),
            talker.send("POST", "/api/services", record),
            talker.send("POST", "/api/services", record, Idempotency_Key="one"),
            talker.send("PATCH", "/api/services/faulty", {"setup": {"oaiKey": "sk-Wrong0123456789abcdef"}}),
            talker.send("POST", f"/api/chats/{chat}/messages", {"role": "user", "fragments": [fragment(TYPED)]}),
            talker.send("POST", "/api/chats", {"messages": [], "userTitle": TYPED}),
            talker.send("PATCH", f"/api/chats/{chat}", {"userTitle": TYPED}),
            talker.send("POST", "/api/services/faulty/refresh"),
        ]
        for answer in refused:
            assert answer.status == 409, answer.text
            problem = answer.json()
            assert problem["type"].endswith("#secrets-unreadable"), problem
            assert str(path) in problem["detail"] and "forget_secrets" in problem["detail"], problem
        assert talker.sql("SELECT id FROM stores_change") == before
        assert talker.get(f"/api/chats/{chat}")["messages"] == []
        # What has no key goes on.
        talker.send("PATCH", f"/api/chats/{chat}", {"userTitle": "Plain"}, 200)
        talker.send("PATCH", "/api/services/faulty", {"label": "Renamed"}, 200)
        assert talker.generate(chat, "bigagi-demo-echo")[-1].name == "done"
        assert not path.exists() if content is None else path.read_bytes() == content
    assert talker.generate(chat, MODEL)[-1].name == "done"


def fragment(text: str) -> dict:
    return {"ft": "content", "fId": "abcdefgh", "part": {"pt": "text", "text": text}}


def test_an_answer_with_a_key_that_cannot_be_sealed_is_kept_without_it_and_says_so(talker, provider):
    talker.add_service({"oaiHost": provider.url}, ["tells-a-key"], "keyless")
    chat = talker.make_chat()
    with other_key_file(talker, Fernet.generate_key()):
        events = talker.generate(chat, "keyless-tells-a-key")
        message = talker.last_message(chat)
        check_message(message)
        assert message_text(message) == text_of(events) == f"Your key is bigagi-secret:{KEY[-4:]}, keep it."
        [told] = error_texts(message)
        assert "left out" in told and "forget_secrets" in told
        assert KEY not in json.dumps(talker.sql("SELECT text FROM chats_fragment"))
