"""Streams of generations: joined, replayed, stopped, waited for, sent twice, and cut by the end of the server."""

import json
import time
from collections.abc import Iterator

import pytest

from tests.chats.talking import LIMITS, Talker, check_message, error_texts, message_text, parse_events, text_of
from tests.conftest import copy_environment
from tests.faulty_provider import KEY, FaultyProvider
from tests.providers import run_provider
from tests.servers import Client, run_server

SLOW = {"message": {"text": "Hello"}, "modelId": "faulty-slow"}
GOOD = {"message": {"text": "Hello"}, "modelId": "faulty-good-model"}
REFS = ["slow", "good-model", "stalled"]


@pytest.fixture(scope="module")
def provider() -> Iterator[FaultyProvider]:
    with run_provider(FaultyProvider(key=KEY)) as running:
        yield running


@pytest.fixture(scope="module")
def talker(first_start, provider, tmp_path_factory) -> Iterator[Talker]:
    data_dir = tmp_path_factory.mktemp("talk") / "data"
    with copy_environment(first_start, data_dir) as environment, run_server(environment | LIMITS) as server:
        talker = Talker(server)
        talker.add_service(provider.setup(), REFS)
        yield talker


def stop(talker: Talker, generation: str) -> None:
    talker.send("POST", f"/api/generations/{generation}/stop", {}, 202)


def events_path(generation: str) -> str:
    return f"/api/generations/{generation}/events"


def test_readers_join_late_and_come_back_and_all_see_the_same(talker):
    chat = talker.make_chat()
    with talker.open(f"/api/chats/{chat}/generate", SLOW) as first:
        first.read_until(200)
        with talker.open(events_path(first.id), method="GET") as late:
            late.read_until(200)
            assert late.events[0].name == "start" and late.text.startswith(first.text[:200])
            seen = late.events[3].id
            with talker.open(events_path(first.id), method="GET", Last_Event_ID=str(seen)) as back:
                back.read_until(50)
                assert back.events[0].id == seen + 1
                stop(talker, first.id)
                for stream in (first, late, back):
                    for _ in stream.read():
                        pass
        assert first.events == late.events == [*late.events[:seen], *back.events]
    assert first.events[-1].name == "done" and first.events[-2].name == "usage"
    message = talker.last_message(chat)
    assert message_text(message) == first.text and message["generator"]["tokenStopReason"] == "client-abort"
    assert error_texts(message) == []
    check_message(message)


def test_a_reader_who_leaves_does_not_end_the_run(talker):
    chat = talker.make_chat()
    with talker.open(f"/api/chats/{chat}/generate", SLOW) as stream:
        stream.read_until(20)
    time.sleep(0.5)
    run = talker.get(f"/api/generations/{stream.id}")
    assert run["status"] == "running" and len(message_text(run["message"])) > 60
    stop(talker, stream.id)
    assert talker.wait_until_over(stream.id)["status"] == "stopped"


@pytest.mark.parametrize("last", ["999999", "nonsense", "-1"])
def test_an_unknown_last_event_id_gets_the_message_as_it_is(talker, last):
    chat = talker.make_chat()
    with talker.open(f"/api/chats/{chat}/generate", SLOW) as stream:
        stream.read_until(100)
        with talker.open(events_path(stream.id), method="GET", Last_Event_ID=last) as joined:
            joined.read_until(40)
            assert joined.events[0].name == "reset" and joined.events[0].data["status"] == "running"
            so_far = message_text(joined.events[0].data["message"])
            stop(talker, stream.id)
            for _ in joined.read():
                pass
    assert so_far + joined.text == message_text(talker.last_message(chat))
    answer = talker.send("GET", events_path(stream.id), status=200, Last_Event_ID=last)
    [event] = parse_events(answer.text)
    assert event.name == "reset" and event.data["message"] == talker.last_message(chat)


def test_events_of_an_ended_run_come_from_the_database_and_later_the_message(started, provider, tmp_path):
    with run_server(started | LIMITS) as server:
        talker = Talker(server)
        talker.add_service(provider.setup(), REFS)
        chat = talker.make_chat()
        with talker.open(f"/api/chats/{chat}/generate?html=1", GOOD) as stream:
            events = list(stream.read())
        server.stop()
    with run_server(started | LIMITS) as server:
        talker = Talker(server)
        path = events_path(stream.id)
        assert parse_events(talker.send("GET", f"{path}?html=1", status=200).text) == events
        plain = [event for event in events if event.name != "html"]
        assert parse_events(talker.send("GET", path, status=200).text) == plain
        rest = parse_events(talker.send("GET", path, status=200, Last_Event_ID="2").text)
        assert rest == [event for event in plain if event.id > 2]
        [unknown] = parse_events(talker.send("GET", path, status=200, Last_Event_ID="99").text)
        assert unknown.name == "reset"
        talker.sql("DELETE FROM chats_generationevents")
        [event] = parse_events(talker.send("GET", path, status=200).text)
        assert event.name == "reset" and event.data["message"] == events[-1].data["message"]
        assert event.data["status"] == "done"
        assert talker.send("GET", events_path("0" * 32)).status == 404


def test_another_process_stops_a_run_through_the_database(talker):
    chat = talker.make_chat()
    with talker.open(f"/api/chats/{chat}/generate", SLOW) as stream:
        stream.read_until(20)
        talker.sql(f"UPDATE chats_generation SET stop_requested = {'true'} WHERE uid = '{stream.id}'")
        for _ in stream.read():
            pass
    assert stream.events[-1].name == "done" and len(stream.text) < 1000
    assert talker.get(f"/api/generations/{stream.id}")["status"] == "stopped"


def test_many_runs_that_are_stopped_at_once_all_end(talker):
    for _ in range(10):
        chat = talker.make_chat()
        with talker.open(f"/api/chats/{chat}/generate", SLOW) as stream:
            stop(talker, stream.id)
            for _ in stream.read():
                pass
        assert talker.get(f"/api/generations/{stream.id}")["status"] == "stopped"
        check_message(talker.last_message(chat))


def test_events_can_be_asked_for_by_their_type(talker):
    chat = talker.make_chat()
    body = {"message": {"text": "Hello"}, "modelId": "faulty-good-model"}
    with talker.open(f"/api/chats/{chat}/generate", body, Accept="text/event-stream") as stream:
        assert list(stream.read())[-1].name == "done"
    refused = talker.send("GET", "/api/generations/none/events", status=404, Accept="text/event-stream")
    assert refused.headers["Content-Type"] == "application/problem+json"


def test_an_answer_can_be_waited_for(talker):
    chat = talker.make_chat()
    run = talker.send("POST", f"/api/chats/{chat}/generate", GOOD | {"stream": False}, 200).json()
    assert run["status"] == "done" and message_text(run["message"]) == "All is well."
    assert run["message"] == talker.last_message(chat)


def test_the_same_request_again_gets_the_same_generation(talker, provider):
    chat = talker.make_chat()
    path = f"/api/chats/{chat}/generate"
    with talker.open(path, GOOD, Idempotency_Key="once") as first:
        events = list(first.read())
    asked = len(provider.asked)
    with talker.open(path, GOOD, Idempotency_Key="once") as again:
        assert list(again.read()) == events and again.answer.headers["Idempotency-Replayed"] == "true"
    assert len(provider.asked) == asked and len(talker.get(f"/api/chats/{chat}")["messages"]) == 2
    talker.send("POST", path, SLOW, 422, Idempotency_Key="once")
    # What could not begin may be sent again.
    refused = GOOD | {"modelId": "faulty-nothing"}
    for _ in range(2):
        talker.send("POST", path, refused, 400, Idempotency_Key="never")
    body = GOOD | {"stream": False}
    runs = [talker.send("POST", path, body, 200, Idempotency_Key="waited").json() for _ in range(2)]
    assert runs[0] == runs[1]


def test_a_request_that_is_sent_again_in_the_middle_joins(talker):
    chat = talker.make_chat()
    path = f"/api/chats/{chat}/generate"
    with talker.open(path, SLOW, Idempotency_Key="joined") as first:
        first.read_until(50)
        with talker.open(path, SLOW, Idempotency_Key="joined") as again:
            again.read_until(50)
            assert again.id == first.id and again.events[0].name == "start"
        stop(talker, first.id)


def test_parameters_reach_the_provider_or_are_refused(talker, provider):
    chat = talker.make_chat()
    for given in ({"temperature": 0.3, "maxTokens": 77}, {"llmTemperature": 0.3, "llmResponseTokens": 77}):
        talker.generate(chat, "faulty-good-model", parameters=given)
        assert provider.asked[-1].body["temperature"] == 0.3
        assert provider.asked[-1].body["max_completion_tokens"] == 77
    for wrong, name in (
        ({"temperature": 3}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"maxTokens": 0}, "maxTokens"),
        ({"maxTokens": 1.5}, "maxTokens"),
        ({"llmResponseTokens": 5000}, "llmResponseTokens"),
        ({"top_p": 1}, "top_p"),
    ):
        body = GOOD | {"parameters": wrong}
        problem = talker.send("POST", f"/api/chats/{chat}/generate", body, 400).json()
        assert problem["errors"][0]["pointer"] == f"/parameters/{name}"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"message": {"text": 1}}, "/message/text"),
        ({"message": {"text": ""}}, "/message/text"),
        ({"message": {"role": "user"}}, "/message/fragments"),
        ({"message": {"text": "a", "attachments": []}}, "/message/fragments"),
        ({"message": {"role": "assistant", "fragments": [{"ft": "content", "part": {}}]}}, "/message/role"),
        ({"message": {"fragments": [1]}}, "/message/fragments/0"),
        ({"message": {"fragments": []}}, "/message/fragments"),
        ({"message": "x"}, "/message"),
        ({"modelId": 1}, "/modelId"),
        ({"unknown": 1}, "/unknown"),
        ({"a/b~c": 1}, "/a~1b~0c"),
        ({"parameters": {"a/b~c": 1}}, "/parameters/a~1b~0c"),
        ({"message": {"text": "a"}, "replaces": "m"}, "/replaces"),
    ],
)
def test_a_body_that_is_wrong_says_where(talker, body, pointer):
    chat = talker.make_chat()
    problem = talker.send("POST", f"/api/chats/{chat}/generate", body, 400).json()
    assert problem["errors"][0]["pointer"] == pointer
    assert talker.get(f"/api/chats/{chat}")["messages"] == []


def test_who_may_generate(talker):
    chat = talker.make_chat()
    path = f"/api/chats/{chat}/generate"
    stranger = Client(talker.server.url)
    assert stranger.post(path).status == 401
    assert stranger.request("POST", path, b"{}", headers={"Authorization": "Bearer nonsense"}).status == 401
    assert talker.send("POST", path, GOOD, X_CSRFToken="wrong").status == 403
    assert talker.send("POST", f"/api/generations/{'0' * 32}/stop", {}, X_CSRFToken="wrong").status == 403
    assert talker.send("GET", path).status == 405
    assert talker.send("POST", "/api/chats/nothing/generate", GOOD).status == 404
    assert talker.get(f"/api/chats/{chat}")["messages"] == []


def test_a_token_that_may_only_read_joins_and_nothing_else(talker):
    chat = talker.make_chat()
    generation = talker.generate(chat, "faulty-good-model")[0].data["generation"]
    stranger = Client(talker.server.url)
    for arguments, status in ((["--read-only"], 403), ([], 200)):
        token = talker.server.manage("create_token", "reader", *arguments).stdout.strip()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        path = f"/api/chats/{chat}/generate"
        assert stranger.request("POST", path, json.dumps(GOOD).encode(), headers=headers).status == status
        stopped = stranger.request("POST", f"/api/generations/{generation}/stop", b"{}", headers=headers)
        assert stopped.status == (202 if status == 200 else 403)
        joined = stranger.get(events_path(generation), headers=headers)
        assert parse_events(joined.text)[-1].name == "done"


def test_an_answer_is_written_anew_in_its_place(talker):
    chat = talker.make_chat()
    talker.generate(chat, "faulty-good-model")
    before = talker.get(f"/api/chats/{chat}")["messages"]
    with talker.open(
        f"/api/chats/{chat}/generate", {"replaces": before[1]["id"], "modelId": "faulty-good-model"}
    ) as stream:
        list(stream.read())
    after = talker.get(f"/api/chats/{chat}")["messages"]
    assert after[0] == before[0] and after[1]["id"] == before[1]["id"]
    assert after[1]["created"] > before[1]["created"]
    assert len(talker.usage_of(before[1]["id"])) == 2
    newest = talker.get("/api/changes")["results"][:2]
    for change in newest:
        talker.send("POST", f"/api/changes/{change['id']}/undo", {}, 201)
    assert talker.get(f"/api/chats/{chat}")["messages"] == before


def test_the_end_of_the_server_ends_runs_as_it_should(started, provider):
    with run_server(started | LIMITS) as server:
        talker = Talker(server)
        talker.add_service(provider.setup(), REFS)
        chats = [talker.make_chat() for _ in range(3)]
        with (
            talker.open(f"/api/chats/{chats[0]}/generate", SLOW) as one,
            talker.open(f"/api/chats/{chats[1]}/generate", SLOW) as other,
            talker.open(f"/api/chats/{chats[2]}/generate", SLOW | {"modelId": "faulty-stalled"}) as third,
        ):
            for stream in (one, other, third):
                stream.read_until(16)
            begun = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - begun < 5
            for stream in (one, other, third):
                for _ in stream.read():
                    pass
                assert [event.name for event in stream.events[-3:]] == ["usage", "error", "done"]
        rows = talker.sql("SELECT status, ended FROM chats_generation")
        assert len(rows) == 3 and all(status == "error" and ended for status, ended in rows)
    with run_server(started | LIMITS) as server:
        talker = Talker(server)
        for chat, stream in zip(chats, (one, other, third), strict=True):
            message = talker.last_message(chat)
            assert message_text(message) == text_of(stream.events)
            assert "stopped during this answer" in error_texts(message)[0]
            check_message(message)
            assert [row[0] for row in talker.usage_of(message["id"])] == ["server-stopped"]
