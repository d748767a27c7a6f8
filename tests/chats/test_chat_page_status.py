"""The status line of the chat page: the service of the chosen model, its key, its last check, and a check now."""

import re

import pytest

from tests.chats.chat_page import api, expect, open_page, pick_model
from tests.providers import KEY, FakeProvider, run_provider
from tests.servers import execute

pytestmark = pytest.mark.browser


@pytest.fixture
def provider(server):
    """Yield a provider that stands as the service `near` beside Demo."""
    with run_provider(FakeProvider()) as provider:
        service = {"id": "near", "label": "Nearby", "vId": "openai", "setup": provider.setup()}
        model = {
            **{"id": "near-good-model", "label": "Good model", "sId": "near", "vId": "openai", "hidden": False},
            **{"contextTokens": 9000, "maxOutputTokens": 100, "interfaces": ["oai-chat"], "parameterSpecs": []},
            **{"pricing": {"chat": {"input": 1, "output": 2}}, "created": 1, "description": ""},
            "initialParameters": {"llmRef": "good-model"},
        }
        api(server, "POST", "/api/llms", {"services": [service], "llms": [model]})
        yield provider
        api(server, "DELETE", "/api/services/near")


def test_demo_is_checked_without_a_key(server, page):
    open_page(page)
    status = page.get_by_role("region", name="Service of the model")
    expect(status).to_contain_text("Demo (not an AI): no key needed")
    expect(status).to_contain_text("Not checked yet.")
    expect(status.get_by_role("link")).to_have_count(0)
    check = status.get_by_role("button", name="Check now")
    check.focus()
    page.keyboard.press("Enter")
    expect(status).to_contain_text(re.compile(r"Checked .+: responded in \d+\.\d s\."))
    expect(check).to_be_focused()
    expect(page.locator("#status")).to_have_class(re.compile("is-good"))
    expect(page.locator("#live")).to_contain_text("responded in")
    assert execute(server.environment, "SELECT source, service FROM metrics_usageevent") == [("test", "bigagi-demo")]
    page.reload()
    expect(status).to_contain_text("responded in")


def test_a_check_tells_what_is_wrong_in_words_and_the_kind_is_remembered(server, page, provider):
    provider.key = "another key than the service has"
    # Chromium's console counts an answer of 502 among errors, and the page of the fixture may have none.
    page = page.context.new_page()
    open_page(page)
    pick_model(page, "Good model")
    status = page.locator("#status")
    expect(status).to_contain_text("Nearby: key saved")
    expect(status).to_contain_text("Not checked yet.")
    page.get_by_role("button", name="Check now").click()
    expect(status).to_contain_text("The API key is not valid. Correct it in the service, and try again.")
    expect(status).to_have_class(re.compile("is-bad"))
    expect(page.locator("#alarm")).to_contain_text("The API key is not valid")
    assert KEY not in page.content()
    pick_model(page, "Demo fast")
    expect(status).to_contain_text("no key needed")
    pick_model(page, "Good model")
    expect(status).to_contain_text(re.compile("Checked .+: the API key was rejected."))
    provider.key = KEY
    page.get_by_role("button", name="Check now").click()
    expect(status).to_contain_text("responded in")
    expect(status).not_to_have_class(re.compile("is-bad"))


def test_a_service_without_a_key_says_so_in_place_of_a_check(server, page, provider):
    api(server, "PATCH", "/api/services/near", {"setup": None})
    open_page(page, "/chat-test")
    page.evaluate("localStorage.setItem('bigagi:model:new', 'near-good-model')")
    page.reload()
    status = page.locator("#status")
    expect(status).to_contain_text("Nearby has no API key. Add one to the service.")
    expect(status).to_have_class(re.compile("is-bad"))
    status.get_by_role("link", name="Services").click()
    page.wait_for_url("**/services")
