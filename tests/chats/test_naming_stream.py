"""A first exchange names the chat: by its text, then by the model of `fastUtil`."""

import json
import time

import pytest

from chats.generations.titles import title_of_answer, title_of_question
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
    [
        *(("“Rome”", "Rome"), ("\n**A title.**\nmore", "A title"), ("", ""), ("x" * 81, ""), ("# One\ttwo", "One two")),
        ("<think>\nThe user wants a title.\nLet me think.\n</think>\n\nSky and Colours", "Sky and Colours"),
        # Some templates begin the block themselves, and some models never come to its end.
        ("The user wants a title.\n</think>\nSky", "Sky"),
        ("<THINK>\nThe user wants a", ""),
    ],
)
def test_an_answer_is_made_a_title(answer, title):
    assert title_of_answer(answer) == title


def make_fragment(part, **members):
    return {"ft": "content", "fId": "f", "part": part} | members


CODE = make_fragment({"pt": "doc", "data": {"idt": "text", "text": "def secret(): ..."}}, title="tool.py")
IMAGE = make_fragment({"pt": "reference"}, title="cat.png")


def make_text(text):
    return make_fragment({"pt": "text", "text": text})


@pytest.mark.parametrize(
    ("fragments", "title"),
    [
        ([CODE, make_text("What does\nthis do?"), IMAGE], "What does this do?"),
        ([make_text("Mend this:\n```py\ndef f(): ...\n```\nand say why")], "Mend this: and say why"),
        ([make_text("```py\ndef f(): ...\n```")], "```py def f(): ... ```"),
        ([CODE, IMAGE], "tool.py, cat.png"),
        ([make_text("word " * 20)], "word " * 11 + "word…"),
        ([make_text(" "), "damaged", make_fragment("damaged")], ""),
    ],
)
def test_a_question_is_made_a_title(fragments, title):
    assert title_of_question({"role": "user", "fragments": fragments}) == title
