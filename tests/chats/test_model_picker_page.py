"""The picker of models, with as many as OpenRouter and a few others list together."""

from typing import Any

import pytest

from tests.chats.chat_page import api, expect, make_chat, open_page
from tests.servers import Server, execute

pytestmark = pytest.mark.browser

MANY = 2_173


def make_models(server: Server) -> None:
    api(server, "POST", "/api/services", {"id": "many", "label": "Many", "vId": "openrouter", "setup": {"oaiKey": "k"}})

    def model(at: int, **members: Any) -> dict[str, Any]:
        return {
            **{"id": f"many-{at}", "label": f"Model {at}", "sId": "many", "vId": "openrouter", "hidden": False},
            **{"created": 1, "description": "", "contextTokens": 1000 * (at + 1), "interfaces": ["oai-chat"]},
            **{"parameterSpecs": [], "initialParameters": {"llmRef": f"ref/{at}"}},
            **{"pricing": {"chat": {"input": at % 7 + 1, "output": at % 9 + 1}}, **members},
        }

    hidden = model(MANY, label="Painter", hidden=True, hiddenReason="The provider says that it makes images.")
    # Most of OpenRouter's names have a slash.
    slashed = model(MANY + 1, id="many-maker/slashed", label="Slashed")
    api(server, "POST", "/api/llms", {"llms": [*map(model, range(MANY)), hidden, slashed]})
    assert execute(server.environment, "SELECT COUNT(*) FROM llms_model") == [(MANY + 2,)]


def test_of_thousands_of_models_only_those_on_screen_are_in_the_page(server, page):
    make_models(server)
    open_page(page, f"/chat-test/{make_chat(server, 'choosing', 'Q', 'A')}")
    page.locator("#model").click()
    options, find = page.locator("#models-list [role=option]"), page.get_by_label("Find a model")
    expect(page.get_by_role("option", name="Model 3")).to_be_visible()
    assert options.count() < 60
    last = page.get_by_role("option", name=f"Model {MANY - 1}")
    page.locator("#models-list").evaluate("list => (list.scrollTop = list.scrollHeight / 2)")
    expect(page.get_by_role("option", name="Model 1090")).to_be_attached()
    assert options.count() < 60
    # By any words, and by keyboard alone.
    find.fill("2172k many openrouter $6")
    expect(options).to_have_count(0)
    find.fill("2173k many openrouter $3")
    expect(options).to_have_count(1)
    expect(last).to_have_attribute("aria-posinset", "1")
    expect(find).to_have_attribute("aria-activedescendant", str(last.get_attribute("id")))
    find.press("Alt+s")
    expect(last).to_contain_text("★")
    find.press("Enter")
    expect(page.locator("#model-label")).to_have_text(f"Model {MANY - 1}")
    assert api(server, "GET", f"/api/llms/many-{MANY - 1}")["userStarred"] is True
    # Favourites come first from now on. Of a list that is the same only the ETag is sent.
    with page.expect_response("**/chat-parts/models") as asked:
        page.locator("#model").click()
    assert page.request.get(asked.value.url, headers={"If-None-Match": asked.value.headers["etag"]}).status == 304
    expect(options.first).to_contain_text(f"Model {MANY - 1}")
    assert last.get_attribute("aria-selected") == "true"
    # A star by the pointer, of a model whose id has a slash. The active model stays known wherever the list is.
    find.fill("slashed")
    page.locator("#models-list [data-star]").click()
    expect(page.locator("#models-said")).to_have_text("Slashed: favourite.")
    assert api(server, "GET", "/api/llms?starred=true")["llms"]
    find.fill("")
    page.locator("#models-list").evaluate("list => (list.scrollTop = list.scrollHeight / 2)")
    expect(page.get_by_role("option", name="Model 1090")).to_be_attached()
    expect(page.locator(f"[id='{find.get_attribute('aria-activedescendant')}']")).to_be_attached()
    # A star in the middle of the list moves nothing under the pointer.
    below = page.locator('#models-list [data-model="many-1091"]')
    before = below.bounding_box()
    page.locator('#models-list [data-model="many-1090"] [data-star]').click()
    expect(page.locator("#models-said")).to_have_text("Model 1090: favourite.")
    expect(below).to_be_attached()
    assert below.bounding_box() == before
    # What is hidden is shown with its reason, and switched on by choosing it.
    expect(page.locator("#models-hidden")).to_contain_text("1 hidden model.")
    page.locator("#show-hidden").click()
    find.fill("painter")
    expect(page.get_by_role("option", name="Painter")).to_contain_text("makes images")
    find.press("Enter")
    expect(page.locator("#model-label")).to_have_text("Painter")
    assert api(server, "GET", f"/api/llms/many-{MANY}")["_server"]["effective"]["hidden"] is False
    page.locator("#model").click()
    expect(page.locator("#models-hidden")).to_be_hidden()


def test_the_price_of_a_model_is_seen_on_the_narrowest_of_screens(page):
    page.set_viewport_size({"width": 320, "height": 568})
    open_page(page)
    page.locator("#model").click()
    page.get_by_label("Find a model").fill("Demo fast")
    price = page.get_by_role("option", name="Demo fast").get_by_text("free")
    expect(price).to_be_visible()
    assert price.evaluate("""at => {
      const text = document.createRange();
      text.selectNodeContents(at);
      return text.getBoundingClientRect().right <= at.closest(".model-row").getBoundingClientRect().right;
    }""")
