"""What a model is sent of a chat's messages."""

import pytest

from chats.generations.prompt import build_prompt
from tests.api import make_message


def sent(*messages):
    chat = {"messages": list(messages)}
    prompt = build_prompt(
        chat, date="2026-01-01", sees_images=False, image_of=lambda part: None, context_tokens=None, answer_tokens=None
    )
    return [(message["role"], message["content"]) for message in prompt.messages if message["role"] != "system"]


def question(text="Why?"):
    return make_message("q", text, role="user")


@pytest.mark.parametrize(
    ("stored", "told"),
    [
        ("<think>\nHm.\n\nWell.</think>\n\nBecause.", "Because."),
        ("\n <thinking>Hm.</thinking>\n<think></think>Because.", "Because."),
        ("Because of <think>this</think>.", "Because of <think>this</think>."),
        ("<think>without an end", "<think>without an end"),
        ("<thinker>Hm.</thinker>", "<thinker>Hm.</thinker>"),
    ],
)
def test_reasoning_in_front_of_an_answer_is_not_sent_back(stored: str, told: str):
    answer = make_message("a", stored, role="assistant")
    assert sent(question(), answer, question("And?")) == [("user", "Why?"), ("assistant", told), ("user", "And?")]


def test_an_answer_of_nothing_but_reasoning_is_left_out():
    answer = make_message("a", "<think>Hm.</think>", role="assistant")
    assert sent(question(), answer, question("And?")) == [("user", "Why?"), ("user", "And?")]


def test_what_a_person_wrote_is_sent_as_it_is():
    assert sent(question("<think>Mine.</think>")) == [("user", "<think>Mine.</think>")]


@pytest.mark.parametrize(("text", "fence"), [("plain", "```"), ("```csv\na,b\n```", "````"), ("a `````", "``````")])
def test_a_document_stands_between_fences_that_its_own_do_not_end(text: str, fence: str):
    part = {"pt": "doc", "vdt": "text/plain", "data": {"idt": "text", "text": text}, "ref": "notes", "l1Title": "notes"}
    message = question()
    message["fragments"].append({"ft": "attachment", "fId": "f1", "title": "notes.md", "part": part})
    assert sent(message)[-1][1] == f"Why?\n\n{fence}notes.md\n{text}\n{fence}"
