"""Models, services and assignments made, changed and deleted over the API, each change in the journal and undone."""

import json

import pytest

from llms.models import Assignment, Model, Service
from stores.models import Change, ChangedRecord, Secret
from stores.records.jsontext import encode, same
from stores.records.secrets import reveal
from tests.api import (
    ODD_IDS,
    make_assignment,
    make_model,
    make_service,
    read,
    read_problem,
    sign_in,
    stored,
)

pytestmark = pytest.mark.django_db

KEY = "sk-0123456789abcdefWXYZ"
SERVICE = {"id": "openai", "label": "OpenAI", "vId": "openai", "setup": {"oaiKey": KEY, "oaiHost": ""}, "odd": [None]}
MODEL = {
    "id": "openai-gpt",
    "label": "GPT",
    "created": 1,
    "description": "",
    "hidden": False,
    "contextTokens": None,
    "maxOutputTokens": 4096,
    "interfaces": ["oai-chat"],
    "pricing": {"chat": {"input": [{"upTo": None, "price": 2.5}], "output": "free"}},
    "parameterSpecs": [],
    "initialParameters": {"llmRef": "gpt"},
    "sId": "openai",
    "vId": "openai",
}
ASSIGNMENT = {"mct": "model-parametric", "domainId": "primaryChat", "modelId": "openai-gpt"}
ALL = {"llms": [MODEL], "services": [SERVICE], "assignments": {"primaryChat": ASSIGNMENT}}


def send(client, method, path, body=None, status=200, **headers):
    answer = getattr(client, method)(path, json.dumps(body), content_type="application/json", headers=headers)
    assert answer.status_code == status, answer.content[:2000]
    return answer


def bare(value):
    """Return the JSON without our facts, and without records that are no rows, at any depth."""
    if isinstance(value, dict):
        return {key: bare(item) for key, item in value.items() if key != "_server"}
    return [bare(item) for item in stored(value)] if isinstance(value, list) else value


def whole(client):
    return bare(read(client.get("/api/llms")))


def undo(client, answer):
    return send(client, "post", f"/api/changes/{answer['Bigagi-Change']}/undo", {}, 201)


def stored_keys():
    return [reveal(service.setup).get("oaiKey") for service in Service.objects.all()]


# --- the whole -------------------------------------------------------------------------------------------------------


def test_all_that_is_sent_is_given_back_with_its_keys_masked():
    client = sign_in()
    answer = send(client, "post", "/api/llms", ALL)
    expected = ALL | {"services": [SERVICE | {"setup": {"oaiKey": "bigagi-secret:WXYZ", "oaiHost": ""}}]}
    assert same(whole(client), expected) and same(bare(answer.json()), expected)
    assert answer["ETag"] == client.get("/api/llms")["ETag"] == client.get("/api/llms/openai-gpt")["ETag"]
    assert stored_keys() == [KEY]
    assert KEY not in encode(list(Change.objects.values_list("call", flat=True)))
    undo(client, answer)
    assert whole(client) == {"llms": [], "services": [], "assignments": {}}


@pytest.mark.parametrize("mode", ["merge", "replace"])
def test_what_was_given_changes_nothing_when_it_is_sent(mode):
    client = sign_in()
    send(client, "post", "/api/llms", ALL)
    before = client.get("/api/llms")
    answer = send(client, "post", "/api/llms", before.json() | {"mode": mode})
    assert "Bigagi-Change" not in answer and answer["ETag"] == before["ETag"]
    assert answer.json() == before.json()
    assert stored_keys() == [KEY]


def test_a_merge_keeps_what_is_not_sent():
    client = sign_in()
    send(client, "post", "/api/llms", ALL)
    send(client, "patch", "/api/llms/openai-gpt", {"userLabel": "Mine", "userPricing": {"chat": {"input": 1}}})
    before = whole(client)
    newer = {"id": "openai-gpt", "label": "GPT 2", "contextTokens": 8192}
    other = MODEL | {"id": "openai-other"}
    answer = send(client, "post", "/api/llms", {"llms": [other, newer], "assignments": {"fastUtil": ASSIGNMENT}})
    first, second = stored(answer.json()["llms"])
    assert bare(second) == other
    assert (first["label"], first["contextTokens"], first["userLabel"]) == ("GPT 2", 8192, "Mine")
    assert first["_server"]["effective"] == {
        "label": "Mine",
        "hidden": False,
        "starred": False,
        "contextTokens": 8192,
        "maxOutputTokens": 4096,
        "pricing": {"chat": {"input": 1}},
    }
    assert set(answer.json()["assignments"]) == {"primaryChat", "fastUtil"}
    assert stored_keys() == [KEY]
    undo(client, answer)
    assert same(whole(client), before)


def test_a_replacement_deletes_what_is_not_sent_and_gives_its_order():
    client = sign_in()
    for at, uid in enumerate("abc"):
        make_model(uid, at)
        make_service(uid, at)
    make_assignment("gone")
    before = whole(client)
    body = {
        "mode": "replace",
        "llms": [{"id": "c", "label": "C"}, {"id": "new"}, {"id": "a"}],
        "services": [{"id": "b"}],
        "assignments": {"primaryChat": {"modelId": "a"}},
    }
    answer = send(client, "post", "/api/llms", body)
    del body["mode"]
    assert same(whole(client), body)
    assert Change.objects.count() == 1
    undo(client, answer)
    assert same(whole(client), before)


def test_an_order_alone_is_a_change_too():
    client = sign_in()
    for at, uid in enumerate("abc"):
        make_model(uid, at)
    before = whole(client)
    turned = before | {"llms": before["llms"][::-1], "mode": "replace"}
    answer = send(client, "post", "/api/llms", turned)
    assert [model["id"] for model in whole(client)["llms"]] == ["c", "b", "a"]
    undo(client, answer)
    assert same(whole(client), before)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"mode": "all"}, "/mode"),
        ({"sources": []}, "/sources"),
        ({"a/b~c": []}, "/a~1b~0c"),
        ({"mode": "replace", "llms": [], "services": []}, "/assignments"),
        ({"llms": {}}, "/llms"),
        ({"assignments": []}, "/assignments"),
        ({"llms": [MODEL, 5]}, "/llms/1"),
        ({"llms": [{"label": "x"}]}, "/llms/0/id"),
        ({"services": [SERVICE, SERVICE]}, "/services/1/id"),
        ({"llms": [MODEL | {"hidden": "no"}]}, "/llms/0/hidden"),
        ({"assignments": {"a/b": {"modelId": 5}}}, "/assignments/a~1b/modelId"),
        ({"assignments": {"": ASSIGNMENT}}, "/assignments/"),
        ({"services": [SERVICE], "assignments": {"primaryChat": None}}, "/assignments/primaryChat"),
    ],
)
def test_a_part_that_is_wrong_refuses_all(body, pointer):
    client = sign_in()
    problem = read_problem(send(client, "post", "/api/llms", body, 400), 400)
    assert problem["errors"][0]["pointer"] == pointer
    assert not Change.objects.exists() and not Secret.objects.exists()


def test_all_is_deleted_only_on_purpose():
    client = sign_in()
    send(client, "post", "/api/llms", ALL)
    before = whole(client)
    for query in ("", "?confirm=false"):
        problem = read_problem(client.delete(f"/api/llms{query}"), 409)
        assert problem["type"].endswith("#not-confirmed")
    read_problem(client.delete("/api/llms?confirm=yes"), 400)
    read_problem(client.delete("/api/llms?confirm=true&colour=red"), 400)
    answer = send(client, "delete", "/api/llms?confirm=true", status=204)
    assert whole(client) == {"llms": [], "services": [], "assignments": {}}
    assert Change.objects.count() == 2
    undo(client, answer)
    assert same(whole(client), before) and stored_keys() == [KEY]
    answer = send(client, "delete", "/api/llms?confirm=true&purge=true", status=204)
    assert not ChangedRecord.objects.exclude(body=None).exists()
    read_problem(send(client, "post", f"/api/changes/{answer['Bigagi-Change']}/undo", {}, 409), 409)


def test_many_models_are_deleted_under_one_entry():
    client = sign_in()
    for at in range(120):
        make_model(f"m{at}", at)
    before = whole(client)
    answer = send(client, "delete", "/api/llms?confirm=true", status=204)
    assert Change.objects.get().record_count == 120
    undo(client, answer)
    assert same(whole(client), before)


# --- single records --------------------------------------------------------------------------------------------------


def test_a_service_is_made_under_its_id_or_its_vendors():
    client = sign_in()
    made = send(client, "post", "/api/services", SERVICE | {"id": "a/b"}, 201)
    assert made["Location"] == "/api/services/~YS9i" == made.json()["_server"]["href"]
    assert made.json()["setup"]["oaiKey"] == "bigagi-secret:WXYZ"
    read_problem(send(client, "post", "/api/services", SERVICE | {"id": "a/b"}, 409), 409)
    new = {"label": "Mine", "vId": "openai"}
    assert [send(client, "post", "/api/services", new, 201).json()["id"] for _ in range(3)] == [
        "openai",
        "openai-1",
        "openai-2",
    ]
    listed = [service["id"] for service in stored(read(client.get("/api/services"))["results"])]
    assert listed == ["a/b", "openai", "openai-1", "openai-2"]
    undo(client, made)
    assert Service.objects.count() == 3


def test_a_key_outlives_all_but_its_removal():
    client = sign_in()
    send(client, "post", "/api/services", SERVICE, 201)
    given = read(client.get("/api/services/openai"))
    assert "Bigagi-Change" not in send(client, "put", "/api/services/openai", given)
    send(client, "patch", "/api/services/openai", {"label": "Renamed"})
    send(client, "patch", "/api/services/openai", {"setup": {"oaiHost": "https://api.openai.com/"}})
    send(client, "patch", "/api/services/openai", {"setup": {"oaiKey": "bigagi-secret:WXYZ"}})
    send(client, "post", "/api/llms", {"services": [{"id": "openai", "label": "Merged"}]})
    assert stored_keys() == [KEY]
    answer = send(client, "patch", "/api/services/openai", {"setup": {"oaiKey": "sk-another0123456789"}})
    assert stored_keys() == ["sk-another0123456789"]
    undo(client, answer)
    assert stored_keys() == [KEY]
    answer = send(client, "patch", "/api/services/openai", {"setup": {"oaiKey": None}})
    assert "oaiKey" not in answer.json()["setup"]
    undo(client, answer)
    assert stored_keys() == [KEY]


def test_a_marker_without_a_key_becomes_empty_and_is_told():
    client = sign_in()
    body = SERVICE | {"setup": {"oaiKey": "bigagi-secret:WXYZ"}}
    made = send(client, "post", "/api/services", body, 201).json()
    assert made["setup"]["oaiKey"] == "" and "oaiKey" in made["_server"]["notes"][0]
    answer = send(client, "post", "/api/llms", {"services": [body | {"id": "two"}]}).json()
    assert "oaiKey" in answer["_server"]["notes"][0]
    patched = send(client, "patch", "/api/services/openai", {"setup": {"otherKey": "bigagi-secret:"}}).json()
    assert "otherKey" in patched["_server"]["notes"][0]


def test_a_deleted_service_takes_its_models_and_their_assignments_with_it():
    client = sign_in()
    send(client, "post", "/api/llms", ALL)
    make_service("other", 1)
    make_model("other-m", 1, sId="other")
    make_assignment("fastUtil", modelId="other-m")
    before = whole(client)
    answer = send(client, "delete", "/api/services/openai", status=204)
    left = whole(client)
    assert [model["id"] for model in left["llms"]] == ["other-m"] and set(left["assignments"]) == {"fastUtil"}
    undo(client, answer)
    assert same(whole(client), before) and KEY in stored_keys()


def test_a_model_is_replaced_patched_and_deleted_and_all_is_undone_in_turn():
    client = sign_in()
    send(client, "post", "/api/llms", ALL)
    states, answers = [whole(client)], []
    for method, body, status in (
        ("put", MODEL | {"label": "New", "userHidden": True}, 200),
        ("patch", {"userStarred": True, "userHidden": None, "pricing": None}, 200),
        ("delete", None, 204),
    ):
        answers.append(send(client, method, "/api/llms/openai-gpt", body, status))
        states.append(whole(client))
    assert states[1]["llms"] == [MODEL | {"label": "New", "userHidden": True}]
    assert "pricing" not in states[2]["llms"][0] and states[2]["llms"][0]["userStarred"] is True
    assert states[3]["llms"] == [] and states[3]["assignments"] == {}
    for answer, before in zip(reversed(answers), reversed(states[:-1]), strict=True):
        undo(client, answer)
        assert same(whole(client), before)


def test_a_model_put_as_it_was_given_changes_nothing():
    client = sign_in()
    # Of a wrong type, but what is here.
    make_model("odd", hidden="perhaps", contextTokens=1.5, userLabel=None)
    given = client.get("/api/llms/odd")
    answer = send(client, "put", "/api/llms/odd", given.json())
    assert "Bigagi-Change" not in answer and answer["ETag"] == given["ETag"]
    read_problem(send(client, "put", "/api/llms/odd", given.json() | {"hidden": "never"}, 400), 400)
    effective = given.json()["_server"]["effective"]
    assert (effective["hidden"], effective["contextTokens"], effective["label"]) == (False, None, "GPT")


def test_an_assignment_is_made_changed_and_deleted():
    client = sign_in()
    made = send(client, "put", "/api/assignments/a%20b", {"modelId": "bigagi-demo-echo"}, 201)
    assert bare(made.json()) == {"mct": "model-parametric", "domainId": "a b", "modelId": "bigagi-demo-echo"}
    assert made["Location"] == "/api/assignments/a%20b"
    states = [whole(client)]
    answers = [send(client, "put", "/api/assignments/a%20b", {"modelId": None, "domainId": "a b"})]
    states.append(whole(client))
    answers.append(send(client, "delete", "/api/assignments/a%20b", status=204))
    assert not Assignment.objects.exists()
    for answer, before in zip(reversed(answers), reversed(states), strict=True):
        undo(client, answer)
        assert same(whole(client), before)
    problem = send(client, "put", "/api/assignments/a%20b", {"domainId": "other"}, 400).json()
    assert problem["errors"][0]["pointer"] == "/domainId"


WRITES = [
    ("post", "/api/llms", {"llms": [{"id": "n"}]}),
    ("delete", "/api/llms?confirm=true", None),
    ("put", "/api/llms/openai-gpt", MODEL | {"label": "x"}),
    ("patch", "/api/llms/openai-gpt", {"label": "x"}),
    ("delete", "/api/llms/openai-gpt", None),
    ("post", "/api/services", {"id": "n"}),
    ("put", "/api/services/openai", SERVICE | {"label": "x"}),
    ("patch", "/api/services/openai", {"label": "x"}),
    ("delete", "/api/services/openai", None),
    ("put", "/api/assignments/primaryChat", {"modelId": None}),
    ("put", "/api/assignments/fastUtil", ASSIGNMENT | {"domainId": "fastUtil"}),
    ("delete", "/api/assignments/primaryChat", None),
]


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_an_older_if_match_is_refused(method, path, body):
    client = sign_in()
    first = send(client, "post", "/api/llms", ALL)["ETag"]
    second = send(client, "patch", "/api/llms/openai-gpt", {"userStarred": True})["ETag"]
    before = whole(client)
    refused = send(client, method, path, body, 412, **{"If-Match": first})
    assert refused["ETag"] == second and "current" in refused.json()
    assert same(whole(client), before)
    answer = getattr(client, method)(path, json.dumps(body), "application/json", headers={"If-Match": second})
    assert answer.status_code in (200, 201, 204)
    undo(client, answer)
    assert same(whole(client), before)


@pytest.mark.parametrize("uid", ODD_IDS)
def test_odd_ids_work_on_every_route(uid):
    client = sign_in()
    service = send(client, "post", "/api/services", {"id": uid, "vId": "x"}, 201)["Location"]
    [model] = stored(send(client, "post", "/api/llms", {"llms": [{"id": uid, "sId": uid}]}).json()["llms"])
    assignments = send(client, "post", "/api/llms", {"assignments": {uid: {"modelId": uid}}}).json()["assignments"]
    for path in (service, model["_server"]["href"], assignments[uid]["_server"]["href"]):
        send(client, "put", path, bare(read(client.get(path))) | {"new": 1})
        assert read(client.get(path))["new"] == 1
    send(client, "patch", service, {"label": "x"})
    send(client, "patch", model["_server"]["href"], {"label": "x"})
    for path in (assignments[uid]["_server"]["href"], model["_server"]["href"], service):
        send(client, "delete", path, status=204)
    assert not Service.objects.exists() and not Model.objects.exists()


def test_what_is_not_here_is_not_changed():
    client = sign_in()
    for kind in ("llms", "services"):
        for method in ("put", "patch", "delete"):
            read_problem(send(client, method, f"/api/{kind}/nobody", {}, 404), 404)
    read_problem(send(client, "delete", "/api/assignments/nobody", status=404), 404)
    make_service()
    for body in ({"id": "other"}, {"id": None}):
        read_problem(send(client, "patch", "/api/services/openai", body, 400), 400)
    read_problem(send(client, "put", "/api/services/openai", {"id": "other"}, 400), 400)
    read_problem(send(client, "post", "/api/services", {"id": "x" * 201}, 400), 400)
    read_problem(send(client, "post", "/api/services", [], 400), 400)
    assert not Change.objects.exists()


def test_what_is_purged_is_kept_nowhere():
    client = sign_in()
    send(client, "post", "/api/llms", ALL)
    send(client, "patch", "/api/services/openai", {"label": "Renamed"})
    send(client, "delete", "/api/services/openai?purge=true", status=204)
    assert not ChangedRecord.objects.exclude(body=None).exists()
