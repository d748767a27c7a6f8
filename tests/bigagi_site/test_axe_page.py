"""Every page by axe's rules for people who cannot see, point or tell colours apart, light and dark; and none of them is
wider than a phone's window."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import Page

from chats.models import GenerationEvents
from tests.chats.chat_page import expect, make_chat, open_page
from tests.nightly import by_day
from tests.rows import all_models
from tests.servers import Server

pytestmark = pytest.mark.browser

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}

NOT_OURS: dict[str, str] = {}
"""Faults of django-unfold 0.91.0, by axe's rule: a selector of the elements that have them."""

ROWS = """
from stores.models import MigrationRun, RunRecord
from tests.rows import all_models, make_row
for model in all_models():
    if not model.objects.exists():
        make_row(model, 1)
MigrationRun.objects.update(status="done", phases=[], counts={}, errors=[], notes=[], certificate=None)
RunRecord.objects.update(run=1, rules=None, parts=None, difference=None, outcome="created")
"""

TEXT = """# A title

A *text* with `code` and a [link](https://example.com).

```python
return 1  # two
```

| a | b |
|---|---|
| 1 | 2 |
"""


IS_DARK = """() => {
    const { dataset, classList } = document.documentElement;
    return dataset.theme !== "system" || classList.contains("dark");
}"""


@pytest.fixture(scope="module")
def filled(server: Server) -> Server:
    """Return the server, with a row of each kind and a chat that has something of everything."""
    made = server.manage("shell", "-v", "0", "-c", ROWS)
    assert made.returncode == 0, made.stderr
    make_chat(server, "A chat", "A question", TEXT, "Another one", TEXT)
    return server


@pytest.fixture
def look(browser: Any, filled: Server) -> Iterator[Callable[..., Page]]:
    """Yield what opens a page of the server, all in one tab, and looks at it with axe."""
    context = browser.new_context(base_url=filled.url, viewport=WIDE, color_scheme="light", reduced_motion="reduce")
    context.add_cookies(
        [{"name": "bigagi_session", "value": filled.sign_in().cookie("bigagi_session"), "url": filled.url}]
    )
    page = context.new_page()
    found: list[str] = []
    seen: set[str] = set()

    def look_at(path: str = "", *, name: str = "", without: str = "", status: int = 200) -> Page:
        name = name or path
        if path:
            answer = page.goto(path)
            assert answer and answer.status == status, name
        found.extend(f"{name}: {fault}" for fault in run_axe(page, without, []))
        page.emulate_media(color_scheme="dark")
        # The page follows the system a moment later.
        page.wait_for_function(IS_DARK)
        # The same elements in other colours.
        found.extend(f"{name}, dark: {fault}" for fault in run_axe(page, without, ["color-contrast"]))
        page.emulate_media(color_scheme="light")
        if path:
            page.set_viewport_size(PHONE)
            if (wide := page.evaluate("document.documentElement.scrollWidth")) > PHONE["width"]:
                found.append(f"{name}: {wide} pixels wide on a phone")
            page.set_viewport_size(WIDE)
        seen.add(name)
        return page

    yield look_at
    context.close()
    assert seen
    assert found == [], "\n".join(found)


def run_axe(page: Page, without: str, rules: list[str]) -> list[str]:
    """Return the violations that are ours: rule, element and how to mend it."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    nodes: list[list[str]] = page.evaluate(
        """async ([without, rules, notOurs]) => {
          const context = without ? { exclude: [without] } : document;
          const options = { resultTypes: ["violations"], ...(rules.length && { runOnly: rules }) };
          const { violations } = await axe.run(context, options);
          const isTheirs = (id, target) => notOurs[id] && document.querySelector(target)?.matches(notOurs[id]);
          return violations.flatMap(({ id, nodes }) =>
            nodes
              .filter(({ target }) => !isTheirs(id, target[0]))
              .map(({ target, html, failureSummary }) => [id, target.join(" "), html, failureSummary]));
        }""",
        [without, rules, NOT_OURS],
    )
    return [
        f"{rule} at {target} {html[:200]} {' '.join(summary.split())[:240]}" for rule, target, html, summary in nodes
    ]


def walk_site(look: Callable[..., Page]) -> None:
    for path in (
        "/",
        "/services",
        "/import",
        "/import/1",
        "/import/1/records/1",
        "/account",
        "/api/docs",
        "/api/docs/five-minutes",
    ):
        look(path)
    look("/nothing-is-here", status=404)
    for path in ("/api/docs/troubleshooting", "/api/docs/database"):
        # Hundreds of cards that are all made alike.
        look(path, without=".card ~ .card")
    page = look("/sqlite-test", name="Inspect")
    for tab in ("tests", "live", "tables", "sql", "benchmark"):
        page.locator(f"#tab-{tab}").click()
        page.locator(f"#panel-{tab}[data-ready]").wait_for()
        look(name=f"Inspect, {tab}", without=".site-header")
    page.context.clear_cookies()
    look("/sign-in")


def walk_chat(look: Callable[..., Page]) -> None:
    page = look("/chat-test")
    open_page(page)
    page.get_by_role("link", name="A chat").first.click()
    expect(page.locator(".msg-assistant")).to_have_count(2)
    look(name="a chat")
    for opener, dialog in (("#model", "#models"), ("#open-usage", "#usage"), ("#open-help", "#help")):
        page.locator(opener).click()
        page.locator(f"{dialog}[open]").wait_for()
        look(name=f"the chat page's {dialog}", without="#thread")
        page.keyboard.press("Escape")
    page.locator("#chat-menu").click()
    look(name="the chat's menu", without="#thread")
    page.get_by_role("menuitem", name="Rename").click()
    page.locator("#ask[open]").wait_for()
    look(name="a question of the chat page", without="#thread")
    page.keyboard.press("Escape")
    look(page.url, name="a chat, opened by its address")


def walk_admin(look: Callable[..., Page]) -> None:
    look("/admin/", name="the dashboard")
    frame = "#nav-sidebar"
    look("/admin/chats/message/?q=nothing", name="an empty list", without=frame)
    for model in by_day(all_models(), each=2):
        folder = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        page = look(folder, without=frame)
        links = page.locator(f"#result_list tbody a[href^='{folder}']")
        # What answers streamed is deleted soon after their end.
        assert links.count() or model is GenerationEvents, folder
        if links.count():
            look(str(links.first.get_attribute("href")), without=frame)


@pytest.mark.parametrize("walk", [walk_site, walk_chat, walk_admin])
def test_axe_finds_no_fault_of_ours(look: Callable[..., Page], walk: Callable[..., None]) -> None:
    walk(look)
