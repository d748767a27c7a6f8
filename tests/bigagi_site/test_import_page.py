"""The page of imports in a browser: files are dropped, looked at before anything is written, imported, and told."""

import pytest

from tests.chats.chat_page import expect
from tests.stores.imports import continued, make_chats, write_backup

pytestmark = pytest.mark.browser

KEY = "sk-proj-abcdefghijklmnop1234"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return a folder with backups of two browsers: one chat went on in both of them, differently."""
    folder = tmp_path_factory.mktemp("files")
    chats = make_chats(60, 3)
    write_backup(folder / "first.json", chats[:59])
    write_backup(folder / "later.json", [continued(chats[0], "What of Lisbon?")])
    write_backup(folder / "other.json", [continued(chats[0], f"What of Porto, with {KEY}?"), *chats[1:], {"odd": 1}])
    (folder / "none.json").write_text('{"odd": 1}')
    return folder


def open_import(page):
    page.goto("/import")
    page.locator("[data-box][data-ready]").wait_for()


@pytest.fixture
def loud_page(browser, server):
    """Yield a page in whose console errors are no fault: a file that is refused is one."""
    context = browser.new_context(base_url=server.url)
    session = server.sign_in().cookie("bigagi_session")
    context.add_cookies([{"name": "bigagi_session", "value": session, "url": server.url}])
    yield context.new_page()
    context.close()


def test_files_are_previewed_and_imported_in_their_order(loud_page, files):
    page = loud_page
    open_import(page)
    expect(page.get_by_text("No imports yet.")).to_be_visible()
    # Several at once: each is previewed, what is no backup is refused in words, and the others are imported in order.
    chosen = [files / name for name in ("first.json", "none.json", "later.json")]
    page.locator("[data-file]").set_input_files(chosen)
    button = page.get_by_role("button", name="Import these 2 files")
    expect(button).to_be_visible(timeout=60_000)
    lines = page.locator("[data-files] > li")
    expect(lines.nth(0)).to_contain_text("New: 59 chats")
    expect(lines.nth(1)).to_contain_text("none.json is not a big-AGI file")
    expect(lines.nth(1).get_by_role("button", name="Try again")).to_be_visible()
    assert page.request.get("/api/chats").json()["results"] == []
    button.press("Enter")
    expect(lines.nth(2)).to_contain_text("all here, verified", timeout=60_000)
    expect(page.locator("[data-runs]")).to_contain_text("later.json")


def test_a_conflict_is_looked_at_and_an_import_is_taken_back(page, files):
    # One file leads to the page of its preview: the sentence, the numbers, the lists in pages, a conflict side by side.
    open_import(page)
    page.locator("[data-file]").set_input_files(files / "other.json")
    page.wait_for_url("**/import/*")
    expect(page.locator("[data-proof]")).to_contain_text("Of these in conflict: 1 chat. Nothing has been imported yet.")
    expect(page.get_by_text("The file contains 1 API key in plain text")).to_be_visible()
    expect(page.get_by_text("quarantined")).to_be_visible()
    page.get_by_role("link", name="Next").click()
    expect(page.locator(".run-records").first).to_contain_text("New")
    page.get_by_role("link", name="In conflict 1").press("Enter")
    expect(page.locator("#records")).to_be_focused()
    page.locator(".run-records a").press("Enter")
    difference = page.locator(".difference")
    expect(difference).to_contain_text("What of Lisbon?")
    expect(difference).to_contain_text("What of Porto, with bigagi-secret:")
    assert KEY not in page.content()
    left, right = (difference.locator(f".bigagi-side:has({tag})").last.bounding_box() for tag in ("del", "ins"))
    assert left["y"] == right["y"] and left["x"] < right["x"]
    page.go_back()

    # Another strategy is previewed without sending the file again; then what was previewed is imported, and followed.
    page.locator("#strategy").select_option("theirs")
    page.get_by_role("button", name="Preview again").click()
    page.wait_for_url("**/import/6")
    expect(page.locator("[data-proof]")).to_contain_text("Nothing has been imported yet.")
    expect(page.locator("#strategy")).to_have_value("theirs")
    page.get_by_role("button", name="Import this").click()
    page.wait_for_url("**/import/7")
    expect(page.locator("[data-proof]")).to_contain_text("60 chats", timeout=60_000)
    expect(page.get_by_role("link", name="See your chats")).to_be_visible()
    expect(page.get_by_role("link", name="the preview before it")).to_have_attribute("href", "/import/6")
    # It is taken back, by a run that says so, and what it had brought is gone.
    assert page.request.get("/api/chats?count=1").json()["count"] == 60
    page.get_by_text("Undo this import").click()
    page.get_by_role("button", name="Undo", exact=True).press("Enter")
    page.wait_for_url("**/import/8")
    expect(page.locator("[data-proof]")).to_contain_text("taken back", timeout=60_000)
    expect(page.get_by_role("link", name="Taken away 2")).to_be_visible()
    assert page.request.get("/api/chats?count=1").json()["count"] == 59
    page.get_by_role("link", name="the import that it takes back").click()
    expect(page.get_by_text("Taken back", exact=True)).to_be_visible()
    # The chat tells where it comes from.
    page.goto("/admin/chats/conversation/?run=3")
    page.locator("#result_list tbody a").first.click()
    expect(page.locator(".chat-facts").first).to_contain_text("from “first.json”")


def test_a_preview_that_nobody_wants_is_discarded(page, files):
    open_import(page)
    page.locator("[data-file]").set_input_files(files / "first.json")
    page.wait_for_url("**/import/*")
    page.get_by_role("button", name="Discard").press("Enter")
    page.wait_for_url("**/import")
    expect(page.locator("[data-runs]")).not_to_contain_text("Nothing has been imported yet.")


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_wider_than_the_window(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    for path in ("/import", "/import/5", "/import/5?show=conflicting"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.locator(".run-records a").first.click()
    page.locator(".difference").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
