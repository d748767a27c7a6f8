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


def test_the_steps_and_the_text_of_the_answer_are_streamed(client):
    answer = post(client, "/api/test-ai", {"modelId": "bigagi-demo-fast"})
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    events = [event.split("\n") for event in answer.text.strip().split("\n\n")]
    names = [lines[1].removeprefix("event: ") for lines in events]
    told = [json.loads(lines[2].removeprefix("data: ")) for lines in events]
    assert [name for name in names if name != "delta"] == ["step"] * 6 + ["done"]
    assert told[0]["name"] == "api"
    # The text comes while its step is under way.
    pieces = [at for at, name in enumerate(names) if name == "delta"]
    assert pieces and names.index("step", pieces[-1]) == pieces[-1] + 1 and told[pieces[-1] + 1]["name"] == "call"
    assert "".join(told[at]["text"] for at in pieces) == told[-1]["answer"]


def test_a_prompt_is_asked_of_a_service_without_the_preferences(client, server):
    with run_provider() as provider:
        service = {"id": "asked", "vId": "openai", "label": "Asked", "setup": provider.setup()}
        assert post(client, "/api/services", service).status == 201
        assert post(client, "/api/services/asked/refresh").status == 200
        body = {"serviceId": "asked", "prompt": "Is all well?", "shareContext": False}
        told = post(client, "/api/test-ai?stream=0", body).json()
        assert told["ok"] is True, told["steps"]
        assert told["model"] == {"id": "asked-good-model", "service": "asked"} and told["answer"] == "All is well."
        assert [step["status"] for step in told["steps"]] == ["ok", "ok", "skipped", "ok", "ok", "ok"]
        sent = provider.asked[-1].body["messages"]
        assert sent[-1] == {"role": "user", "content": "Is all well?"} and "app-ui" not in json.dumps(sent)
        # An answer without the word shows that the question did not come.
        told = post(client, "/api/test-ai?stream=0", {"serviceId": "asked", "shareContext": False}).json()
        assert told["steps"][4]["status"] == "failed" and "requested word" in told["steps"][4]["detail"]
    told = post(client, "/api/test-ai?stream=0", {"serviceId": "nobody"}).json()
    assert "no service nobody" in told["steps"][0]["detail"]


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


def test_the_status_is_one_real_call_for_the_list_of_models(client):
    with run_provider() as provider:
        for uid, key in (("good", provider.key), ("wrong", "sk-wrong")):
            service = {"id": uid, "vId": "openai", "label": uid, "setup": provider.setup(oaiKey=key)}
            assert post(client, "/api/services", service).status == 201
        assert post(client, "/api/services", {"id": "bare", "vId": "openai", "setup": {}}).status == 201
        sonar = {"id": "sonar", "vId": "perplexity", "setup": {"perplexityKey": "pplx-1"}}
        assert post(client, "/api/services", sonar).status == 201
        quiet = {each["id"]: each for each in client.get("/api/test-ai?reach=0").json()["services"]}
        assert (quiet["good"]["check"], quiet["good"]["reachable"], provider.asked) == ("none", None, [])
        [good] = client.get("/api/test-ai?service=good").json()["services"]
        assert [(asked.method, asked.path.split("/")[-1]) for asked in provider.asked] == [("GET", "models")]
        assert (good["check"], good["reachable"], good["working"], good["models"]) == ("models", True, True, 1)
        assert "listed 1 model in" in good["detail"] and good["ms"] >= 0
        [wrong] = client.get("/api/test-ai?service=wrong").json()["services"]
        assert (wrong["reachable"], wrong["working"]) == (True, False) and "key" in wrong["detail"]
        [bare] = client.get("/api/test-ai?service=bare").json()["services"]
        assert (bare["configured"], bare["check"]) == (False, "none") and "no API key" in bare["detail"]
    [gone] = client.get("/api/test-ai?service=good").json()["services"]
    assert (gone["check"], gone["reachable"], gone["working"]) == ("models", False, False)
    listed = {each["id"]: each for each in client.get("/api/test-ai").json()["services"]}
    assert listed["bigagi-demo"]["working"] is True
    # It has no list: no call is claimed.
    assert listed["sonar"]["check"] == "connection" and listed["sonar"]["working"] is None
    assert client.get("/api/test-ai?service=nobody").status == 404


def test_what_is_unknown_is_refused(client):
    problem = post(client, "/api/test-ai", {"a/b~c": "x"})
    assert problem.status == 400 and problem.json()["errors"][0]["pointer"] == "/a~1b~0c"
    assert post(client, "/api/test-ai?x=1").status == 400
    both = post(client, "/api/test-ai", {"modelId": "bigagi-demo-fast", "serviceId": "bigagi-demo"})
    assert both.status == 400 and both.json()["errors"][0]["pointer"] == "/serviceId"
    assert post(client, "/api/test-ai", {"prompt": ""}).status == 400
    assert client.get("/api/test-ai?reach=maybe").status == 400
    assert client.request("DELETE", "/api/test-ai").status == 405
