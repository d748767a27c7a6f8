"""The parameters of a model: what can be set of real models, and under which names they are sent."""

import json

import pytest
from django.utils.timezone import now

from llms.bigagi import MODELS
from llms.callable_model import call_parameters
from llms.catalog import price_facts
from llms.models import Model, RefusedParameter
from llms.parameters import find_parameters
from llms.vendors.endpoint import path_of
from tests.api import make_model, make_service, read, read_problem, sign_in

pytestmark = pytest.mark.django_db

EFFORT = {"paramId": "llmVndOaiEffort", "initialValue": "medium", "enumValues": ["low", "medium", "high"]}
PATH = "/api/llms/openai-gpt/parameters"
SETUP = {"oaiKey": "sk-x", "oaiHost": "https://api.openai.com/v1"}


@pytest.fixture
def client():
    return sign_in()


def patch(client, values, **headers):
    return client.patch(PATH, json.dumps(values), content_type="application/merge-patch+json", headers=headers)


def make_gpt(**members):
    known = {"interfaces": ["oai-chat", "oai-chat-reasoning"], "maxOutputTokens": 4000, "parameterSpecs": [EFFORT]}
    known["initialParameters"] = {"llmRef": "gpt", "llmTemperature": 0.5, "llmVndOaiEffort": "medium"}
    return make_model(**known | members)


def sent():
    return call_parameters(price_facts("openai-gpt"))


def values(answer):
    return {each["id"]: (each["value"], each["default"], each["isSet"]) for each in answer["parameters"]}


def test_they_are_set_for_the_model_and_reset_and_taken_back(client):
    make_service(setup=SETUP)
    make_gpt(userParameters={"llmVndAntSkills": "pdf"})
    assert values(read(client.get(PATH))) == {
        "llmTemperature": (0.5, 0.5, False),
        "llmResponseTokens": (None, None, False),
        "llmVndOaiEffort": ("medium", "medium", False),
    }
    answer = patch(client, {"llmTemperature": 0, "llmVndOaiEffort": "high", "llmResponseTokens": 100})
    assert values(answer.json())["llmTemperature"] == (0, 0.5, True)
    assert sent() == {"temperature": 0, "reasoning_effort": "high"}
    [record] = MODELS.load(list(Model.objects.all()))
    # Where big-AGI keeps them, beside what is not known here.
    assert record["userParameters"] == {
        **{"llmVndAntSkills": "pdf", "llmTemperature": 0, "llmVndOaiEffort": "high", "llmResponseTokens": 100}
    }
    assert values(patch(client, {"llmTemperature": None}).json())["llmTemperature"] == (0.5, 0.5, False)
    assert sent()["temperature"] == 0.5
    undo = f"/api/changes/{answer['Bigagi-Change']}/undo"
    # Something newer stands on it.
    assert client.post(undo, content_type="application/json").status_code == 409
    again = patch(client, {"llmTemperature": None, "llmVndOaiEffort": "high"})
    assert again.status_code == 200 and "Bigagi-Change" not in again


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"llmTemperature": 2.1}, "Temperature must be a number from 0 to 2."),
        ({"llmTemperature": True}, "Temperature must be a number from 0 to 2."),
        ({"llmTemperature": "warm"}, "Temperature must be a number from 0 to 2."),
        ({"llmResponseTokens": 0}, "Answer tokens must be a whole number from 1 to 4,000."),
        ({"llmResponseTokens": 4001}, "Answer tokens must be a whole number from 1 to 4,000."),
        ({"llmVndOaiEffort": "max"}, "Reasoning effort must be one of: low, medium, high."),
        ({"llmVndOaiVerbosity": "low"}, "This model does not take this parameter. It takes: llmTemperature"),
        ({"llmMood": 1}, "Unknown parameter"),
    ],
)
def test_wrong_values_are_told_and_change_nothing(client, given, told):
    make_service(setup=SETUP)
    make_gpt()
    problem = read_problem(patch(client, given), 400)
    assert told in problem["detail"]
    assert problem["errors"][0]["pointer"] == f"/{next(iter(given))}"
    assert "userParameters" not in MODELS.load(list(Model.objects.all()))[0]


def test_what_was_refused_is_told_and_sent_again_with_another_value(client):
    service = make_service(setup=SETUP)
    make_gpt()
    address = path_of({"vId": "openai", "setup": SETUP})
    for name in ("temperature", "max_tokens"):
        RefusedParameter.objects.create(
            service_uid=service.uid, model_ref="gpt", parameter=name, address=address, refused_at=now()
        )
    told = {each["id"]: each["refusedAt"] for each in read(client.get(PATH))["parameters"]}
    # A limit that is refused by one of its names is sent by the other.
    assert told["llmTemperature"] and not told["llmResponseTokens"]
    answer = patch(client, {"llmTemperature": 1.5})
    assert answer.json()["parameters"][0]["refusedAt"] is None
    assert list(RefusedParameter.objects.values_list("parameter", flat=True)) == ["max_tokens"]


def test_models_that_are_no_rows_have_none_to_set(client):
    assert client.get("/api/llms/bigagi-demo-echo/parameters").status_code == 200
    answer = client.patch("/api/llms/bigagi-demo-echo/parameters", "{}", content_type="application/json")
    read_problem(answer, 409)
    read_problem(client.get("/api/llms/nobody/parameters"), 404)


@pytest.mark.parametrize(
    ("vendor", "members", "named"),
    [
        ("openai", {"interfaces": ["hotfix-no-temperature"]}, {"reasoning_effort": "high", "verbosity": "low"}),
        ("openai", {"parameterSpecs": []}, {"temperature": 0.5}),
        ("openai", {"parameterSpecs": [], "interfaces": ["oai-chat-reasoning"]}, {"reasoning_effort": "high"}),
        ("groq", {}, {"temperature": 0.5, "top_p": 0.9, "reasoning_effort": "high"}),
        ("openrouter", {}, {"reasoning": {"effort": "high"}}),
        ("anthropic", {}, {"temperature": 0.5, "top_p": 0.9}),
    ],
)
def test_each_vendor_is_sent_what_it_takes_under_its_name(vendor, members, named):
    specs = [EFFORT, {"paramId": "llmTopP"}, {"paramId": "llmVndOaiVerbosity"}, {"paramId": ["odd"]}, None]
    chosen = {"llmTemperature": 0.5, "llmTopP": 0.9, "llmVndOaiEffort": "high", "llmVndOaiVerbosity": "low"}
    make_service("s", vId=vendor)
    make_model("s-m", sId="s", vId=vendor, **{"parameterSpecs": specs, "initialParameters": chosen} | members)
    found = call_parameters(price_facts("s-m"))
    assert {name: found[name] for name in named} == named
    assert "verbosity" not in found or vendor == "openai"
    if members.get("parameterSpecs") == [] and "interfaces" not in members:
        assert found == named


def test_all_of_a_real_file_are_told(real_data):
    state = json.loads((real_data / "exports" / "flash.json").read_bytes())["storage"]["localStorage"]["app-models"]
    models = {model["id"]: model for model in state["state"]["llms"]}
    found = {uid: [each.id for each in find_parameters(model, None)] for uid, model in models.items()}
    assert found["openai-gpt-5.4-mini"] == ["llmResponseTokens", "llmVndOaiEffort", "llmVndOaiVerbosity"]
    assert found["openai-gpt-4o"] == ["llmTemperature", "llmResponseTokens"]
    # The variant that never thinks has an effort that is not for the person to set, and is sent.
    assert found["openai-gpt-5.6-sol::thinking-none"] == ["llmTemperature", "llmResponseTokens", "llmVndOaiVerbosity"]
    assert found["anthropic-claude-opus-4-6"] == ["llmTemperature", "llmResponseTokens"]
