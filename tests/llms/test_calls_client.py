"""A service's key, and the chat, go to its scheme, host and port alone."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from llms.calls.events import CallFailed, Request, Text
from llms.calls.models import list_models
from llms.calls.synchronous import run_call
from llms.calls.upstream import stream_call
from llms.catalog import env_endpoint
from llms.vendors.endpoint import Endpoint, endpoint_of
from tests.providers import KEY, FakeProvider, Handler, run_provider


@pytest.fixture
def providers() -> Iterator[tuple[FakeProvider, FakeProvider]]:
    with run_provider() as here, run_provider() as there:
        yield here, there


async def ask(endpoint: Endpoint) -> str:
    request = Request("good-model", [{"role": "user", "content": "Keep this to yourself."}])
    return "".join([event.text async for event in stream_call(endpoint, request) if isinstance(event, Text)])


def redirect(address: str, status: int = 307) -> Callable[[Handler], None]:
    def answer(handler: Handler) -> None:
        handler.send_whole(b"", status, {"Location": address})

    return answer


def endpoint_to(provider: FakeProvider, vendor: str = "openai") -> Endpoint:
    key, host = {"openai": ("oaiKey", "oaiHost"), "anthropic": ("anthropicKey", "anthropicHost")}[vendor]
    return endpoint_of({"vId": vendor, "setup": {key: KEY, host: provider.url}})


@pytest.mark.parametrize("status", [303, 308])
@pytest.mark.parametrize(("vendor", "call"), [("anthropic", list_models), ("openai", ask)], ids=["models", "chat"])
def test_a_redirection_to_another_address_is_not_followed_but_named(providers, vendor, call: Any, status: int):
    here, there = providers
    # The list is asked for twice.
    here.queue.extend([redirect(f"{there.url}/models?of=secret", status)] * 2)
    address = there.url.removesuffix("/v1")
    with pytest.raises(CallFailed, match=f"redirects to {address}. Nothing was sent there") as failed:
        run_call(call(endpoint_to(here, vendor)))
    assert failed.value.kind == "redirected" and here.asked and not there.asked


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirection_to_another_path_of_the_host_is_followed_with_the_whole_request(providers, status: int):
    here, _ = providers
    here.queue.append(redirect("/elsewhere/v1/chat/completions", status))
    assert run_call(ask(endpoint_to(here))) == "All is well."
    first, second = here.asked
    assert (second.method, second.path) == ("POST", "/elsewhere/v1/chat/completions") and second.body == first.body


def test_one_in_a_circle_ends_in_words(providers):
    here, _ = providers
    here.queue.extend([redirect("/v1/chat/completions")] * 30)
    with pytest.raises(CallFailed, match="redirects in a circle") as failed:
        run_call(ask(endpoint_to(here)))
    assert failed.value.kind == "redirected"


@pytest.fixture
def variables(monkeypatch) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-secret")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project-secret")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Gateway: gateway-secret\nAuthorization: Bearer header-secret")


@pytest.mark.usefixtures("variables")
@pytest.mark.parametrize("call", [list_models, ask])
def test_the_environments_variables_do_not_go_to_stored_services(providers, call: Any):
    here, _ = providers
    run_call(call(endpoint_to(here)))
    headers = here.asked[-1].headers
    assert headers["authorization"] == f"Bearer {KEY}" and "secret" not in str(headers)


@pytest.mark.usefixtures("variables")
def test_they_go_to_the_environments_service(providers, monkeypatch):
    here, _ = providers
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", here.url)
    here.queue.append(lambda handler: handler.send_json({"data": []}))
    run_call(list_models(env_endpoint()))
    headers = here.asked[-1].headers
    assert {"org-secret", "project-secret", "gateway-secret"} <= set(headers.values())


@pytest.mark.usefixtures("variables")
def test_azure_gets_its_query_and_the_key_in_its_header_alone(providers):
    here, _ = providers
    setup = {"azureKey": KEY, "azureEndpoint": f"{here.url[:-3]}/openai/deployments/mine?api-version=2025-01-01"}
    here.queue.append(
        lambda handler: handler.send_json({"choices": [{"message": {"content": "Here."}, "finish_reason": "stop"}]})
    )
    assert run_call(ask(endpoint_of({"vId": "azure", "setup": setup}))) == "Here."
    [asked] = here.asked
    assert asked.path == "/openai/deployments/mine/chat/completions?api-version=2025-01-01"
    headers = {name.lower(): value for name, value in asked.headers.items()}
    assert headers["api-key"] == KEY and "authorization" not in headers and "secret" not in str(headers)
