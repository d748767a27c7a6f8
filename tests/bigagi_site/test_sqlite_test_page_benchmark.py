"""The benchmark in the browser: its chart, its table, and who is faster."""

import pytest

from tests.bigagi_site.panel import (
    count_marked,
    expect,
    open_panel,
    save,
)
from tests.nightly import IS_NIGHT

pytestmark = pytest.mark.browser
INK = """canvas => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, at) => at % 4 === 3 && value > 0).length;
}"""


@pytest.fixture
def panel(browser, server):
    with open_panel(browser, server, "benchmark") as page:
        yield page


def measure(page, *sizes, runs=3):
    for box in page.locator("[name=size]").all():
        box.set_checked(int(box.get_attribute("value")) in sizes)
    page.get_by_label("Repetitions").fill(str(runs))
    page.get_by_role("button", name="Measure").click()
    page.locator("html[data-benchmark=ended]").wait_for(timeout=300_000)
    expect(page.locator("#bench-status")).to_have_text("Done.")
    return save(page)


def databases(page):
    return page.evaluate("async () => (await indexedDB.databases()).map(({ name }) => name)")


def test_it_shows_charts_a_table_and_words_and_leaves_nothing(server, panel):
    saved = measure(panel, 1)
    [result] = saved["results"]
    assert (result["mb"], result["runs"]) == (1, 3)
    assert 900_000 < result["bytes"] < 1_100_000
    for work in ("save", "open"):
        assert [len(result["times_ms"][work][side]) for side in ("indexeddb", "api")] == [3, 3]
        canvas = panel.locator(f"#bench-chart-{work}")
        assert canvas.evaluate(INK) > 1000
        assert canvas.get_attribute("role") == "img"
        row = panel.locator(f"[data-mb='1'][data-work={work}]")
        expect(row.locator("td")).to_have_count(6)
    expect(panel.locator("#bench-words li")).to_have_count(2)
    expect(panel.locator("#bench-closing")).to_contain_text("Everything was deleted")
    assert saved["environment"]["browser"]
    assert count_marked(server) == 0
    assert databases(panel) == []
    panel.emulate_media(color_scheme="dark")
    panel.set_viewport_size({"width": 390, "height": 844})
    assert panel.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.skipif(not IS_NIGHT, reason="tried at night (HYPOTHESIS_PROFILE=nightly)")
@pytest.mark.parametrize("size", [10, 100])
def test_saving_one_message_is_faster_than_indexeddb(server, panel, size):
    [result] = measure(panel, size)["results"]
    assert result["save"]["api"]["median_ms"] < result["save"]["indexeddb"]["median_ms"]
    assert count_marked(server) == 0


def test_it_can_be_stopped_and_cleans_up(server, panel):
    panel.get_by_role("button", name="Measure").click()
    expect(panel.locator("#bench-status")).to_contain_text("Fill the server")
    panel.get_by_role("button", name="Stop").locator("visible=true").click()
    panel.locator("html[data-benchmark=ended]").wait_for(timeout=60_000)
    expect(panel.locator("#bench-status")).to_have_text("Stopped.")
    expect(panel.locator("#bench-closing")).to_contain_text("Everything was deleted")
    assert count_marked(server) == 0
    assert databases(panel) == []


def test_what_is_on_its_way_when_it_is_stopped_is_deleted_too(server, panel):
    held = []

    def hold(route):
        if route.request.method == "POST" and not held:
            held.append(route)
        else:
            route.continue_()

    panel.route("**/api/chats", hold)
    panel.get_by_role("button", name="Measure").click()
    expect(panel.locator("#bench-status")).to_contain_text("Fill the server")
    while not held:
        panel.wait_for_timeout(20)
    panel.get_by_role("button", name="Stop").locator("visible=true").click()
    panel.wait_for_timeout(500)
    [route] = held
    route.fulfill(response=route.fetch())
    panel.locator("html[data-benchmark=ended]").wait_for(timeout=60_000)
    expect(panel.locator("#bench-closing")).to_contain_text("Everything was deleted")
    panel.unroute_all(behavior="wait")
    assert count_marked(server) == 0


def test_a_server_that_refuses_is_told(server, panel):
    refusal = {"status": 418, "json": {"detail": "no room"}}
    panel.route("**/api/chats", lambda route: route.fulfill(**refusal))
    panel.get_by_role("button", name="Measure").click()
    panel.locator("html[data-benchmark=ended]").wait_for(timeout=60_000)
    expect(panel.locator("#bench-status")).to_contain_text("Failed: POST /api/chats returned 418: no room")
    panel.unroute_all(behavior="wait")
    assert count_marked(server) == 0
