import json
import time

import pytest

from llms import catalog
from llms.bigagi import MODELS
from llms.models import Model
from llms.services.refresh import merge_models
from metrics.models import UsageEvent
from stores.models import Change
from stores.records.journal.recorder import Origin
from tests.api import make_assignment, make_model, make_service, read, read_problem, sign_in, stored
from tests.providers import KEY, run_provider
from tests.servers import run_server

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider():
    with run_provider() as running:
        yield running


@pytest.fixture
def environment(provider, monkeypatch):
    """Make the provider the environment's service."""
    monkeypatch.setenv("OPENAI_API_KEY", provider.key)
    monkeypatch.setenv("OPENAI_BASE_URL", provider.url)
    yield provider
    catalog.set_env_models([])


def post(client, path, body=None, **headers):
    return client.post(path, json.dumps(body or {}), content_type="application/json", headers=headers)


def ids(client, service="openai"):
    return [model["id"] for model in read(client.get(f"/api/llms?service={service}"))["llms"]]


# --- refresh ---------------------------------------------------------------------------------------------------------


def test_new_models_come_behind_the_services_others_with_factory_values(provider):
    provider.models = [{"id": "gpt-4o-mini", "created": 5}, {"id": "text-embedding-3-small"}, {"id": "here"}]
    client = sign_in()
    make_service(setup=provider.setup())
    make_model("openai-here", 0, initialParameters={"llmRef": "here"})
    make_model("other-x", 1, sId="other")
    answer = post(client, "/api/services/openai/refresh")
    assert read(answer) == {
        **{"added": ["openai-gpt-4o-mini", "openai-text-embedding-3-small"], "kept": ["openai-here"], "vanished": []},
        "leftOut": [
            {
                "ref": "text-embedding-3-small",
                "reason": "Its name says that it makes embeddings.",
                "id": "openai-text-embedding-3-small",
            }
        ],
    }
    listed = stored(read(client.get("/api/llms"))["llms"])
    ids = ["openai-here", "openai-gpt-4o-mini", "openai-text-embedding-3-small", "other-x"]
    assert [model["id"] for model in listed] == ids
    assert (listed[2]["hidden"], listed[2]["hiddenReason"]) == (True, "Its name says that it makes embeddings.")
    made = {key: value for key, value in listed[1].items() if key != "_server"}
    assert made == {
        "id": "openai-gpt-4o-mini",
        "label": "gpt-4o-mini",
        "created": 5,
        "description": "",
        "hidden": False,
        "contextTokens": 128_000,
        "maxOutputTokens": None,
        "interfaces": ["oai-chat"],
        "parameterSpecs": [],
        "initialParameters": {"llmRef": "gpt-4o-mini"},
        "sId": "openai",
        "vId": "openai",
        "pricing": {"chat": {"input": 0.15, "output": 0.6, "cache": {"cType": "oai-ac", "read": 0.075}}},
    }
    [asked] = provider.asked
    headers = {name.lower(): value for name, value in asked.headers.items()}
    assert (asked.method, asked.path, headers["authorization"]) == ("GET", "/v1/models", f"Bearer {KEY}")


def test_what_the_person_set_and_clones_stay_and_what_vanished_is_hidden_and_told(provider):
    provider.models = [{"id": "kept"}]
    client = sign_in()
    make_service(setup=provider.setup())
    mine = {"userLabel": "Mine", "userHidden": False, "userPricing": {"chat": {"input": 1, "output": 1}}}
    factory = {"label": "Kept", "contextTokens": 7, "interfaces": ["oai-chat", "odd"], "pricing": {"chat": {}}}
    make_model("openai-kept", 0, initialParameters={"llmRef": "kept"}, **factory, **mine)
    make_model("openai-copy", 1, initialParameters={"llmRef": "gone"}, isUserClone=True, cloneSourceId="openai-gone")
    make_model("openai-gone", 2, initialParameters={"llmRef": "gone"}, userStarred=True)
    make_assignment("primaryChat", modelId="openai-gone")
    before = read(client.get("/api/llms/openai-kept"))
    answer = post(client, "/api/services/openai/refresh")
    assert read(answer) == {
        **{"added": [], "kept": ["openai-kept", "openai-copy"], "vanished": ["openai-gone"], "leftOut": []}
    }
    assert read(client.get("/api/llms/openai-kept")) == before
    gone = read(client.get("/api/llms/openai-gone"))
    assert (gone["hidden"], gone["userStarred"]) == (True, True)
    assert read(client.get("/api/assignments/primaryChat"))["modelId"] == "openai-gone"
    assert gone["hiddenReason"] == "The provider no longer lists it."
    # Told every time, and written once.
    again = post(client, "/api/services/openai/refresh")
    assert read(again)["vanished"] == ["openai-gone"]
    assert "Bigagi-Change" not in again
    provider.models.append({"id": "gone"})
    assert read(post(client, "/api/services/openai/refresh"))["vanished"] == []
    back = read(client.get("/api/llms/openai-gone"))
    assert back["hidden"] is False
    assert "hiddenReason" not in back


def test_what_is_left_out_can_be_shown_and_then_stays(provider, admin_client):
    provider.models = [{"id": "nomic-embed-text"}]
    client = sign_in()
    make_service(setup=provider.setup())
    [left_out] = read(post(client, "/api/services/openai/refresh"))["leftOut"]
    facts = read(client.get("/api/services/openai"))["_server"]
    assert (facts["modelCount"], facts["hiddenCount"]) == (1, 1)
    assert ids(client) == [left_out["id"]]
    page = admin_client.get(f"/admin/llms/model/{Model.objects.get().pk}/change/").content.decode()
    assert left_out["reason"] in page
    client.patch(f"/api/llms/{left_out['id']}", {"userHidden": False}, content_type="application/json")
    assert read(client.get("/api/services/openai"))["_server"]["hiddenCount"] == 0
    answer = post(client, "/api/services/openai/refresh")
    assert (read(answer)["leftOut"], "Bigagi-Change" in answer) == ([], False)


def test_thousands_of_models_are_merged_in_few_queries(django_assert_max_num_queries):
    make_service("big", vId="openai")
    make_model("other-x", 0, sId="other")
    listed = [
        {"id": f"model-{at}", "context_length": 8, "pricing": {"prompt": 0, "completion": 0}} for at in range(2173)
    ]
    with django_assert_max_num_queries(150):
        assert len(merge_models(Origin("api"), "big", listed).added) == 2173
    with django_assert_max_num_queries(20):
        assert len(merge_models(Origin("api"), "big", listed).kept) == 2173


def test_a_refresh_is_one_change_and_undone_as_one(provider):
    provider.models = [{"id": f"m{at}"} for at in range(20)]
    client = sign_in()
    make_service(setup=provider.setup())
    make_model("openai-old", 0, initialParameters={"llmRef": "old"})
    make_model("other-x", 1, sId="other")
    before = read(client.get("/api/llms"))
    answer = post(client, "/api/services/openai/refresh")
    assert len(read(answer)["added"]) == 20
    change = Change.objects.get()
    assert (change.action, str(change.pk)) == ("refresh models", answer["Bigagi-Change"])
    assert KEY not in json.dumps(read(client.get(f"/api/changes/{change.pk}")))
    assert post(client, f"/api/changes/{change.pk}/undo").status_code == 201
    assert read(client.get("/api/llms")) == before


def test_what_cannot_be_kept_is_told_and_a_taken_id_is_nobodys_new_model(provider):
    provider.models = [{"id": "a"}, {"id": "b"}]
    client = sign_in()
    make_service(setup=provider.setup())
    make_model("openai-a", 0, sId="other", label="Theirs")
    provider.models += [{"id": "x" * 501}, {"id": "y\u0000"}, "bare"]
    told = read(post(client, "/api/services/openai/refresh"))
    assert told["added"] == ["openai-b", "openai-bare"]
    assert told["leftOut"] == [
        {"ref": "x" * 501, "reason": "Its name has more than 500 characters.", "id": None},
        {"ref": "y\u0000", "reason": "Its name has characters that cannot be shown.", "id": None},
        {"ref": "a", "reason": "Another model already has its id, openai-a.", "id": None},
    ]
    assert read(client.get("/api/llms/openai-a"))["label"] == "Theirs"


@pytest.mark.parametrize(
    ("vendor", "listed", "expected"),
    [
        (
            "openrouter",
            {
                "id": "a/b",
                "name": "A: B",
                "context_length": 10,
                "top_provider": {"max_completion_tokens": 4},
                "pricing": {"prompt": "0.0000025", "completion": "0.00001", "input_cache_read": "0.00000125"},
                "architecture": {"input_modalities": ["text", "image"]},
                "supported_parameters": ["tools", "reasoning"],
            },
            {
                "label": "A: B",
                "contextTokens": 10,
                "maxOutputTokens": 4,
                "interfaces": ["oai-chat", "oai-chat-vision", "oai-chat-fn", "oai-chat-reasoning"],
                "pricing": {"chat": {"input": 2.5, "output": 10, "cache": {"cType": "oai-ac", "read": 1.25}}},
            },
        ),
        (
            "openrouter",
            {"id": "a/b:free", "pricing": {"prompt": "0", "completion": "0"}},
            {"pricing": {"chat": {"input": "free", "output": "free"}}},
        ),
        (
            "mistral",
            {
                "id": "m",
                "max_context_length": 32_768,
                "capabilities": {"completion_chat": True, "vision": True, "function_calling": True},
            },
            {"contextTokens": 32_768, "interfaces": ["oai-chat", "oai-chat-vision", "oai-chat-fn"]},
        ),
        ("groq", {"id": "g", "context_window": 9, "max_completion_tokens": 3}, {"contextTokens": 9}),
        ("openai", {"id": "o3"}, {"interfaces": ["oai-chat", "oai-chat-reasoning", "hotfix-no-temperature"]}),
        (
            "googleai",
            {"id": "models/gemini-x"},
            {"label": "gemini-x", "initialParameters": {"llmRef": "models/gemini-x"}},
        ),
        ("localai", {"id": "gpt-4o-mini"}, {"contextTokens": None}),
        ("openrouter", {"id": "x", "pricing": {"prompt": "NaN", "completion": "-1"}, "created": "?"}, {"label": "x"}),
    ],
)
def test_what_a_list_tells_is_taken(provider, vendor, listed, expected):
    provider.models = [listed]
    setups = {"openrouter": "oaiHost", "mistral": "mistralHost", "groq": "groqHost", "openai": "oaiHost"}
    setups |= {"googleai": "geminiHost", "localai": "localAIHost"}
    client = sign_in()
    make_service("s", vId=vendor, setup={"apiKey": KEY, setups[vendor]: provider.url.replace("/v1", "/x")})
    [uid] = read(post(client, "/api/services/s/refresh"))["added"]
    model = MODELS.load([Model.objects.get(uid=uid)])[0]
    assert uid == f"s-{listed['id']}"
    assert {name: model.get(name) for name in expected} == expected


def test_a_vendor_that_lists_none_has_those_it_documents(provider):
    client = sign_in()
    make_service("perplexity", vId="perplexity", setup={"perplexityKey": KEY, "perplexityHost": provider.url})
    assert "perplexity-sonar-pro" in read(post(client, "/api/services/perplexity/refresh"))["added"]
    assert provider.asked == []
    assert Model.objects.get(uid="perplexity-sonar-pro").pricing["chat"]["input"] == 3


def test_anthropics_list_has_headers_of_its_own(provider):
    provider.queue.append(lambda handler: handler.send_json({"data": [{"id": "claude-x", "display_name": "Claude X"}]}))
    client = sign_in()
    make_service("anthropic", vId="anthropic", setup={"anthropicKey": KEY, "anthropicHost": provider.url})
    assert read(post(client, "/api/services/anthropic/refresh"))["added"] == ["anthropic-claude-x"]
    [asked] = provider.asked
    assert asked.path == "/v1/models?limit=1000"
    headers = {name.lower(): value for name, value in asked.headers.items()}
    assert (headers["x-api-key"], headers["anthropic-version"]) == (KEY, "2023-06-01")


# --- what goes wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", ["refresh", "test"])
@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"setup": {}}, "no API key"),
        ({"vId": "azure", "setup": {"azureKey": KEY}}, "no host"),
        ({"vId": "nobody", "setup": {}}, "is unknown"),
        ({"setup": {"oaiKey": KEY, "oaiHost": "http://"}}, "must be an address"),
        ({"setup": {"oaiKey": KEY, "oaiHost": "http://user:pw@127.0.0.1:9"}}, "Remove them"),
        ({"vId": "bedrock", "setup": {"bedrockBearerToken": KEY, "bedrockRegion": "evil.example/"}}, "no region"),
    ],
)
def test_a_service_that_cannot_be_called_says_why(act, members, words):
    client = sign_in()
    make_service(**members)
    make_model()
    problem = read_problem(post(client, f"/api/services/openai/{act}"), 409)
    assert words in problem["detail"] and "pw" not in problem["detail"]
    assert problem["type"].endswith("#model-not-callable")


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (
            lambda handler: handler.send_json({"error": {"message": "bad key sk-abcdefghijkl"}}, 401),
            "wrong-key",
            "(key)",
        ),
        (lambda handler: handler.send_whole(b"<html><title>Bad Gateway</title>", 502), "provider", "Bad Gateway"),
        (lambda handler: handler.send_json({"no": "list"}), "malformed", "list of models"),
        (
            lambda handler: handler.send_whole(b"<html>", 200, {"Content-Type": "text/html"}),
            "malformed",
            "list of models",
        ),
        (lambda handler: handler.send_json({"data": []}), "no-models", "no models here yet"),
        (
            lambda handler: handler.send_json({"data": [None, {}, {"id": 5}, {"id": ""}]}),
            "no-models",
            "no models here yet",
        ),
    ],
)
def test_what_a_provider_fails_is_told_in_words_and_changes_nothing(provider, answer, kind, words):
    # The SDK tries a second time where the server is in trouble.
    provider.queue.extend([answer, answer])
    client = sign_in()
    make_service(setup=provider.setup())
    make_model(initialParameters={"llmRef": "gone"})
    answered = post(client, "/api/services/openai/refresh")
    assert answered.status_code == 502
    problem = json.loads(answered.content)
    assert words in problem["detail"]
    assert problem["type"].endswith(f"#{kind}")
    assert not Change.objects.exists()
    assert Model.objects.get().hidden is False


def test_a_provider_that_is_not_there_is_told(provider):
    client = sign_in()
    make_service(setup={"oaiKey": KEY, "oaiHost": "http://127.0.0.1:9/v1"})
    problem = read_problem(post(client, "/api/services/openai/refresh"), 502)
    assert "Cannot reach 127.0.0.1:9" in problem["detail"]


@pytest.mark.parametrize("act", ["refresh", "test"])
def test_no_such_service_is_404(act):
    read_problem(post(sign_in(), f"/api/services/nobody/{act}"), 404)


# --- test ------------------------------------------------------------------------------------------------------------


def test_a_test_is_one_tiny_call_by_the_cheapest_model_and_one_event(provider):
    client = sign_in()
    make_service(setup=provider.setup())
    make_model("openai-dear", 0, pricing={"chat": {"input": 5, "output": 30}}, initialParameters={"llmRef": "dear"})
    make_model("openai-low", 1, pricing={"chat": {"input": 1, "output": 2}}, initialParameters={"llmRef": "low"})
    make_model("openai-hidden", 2, hidden=True, pricing={"chat": {"input": 0.1, "output": 0.1}})
    told = read(post(client, "/api/services/openai/test"))
    event = UsageEvent.objects.get()
    assert told == {
        "model": "openai-low",
        "ms_to_first_token": event.ms_to_first_token,
        "ms_total": event.ms_total,
        "text": "All is well.",
        "event": event.pk,
        "cost_nano_usd": 12 * 1000 + 3 * 2000,
    }
    assert (event.source, event.model, event.outcome, event.input_tokens) == ("test", "openai-low", "done", 12)
    [asked] = provider.asked
    assert asked.body["model"] == "low"
    assert asked.body["max_completion_tokens"] <= 16
    assert not Change.objects.exists()


def test_a_failed_test_says_what_is_wrong_and_is_an_event_without_a_price(provider):
    client = sign_in()
    make_service(setup=provider.setup(oaiKey="sk-Wrong0123456789abcdef"))
    make_model(initialParameters={"llmRef": "x"})
    answer = post(client, "/api/services/openai/test")
    problem = json.loads(answer.content)
    assert (answer.status_code, problem["provider_status"]) == (502, 401)
    assert "not valid" in problem["detail"]
    event = UsageEvent.objects.get()
    assert (event.outcome, event.cost_nano_usd, event.input_tokens) == ("wrong-key", None, None)


def test_a_model_can_be_named_and_belongs_to_the_service(provider):
    client = sign_in()
    make_service(setup=provider.setup())
    make_model("openai-a", 0)
    make_model("openai-b", 1)
    assert read(post(client, "/api/services/openai/test", {"modelId": "openai-b"}))["model"] == "openai-b"
    for model in ("bigagi-demo-echo", "nobody", 5):
        read_problem(post(client, "/api/services/openai/test", {"modelId": model}), 400)
    problem = read_problem(post(client, "/api/services/openai/test", {"a/b~c": "openai-b"}), 400)
    assert problem["errors"][0]["pointer"] == "/a~1b~0c"


def test_a_key_sent_twice_calls_once(provider):
    client = sign_in()
    make_service(setup=provider.setup())
    make_model()
    one, two = (post(client, "/api/services/openai/test", **{"Idempotency-Key": "k"}) for _ in range(2))
    assert read(one) == read(two)
    assert len(provider.asked) == UsageEvent.objects.count() == 1


# --- virtual services ------------------------------------------------------------------------------------------------


def test_demo_is_listed_tested_and_never_written():
    client = sign_in()
    [demo] = read(client.get("/api/services"))["results"]
    assert demo["_server"] == {"href": "/api/services/bigagi-demo", "modelCount": 6, "hiddenCount": 0, "virtual": True}
    assert read(client.get("/api/services/bigagi-demo")) == demo
    model = read(client.get("/api/llms/bigagi-demo-echo"))
    assert model["_server"]["virtual"] is True
    assert model in read(client.get("/api/llms"))["llms"]
    assert read(post(client, "/api/services/bigagi-demo/test"))["model"] == "bigagi-demo-echo"
    assert read(post(client, "/api/services/bigagi-demo/refresh"))["added"] == []
    for method in ("put", "patch", "delete"):
        for path in ("/api/services/bigagi-demo", "/api/llms/bigagi-demo-echo"):
            answer = getattr(client, method)(path, "{}", content_type="application/json")
            assert read_problem(answer, 409)["type"].endswith("#virtual-service")
    read_problem(post(client, "/api/services", {"id": "bigagi-env-openai", "vId": "openai"}), 409)
    whole = read(client.get("/api/llms"))
    assert post(client, "/api/llms", {"mode": "replace", **whole}).status_code == 200
    assert not Model.objects.exists()


def test_the_environments_models_are_fetched_by_refresh_and_never_by_a_read(environment):
    environment.models = [{"id": "gpt-4o-mini", "created": 2}, {"id": "whisper-1"}]
    client = sign_in()
    etag = client.get("/api/llms")["ETag"]
    assert ids(client, "bigagi-env-openai") == []
    assert environment.asked == []
    added = ["bigagi-env-openai-gpt-4o-mini"]
    assert read(post(client, "/api/services/bigagi-env-openai/refresh")) == {
        **{"added": added, "kept": [], "vanished": []},
        "leftOut": [{"ref": "whisper-1", "reason": "Its name says that it makes transcripts.", "id": None}],
    }
    assert ids(client, "bigagi-env-openai") == added
    assert client.get("/api/llms", headers={"If-None-Match": etag}).status_code == 200
    assert read(post(client, "/api/services/bigagi-env-openai/test"))["model"] == added[0]
    assert not Model.objects.exists()
    assert KEY not in client.get("/api/services").content.decode()


def test_openai_models_are_those_of_the_environment_with_prices(environment):
    environment.models = [{"id": "gpt-4o-mini", "created": 2}]
    client = sign_in()
    post(client, "/api/services/bigagi-env-openai/refresh")
    asked = len(environment.asked)
    told = read(client.get("/api/openai-models"))
    assert len(environment.asked) == asked
    assert told["service"] == {
        "id": "bigagi-env-openai",
        "label": "OpenAI (environment)",
        "virtual": True,
        "callable": True,
        "why_not": "",
        "href": "/api/services/bigagi-env-openai",
    }
    [model] = told["models"]
    assert (model["ref"], model["context_tokens"], model["capabilities"]) == ("gpt-4o-mini", 128_000, ["oai-chat"])
    assert model["pricing"]["chat"]["output"] == 0.6


def test_openai_models_are_else_those_of_the_first_service(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    client = sign_in()
    assert read(client.get("/api/openai-models")) == {"service": None, "models": []}
    make_service("a", 0, vId="anthropic")
    make_service("o", 1, setup={})
    make_model(
        "o-gpt-4o-mini", sId="o", initialParameters={"llmRef": "gpt-4o-mini"}, userPricing={"chat": {"input": 9}}
    )
    make_model("o-x", 1, sId="o")
    told = read(client.get("/api/openai-models"))
    assert (told["service"]["id"], told["service"]["callable"]) == ("o", False)
    assert "no API key" in told["service"]["why_not"]
    first, second = told["models"]
    assert (first["price_source"], first["pricing"], first["context_tokens"]) == (
        "user",
        {"chat": {"input": 9}},
        128_000,
    )
    assert (second["ref"], second["pricing"], second["price_source"]) == ("x", None, "")
    read_problem(client.get("/api/openai-models?x=1"), 400)


def test_the_environments_models_are_listed_when_the_server_has_started(started, provider):
    provider.models = [{"id": "gpt-4o-mini", "created": 5}]
    own = {"OPENAI_API_KEY": provider.key, "OPENAI_BASE_URL": provider.url}
    with run_server(started | own) as server:
        client = server.sign_in()
        deadline = time.monotonic() + 20
        while "gpt-4o-mini" not in (text := client.get("/api/openai-models").text):
            assert time.monotonic() < deadline, text
        assert provider.key not in text
        # Nothing that was read has asked once more.
        assert [asked.path for asked in provider.asked] == ["/v1/models"]
