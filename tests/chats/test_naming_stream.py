"""A first exchange names the chat: by its text, then by the model of `fastUtil`."""

import json
import time

import pytest

from chats.generations.naming import clean_title
from tests.providers import run_provider
from tests.servers import execute


def call(client, method, path, body=None):
    content = None if body is None else json.dumps(body).encode()
    return client.request(method, path, content, headers={"Content-Type": "application/json"}).json()


def wait_for(found):
    for _ in range(200):
        if value := found():
            return value
        time.sleep(0.05)
    raise AssertionError("it did not come")


def test_the_assigned_model_names_the_chat_in_a_call_of_its_own(server):
    client = server.sign_in()
    with run_provider() as provider:
        provider.words = ['"Bridges ', 'of Rome."\n']
        call(client, "POST", "/api/services", {"id": "fake", "vId": "openai", "setup": provider.setup()})
        call(client, "POST", "/api/services/fake/refresh", {})
        call(client, "PUT", "/api/assignments/fastUtil", {"modelId": "fake-good-model"})
        chat = call(client, "POST", "/api/chats", {"messages": [], "systemPurposeId": "Generic"})["id"]
        asked = {"message": {"text": "Tell me of bridges"}, "modelId": "bigagi-demo-fast", "stream": False}
        assert call(client, "POST", f"/api/chats/{chat}/generate", asked)["status"] == "done"
        path = f"/api/chats/{chat}"
        wait_for(lambda: call(client, "GET", path).get("autoTitle") == "Bridges of Rome")
        where = f"conversation = '{chat}' ORDER BY id"
        events = execute(server.environment, f"SELECT model, message <> '' FROM metrics_usageevent WHERE {where}")
        assert [(model, bool(has_message)) for model, has_message in events] == [
            ("bigagi-demo-fast", True),
            ("fake-good-model", False),
        ]
        # The provider fails: the title out of the text stays, and the chat is as good as before.
        provider.queue.append(lambda handler: handler.send_json({"error": {"message": "no"}}, 400))
        other = call(client, "POST", "/api/chats", {"messages": [], "systemPurposeId": "Generic"})["id"]
        call(client, "POST", f"/api/chats/{other}/generate", asked)
        wait_for(lambda: not provider.queue)
        assert call(client, "GET", f"/api/chats/{other}")["autoTitle"] == "Tell me of bridges"


@pytest.mark.parametrize(
    ("answer", "title"),
    [("“Rome”", "Rome"), ("\n**A title.**\nmore", "A title"), ("", ""), ("x" * 81, ""), ("# One\ttwo", "One two")],
)
def test_an_answer_is_made_a_title(answer, title):
    assert clean_title(answer) == title
