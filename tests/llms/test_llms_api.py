import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.api import ODD_IDS, make_assignment, make_model, make_service, read, read_problem, sign_in, stored

pytestmark = pytest.mark.django_db

MAKERS = {"services": make_service, "llms": make_model, "assignments": make_assignment}


def records(client, kind, query=""):
    """Return the records of a kind, all of them."""
    answer = read(client.get(f"/api/{kind}{query}"))
    return stored(answer["llms"] if kind == "llms" else answer["results"])


def ids(found):
    return [record["id"] for record in found]


def test_a_service_is_big_agis_with_its_keys_masked():
    client = sign_in()
    make_service("openai", setup={"oaiKey": "sk-0123456789abcdefWXYZ", "short": {"apiKey": "short"}}, defsV="a")
    make_model("openai-gpt", sId="openai")
    service = read(client.get("/api/services/openai"))
    assert service == {
        "id": "openai",
        "label": "OpenAI",
        "vId": "openai",
        "setup": {"oaiKey": "bigagi-secret:WXYZ", "short": {"apiKey": "bigagi-secret:"}},
        "defsV": "a",
        "_server": {"href": "/api/services/openai", "modelCount": 1, "hiddenCount": 0},
    }
    assert records(client, "services") == [service]


def test_a_model_is_big_agis():
    make_model("openai-gpt", contextTokens=None, pricing={"chat": {"input": "free"}}, userParameters={"odd": [1.5]})
    model = read(sign_in().get("/api/llms/openai-gpt"))
    assert model == {
        "id": "openai-gpt",
        "label": "GPT",
        "sId": "openai",
        "vId": "openai",
        "hidden": False,
        "contextTokens": None,
        "pricing": {"chat": {"input": "free"}},
        "userParameters": {"odd": [1.5]},
        "_server": {
            "href": "/api/llms/openai-gpt",
            "serviceHref": "/api/services/openai",
            "effective": {
                "label": "GPT",
                "hidden": False,
                "starred": False,
                "contextTokens": None,
                "maxOutputTokens": None,
                "pricing": {"chat": {"input": "free"}},
            },
        },
    }


def test_the_whole_is_in_one_answer_under_the_etag_of_the_store():
    client = sign_in()
    make_service("s")
    make_model("b", 1)
    make_model("a", 0)
    make_assignment("fastUtil")
    answer = client.get("/api/llms")
    whole = read(answer)
    whole |= {"llms": stored(whole["llms"]), "services": stored(whole["services"])}
    assert whole == {
        "llms": [read(client.get("/api/llms/a")), read(client.get("/api/llms/b"))],
        "services": [read(client.get("/api/services/s"))],
        "assignments": {"fastUtil": read(client.get("/api/assignments/fastUtil"))},
    }
    assert client.get("/api/llms", headers={"If-None-Match": answer["ETag"]}).status_code == 304
    assert client.get("/api/llms/a")["ETag"] == answer["ETag"]


def test_what_the_person_set_wins():
    make_model(
        "m",
        hidden=True,
        contextTokens=1,
        maxOutputTokens=2,
        pricing={"chat": {"input": 1, "output": 1}},
        userLabel="Mine",
        userHidden=False,
        userStarred=True,
        userContextTokens=3,
        userMaxOutputTokens=4,
        userPricing={"chat": {"input": 5}},
    )
    model = read(sign_in().get("/api/llms/m"))
    assert model["_server"]["effective"] == {
        "label": "Mine",
        "hidden": False,
        "starred": True,
        "contextTokens": 3,
        "maxOutputTokens": 4,
        "pricing": {"chat": {"input": 5}},
    }
    # big-AGI's own members are as they were.
    assert (model["label"], model["hidden"], model["contextTokens"]) == ("GPT", True, 1)


def test_an_assignment_is_big_agis_under_its_domain():
    client = sign_in()
    make_assignment("primaryChat", modelId=None)
    make_assignment("codeApply")
    assert [row["domainId"] for row in read(client.get("/api/assignments"))["results"]] == ["codeApply", "primaryChat"]
    assert read(client.get("/api/assignments/primaryChat")) == {
        "mct": "model-parametric",
        "domainId": "primaryChat",
        "modelId": None,
        "_server": {"href": "/api/assignments/primaryChat", "domain": "primaryChat"},
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("service=two%2F2", ["b"]),
        ("vendor=ollama", ["b"]),
        ("hidden=1", ["b", "c"]),
        ("hidden=0", ["a", "d", "e"]),
        ("starred=1", ["a"]),
        ("starred=0", ["b", "c", "d", "e"]),
        ("hidden=false&starred=false", ["d", "e"]),
    ],
)
def test_models_are_filtered(query, found):
    client = sign_in()
    make_model("a", 0, userStarred=True)
    make_model("b", 1, sId="two/2", vId="ollama", hidden=True)
    make_model("c", 2, userHidden=True)
    make_model("d", 3, hidden=True, userHidden=False)
    make_model("e", 4, hidden=None)
    make_service("one")
    whole = read(client.get(f"/api/llms?{query}"))
    assert ids(stored(whole["llms"])) == found
    assert ids(stored(whole["services"])) == ["one"]


def test_services_are_filtered():
    client = sign_in()
    make_service("a")
    make_service("b", 1, vId="ollama")
    assert ids(records(client, "services", "?vendor=ollama")) == ["b"]


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("uid", ODD_IDS)
def test_an_odd_id_is_found_under_its_address(kind, uid):
    client = sign_in()
    MAKERS[kind](uid)
    [listed] = records(client, kind)
    assert read(client.get(listed["_server"]["href"])) == listed


@pytest.mark.parametrize("kind", MAKERS)
def test_what_is_unknown_is_refused(kind):
    client = sign_in()
    read_problem(client.get(f"/api/{kind}/nobody"), 404)
    read_problem(client.get(f"/api/{kind}?colour=red"), 400)


@pytest.mark.parametrize("kind", MAKERS)
def test_the_number_of_queries_does_not_grow_with_the_rows(kind):
    client = sign_in()
    counts = []
    for first, last in ((0, 3), (3, 60)):
        for number in range(first, last):
            make = MAKERS[kind]
            members = {"setup": {"apiKey": f"sk-0123456789abcdef{number:04}"}}
            make(f"x{number}", **members if kind == "assignments" else {"position": number, **members})
        with CaptureQueriesContext(connection) as queries:
            assert len(records(client, kind, "" if kind == "llms" else "?page_size=200")) == last
        counts.append(len(queries))
    assert counts[0] == counts[1]
