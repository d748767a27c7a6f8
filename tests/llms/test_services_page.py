"""The page of services in a browser."""

import json

import pytest
from playwright.sync_api import expect

from tests.providers import KEY, run_provider

pytestmark = pytest.mark.browser
# The first call of a server loads what calls need.
expect.set_options(timeout=30_000)


@pytest.fixture
def provider():
    with run_provider() as running:
        yield running


def item(page, name):
    return page.locator(".services > li", has=page.get_by_role("heading", name=name, exact=True))


def add(page, provider, name, key=KEY):
    page.get_by_label("Provider").select_option("openai")
    page.get_by_label("Name").fill(name)
    page.get_by_label("API key").fill(key)
    page.get_by_label("Host").fill(provider.url)
    page.get_by_role("button", name="Add service").click()
    item(page, name).wait_for()


def test_a_service_is_added_refreshed_tested_edited_deleted_and_brought_back(page, provider):
    page.goto("/services")
    expect(page.locator("[aria-current=page]")).to_have_text("Services")
    add(page, provider, "Mine")
    mine = item(page, "Mine")
    expect(mine).to_contain_text("key saved (ends in GOOD)")
    expect(mine).to_contain_text("0 models")
    assert KEY not in page.content()
    mine.get_by_role("button", name="Refresh models").click()
    expect(mine.get_by_role("status")).to_contain_text("1 added: openai-good-model · 0 kept.")
    expect(mine).to_contain_text("1 model")
    provider.models.append({"id": "nomic-embed-text"})
    mine.get_by_role("button", name="Refresh models").click()
    expect(mine.get_by_role("status")).to_contain_text("1 left out, see hidden models: nomic-embed-text")
    mine.get_by_text("1 hidden model").click()
    expect(mine.get_by_role("listitem")).to_contain_text("Its name says that it makes embeddings.")
    mine.get_by_role("button", name="Show nomic-embed-text").click()
    expect(mine.get_by_text("1 hidden model")).to_be_hidden()
    page.get_by_role("button", name="Undo").click()
    expect(mine.get_by_text("1 hidden model")).to_be_visible()
    mine.get_by_role("button", name="Test").click()
    expect(mine.get_by_role("status")).to_contain_text("openai-good-model responded after")
    mine.get_by_role("button", name="Edit").click()
    page.get_by_label("Name").fill("Yours")
    page.get_by_role("button", name="Save service").click()
    yours = item(page, "Yours")
    # An empty field keeps the key.
    expect(yours).to_contain_text("key saved (ends in GOOD)")
    yours.get_by_role("button", name="Delete").click()
    expect(yours).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(item(page, "Yours")).to_contain_text("2 models")
    item(page, "Yours").get_by_role("button", name="Test").click()
    expect(item(page, "Yours").get_by_role("status")).to_contain_text("responded after")


def test_the_exact_error_is_shown(browser, provider, server):
    client = server.sign_in()
    service = {"id": "wrong", "vId": "openai", "label": "Wrong", "setup": provider.setup(oaiKey="sk-Wrong0123456789")}
    models = {"services": [service], "llms": [{"id": "wrong-x", "sId": "wrong", "initialParameters": {"llmRef": "x"}}]}
    body, headers = json.dumps(models).encode(), {"Content-Type": "application/json"}
    assert client.request("POST", "/api/llms", body, headers=headers).status == 200
    stranger = browser.new_context(base_url=server.url)
    stranger.add_cookies([{"name": "bigagi_session", "value": client.cookie("bigagi_session"), "url": server.url}])
    # Not `page`: what the API refuses is an error in a browser's console.
    page = stranger.new_page()
    page.goto("/services")
    item(page, "Wrong").get_by_role("button", name="Test").click()
    expect(item(page, "Wrong").locator(".error")).to_contain_text("The API key is not valid.")


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_demo_is_there_and_nothing_is_wider_than_the_window(page, width, scheme):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    page.goto("/services")
    demo = item(page, "Demo (not an AI)")
    expect(demo).to_contain_text("needs no key")
    expect(demo.get_by_role("button")).to_have_count(1)
    demo.get_by_role("button", name="Test").focus()
    page.keyboard.press("Enter")
    expect(demo.get_by_role("status")).to_contain_text("bigagi-demo-echo responded after")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
