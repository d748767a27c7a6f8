"""Which model answers where none is named: a chat keeps its model, and what costs never takes the place of what is
free."""

import pytest

from chats.generations.choice import choose_for, find_own_model
from chats.models import Conversation
from llms.calls.demo import SERVICE
from stores.records.errors import Conflict
from tests.api import make_assignment, make_chat, make_message, make_model, make_service

pytestmark = pytest.mark.django_db

PAID = {"chat": {"input": 2, "output": 8}}
FREE = {"chat": {"input": "free", "output": "free"}}


@pytest.fixture(autouse=True)
def models(monkeypatch) -> None:
    """Make a paid model that is assigned and two others, one of them free, and take the environment's key away."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    make_service("openai", setup={"oaiKey": "sk-FAKE0models1234567890"})
    make_service("mute", 1)
    for at, (uid, pricing) in enumerate([("paid", PAID), ("other", PAID), ("given", FREE)]):
        make_model(f"openai-{uid}", at, pricing=pricing, created=at)
    make_model("mute-free", 3, sId="mute", pricing=FREE)
    make_assignment("primaryChat", modelId="openai-paid")


def make(*models: str | None, **generator) -> Conversation:
    """Make a chat with answers of these models."""
    messages = []
    for at, model in enumerate(models):
        aix = {"mgt": "aix", "name": "a name", "aix": {"vId": "openai", "mId": model}} | generator
        messages.append(make_message(f"m{at}", role="assistant", **({"generator": aix} if model else {})))
    return make_chat(messages=messages)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ((), "openai-paid"),
        ((None,), "openai-paid"),
        (("openai-other",), "openai-other"),
        (("openai-paid", f"{SERVICE}-fast"), f"{SERVICE}-fast"),
        (("openai-other", None), "openai-other"),
    ],
)
def test_a_chat_keeps_the_model_of_its_last_reply(answers, expected):
    choice = choose_for(make(*answers))
    assert (choice.model.id, choice.instead) == (expected, "")


@pytest.mark.parametrize(
    ("answers", "metrics", "expected"),
    [
        # It cost: so may the one in its place.
        (("openai-gone",), {"$c": 1}, "openai-paid"),
        # Its price says that it was free, or the reply does.
        (("mute-free",), {}, "openai-given"),
        (("openai-gone",), {"$code": "free"}, "openai-given"),
        ((f"{SERVICE}-gone",), {"$code": "free"}, "openai-given"),
    ],
)
def test_in_place_of_what_was_free_comes_nothing_that_costs(answers, metrics, expected):
    chat = make(*answers, metrics=metrics)
    choice = choose_for(chat)
    assert choice.model.id == expected
    assert "answered here last and cannot be called" in choice.instead
    with pytest.raises(Conflict, match="wrote this answer and cannot be called"):
        find_own_model(chat, "m0")


def test_an_answer_is_written_anew_by_its_own_model():
    chat = make("openai-other", f"{SERVICE}-fast", None)
    assert [find_own_model(chat, uid).id for uid in ("m0", "m1")] == ["openai-other", f"{SERVICE}-fast"]
    # Of an answer that names none, the chat's.
    assert find_own_model(chat, "m2").id == f"{SERVICE}-fast"
