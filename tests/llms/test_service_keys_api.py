"""A stored key stays with the scheme, host and port it was entered for, whatever changes them."""

import json
from pathlib import Path

import pytest

from llms.models import Service
from llms.vendors.endpoint import address_of
from stores.records.hosts import address_of_host
from stores.records.jsontext import encode
from stores.records.secrets import reveal
from tests.api import read, sign_in

pytestmark = [pytest.mark.django_db]

KEY, NEW = "sk-0123456789abcdefWXYZ", "sk-9876543210zyxwvuABCD"
MARKER = "bigagi-secret:WXYZ"
HOST = "https://one.example/v1"
SERVICE = {"id": "mine", "label": "Mine", "vId": "openai", "setup": {"oaiKey": KEY, "oaiHost": HOST}}


def send(client, method, path, body=None, status=200, **headers):
    answer = getattr(client, method)(path, json.dumps(body), content_type="application/json", headers=headers)
    assert answer.status_code == status, answer.content[:2000]
    return answer


@pytest.fixture
def client(settings, tmp_path: Path):
    settings.KEY_FILE = tmp_path / "own.key"
    client = sign_in()
    send(client, "post", "/api/services", SERVICE, 201)
    return client


def setup_here() -> dict:
    return reveal(Service.objects.get(uid="mine").setup)


def with_setup(**members: object) -> dict:
    return SERVICE | {"setup": {"oaiKey": MARKER, "oaiHost": HOST} | members}


def check_dropped(answer, host: str) -> None:
    assert not setup_here().get("oaiKey") and setup_here()["oaiHost"] == host
    told = encode(read(answer))
    assert "Mine: oaiKey" in told and "Enter them again" in told


@pytest.mark.parametrize(
    "host",
    [
        *("https://two.example/v1", "https://one.example:8443/v1", "http://one.example/v1", "one.example.evil.example"),
        *("", "http://localhost:1234", "https://one.example@two.example/", "no host at all", "https://[broken"),
    ],
)
def test_a_key_does_not_follow_to_another_scheme_host_or_port(client, host: str):
    answer = send(client, "patch", "/api/services/mine", {"setup": {"oaiHost": host}})

    assert not setup_here().get("oaiKey") and "oaiKey" in answer.json()["_server"]["notes"][0]
    # One change in the journal, which is undone as a whole: the key is back with its host.
    send(client, "post", f"/api/changes/{answer['Bigagi-Change']}/undo", {}, 201)
    assert setup_here() == SERVICE["setup"]


@pytest.mark.parametrize("host", ["https://one.example", "HTTPS://ONE.example:443/other/path", "one.example"])
def test_a_key_stays_at_its_host(client, host: str):
    answer = send(client, "patch", "/api/services/mine", {"setup": {"oaiHost": host}, "label": "New"})
    assert setup_here() == {"oaiKey": KEY, "oaiHost": host} and "notes" not in answer.json()["_server"]


def test_an_international_host_is_the_same_in_both_spellings_and_no_other():
    *same, other = map(address_of_host, ("https://Straße.example", "https://xn--strae-oqa.example", "strasse.example"))
    assert same == ["https://xn--strae-oqa.example:443"] * 2 and other == "https://strasse.example:443"


def test_loopback_to_loopback_is_another_host_too(client):
    send(client, "put", "/api/services/mine", with_setup(oaiKey=KEY, oaiHost="http://localhost:1234"))
    answer = send(client, "patch", "/api/services/mine", {"setup": {"oaiHost": "http://localhost:4321"}})
    check_dropped(answer, "http://localhost:4321")


def test_a_marker_does_not_carry_a_key_to_another_host(client):
    two = with_setup(oaiHost="https://two.example")
    check_dropped(send(client, "put", "/api/services/mine", two), "https://two.example")
    assert setup_here()["oaiKey"] == ""


@pytest.mark.parametrize("mode", ["merge", "replace"])
def test_nor_do_writes_of_all_models(client, mode: str):
    body = {"mode": mode, "services": [with_setup(oaiHost="https://two.example")], "llms": [], "assignments": {}}
    check_dropped(send(client, "post", "/api/llms", body), "https://two.example")


@pytest.mark.parametrize("method", ["put", "patch"])
def test_nor_do_writes_of_the_store(client, method: str):
    store = read(client.get("/api/stores/app-models"))
    store["state"]["sources"][0]["setup"]["oaiHost"] = "https://two.example"
    check_dropped(send(client, method, "/api/stores/app-models", store), "https://two.example")


def test_nor_does_another_vendor_with_another_host(client):
    send(client, "patch", "/api/services/mine", {"setup": {"oaiHost": "", "oaiKey": KEY}})
    answer = send(client, "patch", "/api/services/mine", {"vId": "openrouter"})
    check_dropped(answer, "")


@pytest.mark.parametrize("key", [KEY, NEW])
def test_a_key_that_is_sent_anew_goes_along(client, key: str):
    setup = {"oaiKey": key, "oaiHost": "https://two.example"}
    answer = send(client, "patch", "/api/services/mine", {"setup": setup})
    assert setup_here() == setup and "notes" not in answer.json()["_server"]


def test_undo_of_a_host_does_not_carry_a_later_key_back(client):
    send(client, "patch", "/api/services/mine", {"setup": {"oaiKey": ""}})
    send(client, "patch", "/api/services/mine", {"setup": {"oaiHost": "https://two.example", "oaiKey": NEW}})
    again = send(client, "patch", "/api/services/mine", {"setup": {"oaiHost": HOST, "oaiKey": NEW}})
    undone = send(client, "post", f"/api/changes/{again['Bigagi-Change']}/undo", {}, 201).json()
    # It was sent for both, but an undo sends no key.
    assert "Mine: oaiKey" in undone["summary"]
    assert setup_here() == {"oaiHost": "https://two.example"}


def test_other_secrets_of_the_setup_are_dropped_with_it(client):
    setup = {"oaiHost": "https://me:pa55word@one.example", "oaiKey": KEY, "otherToken": "hunter2", "plain": "kept"}
    send(client, "patch", "/api/services/mine", {"setup": setup})
    send(client, "patch", "/api/services/mine", {"setup": {"oaiHost": "https://two.example"}})
    assert setup_here() == {"oaiHost": "https://two.example", "plain": "kept"}


@pytest.mark.parametrize(
    ("vendor", "setup", "address"),
    [
        ("openai", {}, "https://api.openai.com:443"),
        ("ollama", {"ollamaHost": "localhost:11434"}, "http://localhost:11434"),
        ("ollama", {"ollamaHost": "127.0.0.1:11434/v1"}, "http://127.0.0.1:11434"),
        ("bedrock", {"bedrockRegion": "eu-west-1"}, "https://bedrock-mantle.eu-west-1.api.aws:443"),
        ("azure", {"azureEndpoint": "https://Me.azure.example/"}, "https://me.azure.example:443"),
        ("unheard-of", {"someHost": "https://a.example:99999"}, "https://a.example:99999"),
        ("unheard-of", {"someHost": 5}, "https://unheard-of:443"),
        ("unheard-of", None, "https://unheard-of:443"),
    ],
)
def test_an_address_is_told_of_any_setup(vendor: str, setup: object, address: str):
    assert address_of({"vId": vendor, "setup": setup}) == address
