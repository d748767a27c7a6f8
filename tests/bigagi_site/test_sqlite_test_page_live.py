"""The tab of the inspection panel that follows requests and changes."""

import json

import pytest

from tests.bigagi_site.panel import (
    expect,
    open_panel,
)

pytestmark = pytest.mark.browser


@pytest.fixture
def panel(browser, server):
    with open_panel(browser, server, "live") as page:
        expect(page.locator("#live-status")).to_have_text("Live.")
        yield page


def make_store(server, name):
    body = json.dumps({"name": name, "state": {}, "version": 1}).encode()
    answer = server.sign_in().request("POST", "/api/stores", body, headers={"Content-Type": "application/json"})
    assert answer.status == 201, answer.text
    return answer.headers


def test_it_shows_what_others_ask_and_change_with_their_entries(server, panel):
    made = make_store(server, "seen-live")
    change = panel.locator("#live-changes li", has_text="create store: seen-live")
    expect(change).to_have_count(1)
    assert change.get_by_role("link").get_attribute("href") == f"/admin/stores/change/{made['Bigagi-Change']}/change/"
    request = panel.locator("#live-requests li").first
    expect(request).to_contain_text("POST /api/stores")
    expect(request).to_contain_text("201")
    for item, word in ((change, "seen-live"), (request, made["X-Request-ID"])):
        opened = panel.request.get(item.get_by_role("link").get_attribute("href"))
        assert opened.status == 200
        assert word in opened.text()
    make_store(server, "seen-later")
    expect(panel.locator("#live-changes li").first).to_contain_text("seen-later")


def test_it_pauses_and_goes_on(server, panel):
    asked = []
    panel.get_by_role("button", name="Pause").click()
    expect(panel.locator("#live-status")).to_contain_text("Paused")
    panel.on("request", lambda request: asked.append(request.url))
    make_store(server, "while-paused")
    panel.wait_for_timeout(2500)
    assert asked == []
    assert panel.locator("#live-changes li", has_text="while-paused").count() == 0
    panel.get_by_role("button", name="Resume").click()
    expect(panel.locator("#live-changes li", has_text="while-paused")).to_have_count(1)
    expect(panel.locator("#live-requests li", has_text="POST /api/stores").first).to_be_visible()


def test_it_asks_only_while_somebody_looks(panel):
    panel.locator("#tab-benchmark").click()
    panel.locator("#panel-benchmark[data-ready]").wait_for()
    panel.wait_for_load_state("networkidle")
    asked = []
    panel.on("request", lambda request: asked.append(request.url))
    panel.wait_for_timeout(2500)
    assert asked == []
    with panel.expect_request("**/api/changes*"):
        panel.locator("#tab-live").click()


def test_lines_are_filtered_by_store_and_by_route(server, panel):
    make_store(server, "filter-one")
    make_store(server, "filter-two")
    server.sign_in().get("/api/folders")
    changes, requests = panel.locator("#live-changes li"), panel.locator("#live-requests li")
    expect(changes.filter(has_text="filter-two")).to_have_count(1)
    panel.get_by_label("Store begins with").fill("filter-one")
    expect(changes).to_have_count(1)
    expect(changes).to_contain_text("filter-one")
    panel.get_by_label("Store begins with").fill("no-such-store")
    expect(changes).to_have_text("No changes in no-such-store… yet.")
    panel.get_by_label("Route begins with").fill("/api/folders")
    expect(requests).to_have_count(1)
    expect(requests).to_contain_text("GET /api/folders")


def test_its_own_questions_are_hidden_unless_they_are_wanted(server, panel):
    make_store(server, "own-questions")
    requests = panel.locator("#live-requests li")
    expect(requests.filter(has_text="POST /api/stores").first).to_be_visible()
    assert requests.filter(has_text="/api/changes").count() == 0
    panel.get_by_label("Include requests from this tab").check()
    expect(requests.filter(has_text="/api/changes").first).to_be_visible()


def test_a_server_that_is_away_is_told_and_found_again(server, panel):
    panel.route("**/api/requests*", lambda route: route.fulfill(status=404, json={}))
    expect(panel.locator("#live-status")).to_contain_text("The server does not respond")
    panel.unroute_all(behavior="ignoreErrors")
    expect(panel.locator("#live-status")).to_have_text("Live.")
