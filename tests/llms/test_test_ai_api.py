"""The whole way, database to model to database, through a started server."""

import json

import pytest

from tests.providers import run_provider
from tests.servers import execute

NAMES = ["api", "stores", "context", "call", "answer", "data"]


@pytest.fixture
def client(server):
    return server.sign_in()


def post(client, path, body=None):
    return client.request("POST", path, json.dumps(body or {}).encode(), headers={"Content-Type": "application/json"})


def count(server, table, where="1 = 1"):
    return execute(server.environment, f"SELECT count(*) FROM {table} WHERE {where}")[0][0]


def test_the_six_steps_go_well_on_demo_and_leave_nothing_but_the_event(client, server):
    chats, events = count(server, "chats_conversation"), count(server, "metrics_usageevent", "source = 'test'")
    told = post(client, "/api/test-ai?stream=0", {"modelId": "bigagi-demo-echo"}).json()
    assert [(step["name"], step["status"]) for step in told["steps"]] == [(name, "ok") for name in NAMES], told
    assert told["ok"] is True
    assert told["model"] == {"id": "bigagi-demo-echo", "service": "bigagi-demo"}
    assert all(step["ms"] >= 0 and step["detail"] for step in told["steps"])
    assert count(server, "chats_conversation") == chats
    assert count(server, "chats_message") == 0
    assert count(server, "metrics_usageevent", "source = 'test'") == events + 1
    # Deleted for good: the journal has nothing of it to bring back.
    assert count(server, "stores_changedrecord", "kind = 'conversation' AND body IS NOT NULL") == 0


def test_the_steps_are_streamed_one_by_one(client):
    answer = post(client, "/api/test-ai", {"modelId": "bigagi-demo-fast"})
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    events = [event.split("\n") for event in answer.text.strip().split("\n\n")]
    assert [lines[1] for lines in events] == ["event: step"] * 6 + ["event: done"]
    assert json.loads(events[0][2].removeprefix("data: "))["name"] == "api"


def test_a_failed_step_says_why_and_the_others_are_skipped(client, server):
    told = post(client, "/api/test-ai?stream=0", {"modelId": "bigagi-demo-failing"}).json()
    assert [step["status"] for step in told["steps"]] == ["ok", "ok", "ok", "failed", "skipped", "skipped"]
    assert "The demo failed" in told["steps"][3]["detail"]
    assert told["ok"] is False
    told = post(client, "/api/test-ai?stream=0", {"modelId": "nobody"}).json()
    assert told["steps"][0]["status"] == "failed"
    assert count(server, "chats_conversation") == 0


def test_an_answer_without_the_context_is_found_out(client):
    with run_provider() as provider:
        service = {"id": "fake", "vId": "openai", "label": "Fake", "setup": provider.setup()}
        assert post(client, "/api/services", service).status == 201
        assert post(client, "/api/services/fake/refresh").json()["added"] == ["fake-good-model"]
        told = post(client, "/api/test-ai?stream=0", {"modelId": "fake-good-model"}).json()
        assert [step["status"] for step in told["steps"]] == ["ok", "ok", "ok", "ok", "failed", "skipped"]
        sent = json.dumps(provider.asked[-1].body)
        assert "app-ui" in sent and "app-ux-labs" in sent
        listed = {each["id"]: each for each in client.get("/api/test-ai").json()["services"]}
        assert (listed["fake"]["configured"], listed["fake"]["reachable"]) == (True, True)
    listed = {each["id"]: each for each in client.get("/api/test-ai").json()["services"]}
    assert listed["fake"]["reachable"] is False
    assert listed["bigagi-demo"]["reachable"] is True
    quiet = client.get("/api/test-ai?reach=0").json()["services"]
    assert quiet[0]["reachable"] is None


def test_what_is_unknown_is_refused(client):
    problem = post(client, "/api/test-ai", {"a/b~c": "x"})
    assert problem.status == 400 and problem.json()["errors"][0]["pointer"] == "/a~1b~0c"
    assert post(client, "/api/test-ai?x=1").status == 400
    assert client.get("/api/test-ai?reach=maybe").status == 400
    assert client.request("DELETE", "/api/test-ai").status == 405
