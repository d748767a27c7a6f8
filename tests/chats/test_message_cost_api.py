import pytest

from metrics.ledger.corrections import correct
from metrics.models import UsageEvent
from tests.api import make_chat, make_message, make_model, make_service, read, read_problem, sign_in
from tests.metrics.events import make_event

pytestmark = pytest.mark.django_db
PRICES = {"chat": {"input": 2, "output": 8, "cache": {"cType": "oai-ac", "read": 0.5}}}


def make_answer(**metrics):
    generator = {"mgt": "aix", "name": "gpt", "aix": {"vId": "openai", "mId": "openai-gpt"}, "metrics": metrics}
    message = make_message("a", role="assistant", generator=generator, created=1_767_225_600_000)
    return make_chat(messages=[make_message("q"), message])


def test_the_arithmetic_of_an_imported_message():
    make_service()
    make_model(pricing=PRICES)
    make_answer(**{"TIn": 1000, "TCacheRead": 400, "TOut": 50, "TOutR": 20, "$c": 0.26})
    told = read(sign_in().get("/api/chats/chat/messages/a/cost"))
    assert [
        (part["name"], part["tokens"], part["usd_per_million"], part["cost_nano_usd"]) for part in told["parts"]
    ] == [
        ("input", 1000, 2, 2_000_000),
        ("cache read", 400, 0.5, 200_000),
        ("output", 50, 8, 400_000),
    ]
    assert told["sum_nano_usd"] == told["cost_nano_usd"] == 2_600_000
    assert (told["price_source"], told["reasoning_tokens"], told["note"]) == ("model", 20, "")
    assert told["cost_reported_nano_usd"] is None


def test_the_events_figures_win_and_a_changed_price_is_told():
    make_model(pricing=PRICES)
    make_answer(TIn=1, TOut=1)
    UsageEvent.objects.create(
        at=5,
        source="chat",
        model="openai-gpt",
        conversation="chat",
        message="a",
        input_tokens=10_000,
        output_tokens=0,
        estimated=True,
        cost_nano_usd=7,
        cost_reported_nano_usd=9,
        price_source="user",
        outcome="done",
    )
    told = read(sign_in().get("/api/chats/chat/messages/a/cost"))
    assert (told["at"], told["estimated"], told["cost_nano_usd"], told["cost_reported_nano_usd"]) == (5, True, 7, 9)
    assert (told["sum_nano_usd"], told["price_source"]) == (20_000_000, "user")
    assert "changed since" in told["note"]


def test_a_call_that_was_taken_back_tells_nothing_until_it_stands_again():
    make_model(pricing=PRICES)
    make_answer(**{"TIn": 1, "TOut": 1, "$c": 0.001})
    correction = correct(make_event(model="openai-gpt", conversation="chat", message="a", cost_nano_usd=70))
    client = sign_in()
    assert read(client.get("/api/chats/chat/messages/a/cost"))["cost_nano_usd"] == 10_000
    correct(correction)
    assert read(client.get("/api/chats/chat/messages/a/cost"))["cost_nano_usd"] == 70


def test_what_has_no_cost_is_unpriced_and_says_why():
    make_chat()
    client = sign_in()
    told = read(client.get("/api/chats/chat/messages/m0/cost"))
    assert (told["parts"], told["cost_nano_usd"], told["sum_nano_usd"]) == ([], None, None)
    read_problem(client.get("/api/chats/chat/messages/nobody/cost"), 404)
    read_problem(client.get("/api/chats/nobody/messages/m0/cost"), 404)
    read_problem(client.get("/api/chats/chat/messages/m0/cost?x=1"), 400)
