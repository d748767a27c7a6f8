"""The tests of the inspection panel: green where all is well, red where it is not, and always cleaned up."""

import json

import pytest

from tests.bigagi_site.panel import (
    count_marked,
    expect,
    faults,
    open_panel,
    run_all,
    save,
    states_of,
)
from tests.nightly import by_day
from tests.providers import run_provider
from tests.servers import Client, execute

pytestmark = pytest.mark.browser
KINDS = [
    *("device", "custom", "chats", "folders", "llms", "metrics", "workspace"),
    *("all", "ui", "labs", "ai", "chat-page"),
]
VERDICTS = ["status", "data", "sql", "error", "time", "log", "ai"]
OWN_STORES = "SELECT name, revision FROM stores_store ORDER BY name"


@pytest.fixture
def panel(browser, server):
    with open_panel(browser, server) as page:
        yield page


def test_all_is_green_on_a_fresh_machine_and_leaves_nothing(server, panel):
    server.sign_in().request("POST", "/api/stores/init", b"", headers={"Content-Type": "application/json"})
    before = execute(server.environment, OWN_STORES)
    expect(panel.locator("#kinds > li")).to_have_count(12)
    run_all(panel)
    assert faults(panel) == []
    expect(panel.locator("#summary")).to_contain_text("12 of 12 passed")
    is_sqlite = "DATABASE_URL" not in server.environment
    for kind in KINDS:
        states = states_of(panel, kind)
        assert list(states) == VERDICTS
        skipped = {name for name, state in states.items() if state == "skip"}
        asks_model = kind in ("llms", "ai", "chat-page")
        assert skipped == {name for name, is_on in (("sql", not is_sqlite), ("ai", not asks_model)) if is_on}, kind
        assert "fail" not in states.values()
    made = "Created 11 stores, 3 chats, 1 folder, 1 service, 1 workspace, 1 file."
    expect(panel.locator("#closing")).to_contain_text(f"{made} Everything was deleted")
    assert count_marked(server) == 0
    assert execute(server.environment, OWN_STORES) == before
    kept = "SELECT count(*) FROM stores_changedrecord WHERE uid LIKE 'sqlite-test-%' AND body IS NOT NULL"
    assert execute(server.environment, kept) == [(0,)]
    assert execute(server.environment, "SELECT DISTINCT source FROM metrics_usageevent") == [("test",)]
    sources = "SELECT DISTINCT source FROM stores_change WHERE action <> 'create default stores'"
    assert execute(server.environment, sources) == [("test",)]
    saved = save(panel)
    assert [test["test"] for test in saved["tests"]] == KINDS
    assert all(verdict["state"] in ("pass", "skip") for test in saved["tests"] for verdict in test["verdicts"])
    assert saved["environment"]["bigagi"] and saved["environment"]["database_version"]
    assert saved["cleanup"]["is_clean"] is True


def test_the_status_of_services_and_the_round_trip_with_one_of_them(server, panel):
    with run_provider() as provider:
        setups = {"works": provider.setup(), "broken": provider.setup(oaiKey="sk-wrong"), "bare": {}}
        for uid, setup in setups.items():
            service = {"id": uid, "vId": "openai", "label": uid, "setup": setup}
            assert call_api(server, "/api/services", service) == 201
        assert call_api(server, "/api/services/works/refresh", {}) == 200
        panel.reload()
        panel.get_by_role("button", name="Check API status").click()
        expect(panel.locator("#services-note")).to_contain_text("2 of 4 work. Real calls made: 2")
        states = panel.locator("#services-status li").evaluate_all(
            "rows => Object.fromEntries(rows.map(({ dataset }) => [dataset.service, dataset.state]))"
        )
        assert states == {"works": "pass", "broken": "fail", "bare": "fail", "bigagi-demo": "pass"}
        # What cannot be called cannot be chosen.
        expect(panel.locator("#service option")).to_have_count(3)
        panel.locator("#service").select_option("works")
        run_all(panel, "Run: AI integration")
        assert [asked.path.split("/")[-1] for asked in provider.asked].count("completions") == 2
        # This one answers nothing that was asked for, and that is found out.
        assert states_of(panel, "ai")["ai"] == "fail"


def call_api(server, path, body):
    content = json.dumps(body).encode()
    return server.sign_in().request("POST", path, content, headers={"Content-Type": "application/json"}).status


def test_requests_and_answers_can_be_looked_at(panel):
    run_all(panel, "Run: Device store")
    card = panel.locator("[data-kind=device]")
    card.get_by_text(
        "7 requests with responses" if panel.locator("#tab-sql").count() else "requests with responses"
    ).click()
    first = card.locator(".st-exchange").first
    expect(first).to_contain_text("POST")
    expect(first).to_contain_text("201")
    first.locator("summary").click()
    expect(first.locator("pre").first).to_contain_text('"localDeviceId"')
    link = first.get_by_role("link")
    assert panel.request.get(link.get_attribute("href")).status == 200


# --- what is broken turns its own verdict red ------------------------------------------------------------------------


def refuse(route):
    route.fulfill(status=418, json={"detail": "no"})


def refuse_deletion(route):
    return refuse(route) if route.request.method == "DELETE" else route.fallback()


def alter(route):
    answer = route.fetch()
    if answer.status != 200:
        return route.fulfill(response=answer)
    return route.fulfill(response=answer, json=answer.json() | {"state": {"localDeviceId": "another"}})


def find_nothing(route):
    route.fulfill(json={"columns": ["version"], "rows": [], "row_count": 0, "is_cut": False, "ms": 1})


def tell_otherwise(route):
    answer = route.fetch()
    if answer.status < 400:
        return route.fulfill(response=answer)
    return route.fulfill(status=answer.status, headers=answer.headers | {"content-type": "text/html"}, body="<h1>No")


def delay(route):
    answer = route.fetch()
    if answer.status == 201:
        route.request.frame.page.wait_for_timeout(2100)
    route.fulfill(response=answer)


def forget_id(route):
    answer = route.fetch()
    route.fulfill(response=answer, headers={k: v for k, v in answer.headers.items() if k != "x-request-id"})


def fail_step(route):
    answer = route.fetch()
    route.fulfill(response=answer, json=answer.json() | {"ok": False})


BROKEN = {
    "status": ("device", "Device store", "**/api/stores", refuse),
    "data": ("device", "Device store", "**/api/stores/*device", alter),
    "sql": ("device", "Device store", "**/sqlite-test/sql", find_nothing),
    "error": ("device", "Device store", "**/api/stores", tell_otherwise),
    "time": ("device", "Device store", "**/api/stores", delay),
    "log": ("device", "Device store", "**/api/stores/*device*", forget_id),
    "ai": ("ai", "AI integration", "**/api/test-ai?stream=false", fail_step),
}


@pytest.mark.parametrize("verdict", by_day(list(BROKEN), each=3))
def test_what_is_broken_turns_its_own_verdict_red(server, panel, verdict):
    kind, title, pattern, act = BROKEN[verdict]
    if verdict == "sql" and "DATABASE_URL" in server.environment:
        pytest.skip("the SQL box is for SQLite")
    panel.route(pattern, act)
    run_all(panel, f"Run: {title}")
    states = states_of(panel, kind)
    # What never came to the server has no line in its log.
    expected = ["status", "log"] if verdict == "status" else [verdict]
    # On a busy machine a request may take too long as well.
    ignored = {"time"} - {verdict}
    assert [name for name, state in states.items() if state == "fail" and name not in ignored] == expected
    expect(panel.locator("#summary")).to_contain_text("0 of 1 passed · 1 failed")
    fault = panel.locator(f"[data-verdict={verdict}] .st-faults")
    for word in ("Where", "Expected", "Actual"):
        expect(fault.get_by_text(word, exact=True).first).to_be_visible()
    # And how to mend it.
    assert len(fault.locator("p").inner_text()) > 30
    panel.unroute_all(behavior="wait")
    assert count_marked(server) == 0


# --- cleaning up -----------------------------------------------------------------------------------------------------


def test_a_stop_cleans_up(server, panel):
    panel.route("**/api/chats/*chat", lambda route: None)
    panel.get_by_role("button", name="Run: Chats").click()
    # The first request on the chat itself is never answered.
    expect(panel.locator("[data-kind=chats] .st-exchange")).not_to_have_count(0)
    assert count_marked(server) == 1
    panel.unroute_all(behavior="ignoreErrors")
    panel.get_by_role("button", name="Stop").locator("visible=true").click()
    panel.locator("html[data-tests=ended]").wait_for()
    expect(panel.locator("[data-kind=chats]")).to_have_attribute("data-state", "stopped")
    expect(panel.locator("#closing")).to_contain_text("Created 1 chat. Everything was deleted")
    assert count_marked(server) == 0


def test_what_a_closed_tab_left_is_found_and_deleted_by_the_next_run(browser, server):
    with open_panel(browser, server) as page:
        page.route("**/api/**", lambda route: None if route.request.method == "DELETE" else route.fallback())
        page.get_by_role("button", name="Run: LLMs").click()
        page.locator("[data-kind=llms] .st-exchange", has_text="-model").first.wait_for(state="attached")
    assert count_marked(server) == 2
    with open_panel(browser, server) as page:
        expect(page.locator("#tests-note")).to_contain_text("Left over from an interrupted run: 1 service.")
        run_all(page, "Run: Labs")
        expect(page.locator("#summary")).to_contain_text("1 of 1 passed")
        expect(page.locator("#closing")).to_contain_text("Everything was deleted")
    assert count_marked(server) == 0


def test_what_cannot_be_deleted_is_told(server, panel):
    panel.route(
        "**/api/stores/*", lambda route: refuse(route) if route.request.method == "DELETE" else route.fallback()
    )
    run_all(panel, "Run: Labs")
    expect(panel.locator("#closing")).to_contain_text("Not deleted: sqlite-test-app-ux-labs (no).")
    assert count_marked(server) == 1
    panel.unroute_all()
    run_all(panel, "Run: Labs")
    expect(panel.locator("#closing")).to_contain_text("Everything was deleted")
    assert count_marked(server) == 0


def test_one_tab_at_a_time(panel):
    panel.route("**/api/chats/*chat", lambda route: None)
    panel.get_by_role("button", name="Run: Chats").click()
    expect(panel.locator("[data-kind=chats] .st-exchange")).not_to_have_count(0)
    other = panel.context.new_page()
    other.goto("/sqlite-test")
    other.get_by_role("button", name="Run: Labs").click()
    expect(other.locator("#tests-note")).to_contain_text("Tests are running in another tab")
    panel.unroute_all(behavior="ignoreErrors")
    panel.get_by_role("button", name="Stop").locator("visible=true").click()
    panel.locator("html[data-tests=ended]").wait_for()
    run_all(other, "Run: Labs")
    expect(other.locator("#summary")).to_contain_text("1 of 1 passed")


# --- the shell -------------------------------------------------------------------------------------------------------


def test_tabs_by_keyboard_and_by_address(panel):
    tabs = panel.get_by_role("tab")
    panel.locator("#tab-tests").focus()
    panel.keyboard.press("ArrowRight")
    expect(panel.locator("#tab-live")).to_be_focused()
    expect(panel.locator("#panel-live")).to_be_visible()
    expect(panel.locator("#panel-tests")).to_be_hidden()
    assert tabs.evaluate_all("tabs => tabs.filter(tab => tab.tabIndex === 0).length") == 1
    panel.keyboard.press("End")
    expect(panel.locator("#tab-benchmark")).to_have_attribute("aria-selected", "true")
    panel.keyboard.press("ArrowRight")
    expect(panel.locator("#tab-tests")).to_be_focused()
    panel.goto("/sqlite-test#benchmark")
    expect(panel.locator("#panel-benchmark")).to_be_visible()
    assert panel.get_by_role("navigation", name="Site").locator("[aria-current=page]").inner_text() == "Inspect"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_phone(browser, server, scheme):
    phone = {"width": 390, "height": 844}
    with open_panel(browser, server, viewport=phone, color_scheme=scheme) as page:
        page.route("**/api/stores", refuse)
        run_all(page, "Run: Device store")
        page.locator(".st-fold").first.locator("summary").first.click()
        for name in ("tests", "live", "benchmark"):
            page.locator(f"#tab-{name}").click()
            page.locator(f"#panel-{name}[data-ready]").wait_for()
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, name


def test_the_page_needs_a_sign_in(server):
    assert Client(server.url).get("/sqlite-test").headers["Location"] == "/sign-in?next=/sqlite-test"
