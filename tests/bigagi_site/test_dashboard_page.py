"""The dashboard in a browser, over a large history: links, themes, widths, charts, new figures by themselves."""

import re
import time

import pytest
from playwright.sync_api import expect

from tests.nightly import by_day
from tests.servers import Server, execute

pytestmark = pytest.mark.browser
EVENTS = 3_000
YEAR_MS = 365 * 86_400_000
COLUMNS = (
    "at, source, service, vendor, model, conversation, message, input_tokens, cache_read_tokens, output_tokens,"
    " estimated, cost_nano_usd, cost_code, price_source, ms_to_first_token, ms_total, outcome, calls, change"
)
WIDE, PHONE = {"width": 1400, "height": 1000}, {"width": 390, "height": 844}

expect.set_options(timeout=20_000)


def insert(server: Server, select: str) -> None:
    execute(server.environment, f"INSERT INTO metrics_usageevent ({COLUMNS}) {select}")


@pytest.fixture(scope="module")
def history(server):
    """Fill the ledger with a year of calls; the last one is five minutes old."""
    end = int(time.time() * 1000) - 300_000
    step = YEAR_MS // EVENTS
    insert(
        server,
        f"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {EVENTS - 1})"
        f" SELECT {end} - i * {step}, 'chat', 'service-' || (i % 9), 'vendor-' || (i % 3),"
        " 'service-' || (i % 9) || '-model-' || (i % 27), 'chat-' || (i % 300), 'message-' || i, 100 + i % 900,"
        " i % 50, 10 + i % 90, 0, CASE WHEN i % 40 = 7 THEN NULL ELSE 1000000 + i END,"
        " CASE WHEN i % 40 = 7 THEN 'no-pricing' ELSE '' END, 'model', 200 + i % 700, 900 + i % 9000,"
        " CASE WHEN i % 50 = 3 THEN 'timeout' ELSE 'done' END, 1, '' FROM n",
    )
    return server


@pytest.fixture
def board(browser, history):
    """Yield what opens the dashboard; errors of the page fail the test."""
    contexts, errors = [], []

    def open_board(path: str = "/admin/", **options):
        context = browser.new_context(base_url=history.url, **({"viewport": WIDE} | options))
        contexts.append(context)
        session = history.sign_in().cookie("bigagi_session")
        context.add_cookies([{"name": "bigagi_session", "value": session, "url": history.url}])
        page = context.new_page()
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(path)
        return page

    yield open_board
    for context in contexts:
        context.close()
    # Chromium tells of each answer that a test has let fail.
    assert [error for error in errors if "status of 503" not in error] == []


def is_painted(page, name: str) -> bool:
    """Tell whether a chart's canvas has more than one colour."""
    script = """(figure) => {
      const canvas = figure.querySelector("canvas");
      const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
      return new Set(new Uint32Array(pixels.buffer)).size > 3;
    }"""
    return page.locator(f"[data-card=chart-{name}]").evaluate(script)


def card(page, name: str):
    return page.locator(f"[data-card={name}]")


def wait_for_statistics(page) -> None:
    expect(page.locator("[data-finding]")).to_have_count(0, timeout=60_000)


def test_every_link_leads_to_a_list_that_is_there(board, history):
    page = board("/admin/?span=90")
    wait_for_statistics(page)
    for details in page.locator("[data-dashboard] details").all():
        details.evaluate("details => (details.open = true)")
    addresses = page.locator("[data-dashboard] a[href]").evaluate_all("links => links.map((link) => link.href)")
    client = history.sign_in()
    seen = {address.removeprefix(history.url).partition("#")[0] for address in addresses}
    assert len(seen) > 60
    # Periods of a chart lead to the same list; one of each kind is enough.
    kinds = {re.sub(r"\d{4}-\d\d-\d\d", "DAY", address): address for address in sorted(seen)}
    for address in kinds.values():
        answer = client.get(address)
        assert answer.status == 200, address
    # What a number counts is what its list shows.
    failed = card(page, "figures").get_by_role("link", name="failed")
    count = int(re.sub(r"\D", "", failed.inner_text()))
    failed.click()
    expect(page.locator("#result_list tbody tr").first).to_be_visible()
    assert min(count, 100) == page.locator("#result_list tbody tr").count()
    assert page.get_by_text("timeout").count() >= min(count, 100)


@pytest.mark.parametrize(
    ("theme", "size"), by_day([("light", WIDE), ("light", PHONE), ("dark", WIDE), ("dark", PHONE)], each=3)
)
def test_it_is_whole_in_both_themes_and_widths(board, theme, size):
    page = board(color_scheme=theme, viewport=size)
    wait_for_statistics(page)
    for name in ("spending", "tokens"):
        expect(card(page, f"chart-{name}").locator("canvas")).to_be_visible()
        page.wait_for_function("() => document.querySelector('canvas').width > 0")
        page.wait_for_timeout(300)
        assert is_painted(page, name)
    wide, window = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert wide <= window
    ground, ink = page.locator(".board-number").first.evaluate(
        "(number) => [getComputedStyle(number.closest('.bigagi-card')).backgroundColor, getComputedStyle(number).color]"
    )
    assert (lightness(ground) > lightness(ink)) == (theme == "light")


def lightness(color: str) -> float:
    """Return how light a CSS colour is; unfold gives them as rgb or oklch."""
    numbers = [float(number) for number in re.findall(r"[\d.]+", color)]
    return numbers[0] if color.startswith(("oklch", "lab", "oklab")) else sum(numbers[:3]) / 765


def test_a_chart_says_the_same_as_its_table(board):
    page = board()
    figure = card(page, "chart-tokens")
    figure.locator("summary").click()
    chart = figure.locator("canvas").evaluate(
        "(canvas) => window.Chart.getChart(canvas).data.datasets.map(({ label, data }) => [label, data])"
    )
    table = figure.locator("table")
    heads = table.locator("thead th").all_inner_texts()[1:]
    rows = table.locator("tbody tr").evaluate_all(
        "rows => rows.map((row) => [...row.querySelectorAll('td')].map((cell) => Number(cell.dataset.value)))"
    )
    assert [label for label, _ in chart] == heads == ["input", "cached", "output"]
    assert [list(column) for column in zip(*rows, strict=True)] == [data for _, data in chart]
    assert len(rows) == 30 and any(rows[-2])
    assert page.get_by_role(
        "img", name=re.compile("Input, cached and output tokens: .* in the past 30 days")
    ).is_visible()


def test_a_new_call_shows_by_itself(board, history):
    page = board()
    wait_for_statistics(page)
    calls = card(page, "figures").locator("section", has=page.locator("#calls")).locator(".board-number")
    before = int(calls.inner_text().replace(",", ""))
    at = int(time.time() * 1000)
    insert(
        history,
        f"SELECT {at}, 'chat', 'new-service', 'v', 'new-model', '', '', 5, 0, 5, 0, 990000000000, '', 'user', 100, 200,"
        " 'done', 1, ''",
    )
    expect(calls).to_have_text(f"{before + 1:,}", timeout=30_000)
    expect(card(page, "models").get_by_role("link", name="new-model")).to_be_visible()
    page.wait_for_function(
        "() => window.Chart.getChart(document.querySelector('[data-card=chart-spending] canvas'))"
        ".data.datasets.some(({ label }) => label === 'new-service')"
    )


def test_an_opened_table_stays_open_while_figures_come(board, history):
    page = board()
    wait_for_statistics(page)
    figure = card(page, "chart-tokens")
    figure.locator("summary").click()
    page.mouse.click(5, 5)
    page.evaluate("document.activeElement.blur()")
    values = "'chat', 's', 'v', 'm', '', '', 777000000, 0, 5, 0, 1, '', 'user', 1, 2, 'done', 1, ''"
    insert(history, f"SELECT {int(time.time() * 1000)}, {values}")
    expect(figure.locator("tbody tr").last).to_contain_text("777M", timeout=30_000)
    assert figure.locator("details").evaluate("details => details.open")


def test_counting_anew_asks_first_and_can_be_undone(board):
    page = board()
    counting = card(page, "figures").locator("section", has=page.locator("#counting"))
    expect(counting.locator("h2")).to_have_text("All time")
    counting.get_by_role("button", name="Reset the count").click()
    dialog = page.get_by_role("dialog", name="Reset the count?")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()
    expect(counting.locator("h2")).to_have_text("All time")
    counting.get_by_role("button", name="Reset the count").click()
    dialog.get_by_role("button", name="Reset", exact=True).click()
    expect(counting.locator("h2")).to_contain_text("Since 20")
    expect(counting.locator(".board-number")).to_have_text("$0.00")
    expect(counting).to_contain_text("All time: $")
    with page.expect_navigation():
        page.get_by_role("button", name="Undo").click()
    page.goto("/admin/")
    expect(counting.locator("h2")).to_have_text("All time")


def test_a_budget_is_set_warned_of_and_removed(board):
    page = board()
    budget = card(page, "figures").locator("section", has=page.locator("#budget"))
    for usd, words in (("1000000", " of $1,000,000.00"), ("0.01", "over budget")):
        budget.get_by_role("button", name="Set a budget").click()
        dialog = page.get_by_role("dialog", name="Monthly budget")
        dialog.get_by_label("USD per month").fill(usd)
        dialog.get_by_role("button", name="Set").click()
        expect(budget).to_contain_text(words)
        expect(budget.locator("meter")).to_have_count(1)
    budget.get_by_role("button", name="Set a budget").click()
    dialog = page.get_by_role("dialog", name="Monthly budget")
    dialog.get_by_label("USD per month").fill("much")
    dialog.get_by_role("button", name="Set").click()
    expect(page.get_by_text("Budget: Enter a number.")).to_be_visible()
    budget.get_by_role("button", name="Set a budget").click()
    dialog.get_by_label("USD per month").fill("")
    dialog.get_by_role("button", name="Set").click()
    expect(budget.locator("meter")).to_have_count(0)


def look_again(page) -> None:
    """Do what comes of a look at the page after a while: it does not wait to ask for new figures."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_figures_that_are_old_say_so(board):
    page = board()
    wait_for_statistics(page)
    page.route("**/admin/dashboard*", lambda route: route.fulfill(status=503, body=""))
    look_again(page)
    expect(page.locator("[data-dashboard][data-stale]")).to_have_count(1, timeout=30_000)
    page.unroute("**/admin/dashboard*")
    look_again(page)
    expect(page.locator("[data-dashboard][data-stale]")).to_have_count(0, timeout=30_000)


def test_an_alarm_is_told_once(board):
    """A screen reader reads what has the role of an alert as often as it comes anew."""
    page = board()
    roles = page.evaluate(
        """async () => {
          const url = document.querySelector("script[src*='dashboard/page']").src;
          const { replaceCards } = await import(url.replace(/page[^/]*$/, "refresh.js"));
          const board = document.createElement("main");
          const page = document.createElement("main");
          const show = (text, age) => {
            page.innerHTML = `<div data-card="a"><p role="alert">${text}</p>${age}</div>`;
            replaceCards(board, page);
            return board.querySelector("p").getAttribute("role");
          };
          board.innerHTML = '<div data-card="a"></div>';
          return [show("a gap", 1), show("a gap", 2), show("a gap", 3), show("another", 4), show("another", 5)];
        }"""
    )
    assert roles == ["alert", None, None, "alert", None]
