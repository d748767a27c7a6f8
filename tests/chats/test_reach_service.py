"""Whether the host of a provider without a list of models can be reached, without a call."""

from chats.trial.reach import look
from llms.calls.synchronous import run_call
from llms.vendors.endpoint import endpoint_of


def look_at(host: str):
    endpoint = endpoint_of({"vId": "perplexity", "setup": {"perplexityKey": "a key", "perplexityHost": host}})
    told = run_call(look({"reachable": None, "detail": ""}, endpoint))
    return told["reachable"], told["detail"]


def test_only_a_call_shows_it_of_a_host_behind_a_proxy(monkeypatch):
    for name in ("http_proxy", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    reachable, detail = look_at("http://far.invalid")
    assert reachable is None and "is called through a proxy" in detail
    assert look_at("http://127.0.0.1:9") == (False, "127.0.0.1:9 does not accept connections.")
    monkeypatch.setenv("HTTP_PROXY", "gopher://far.invalid")
    assert look_at("http://far.invalid")[0] is False


def test_what_is_no_address_is_told():
    assert look_at("http://a..b") == (False, "a..b does not accept connections.")
