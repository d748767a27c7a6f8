"""The list of chats and the folders on the chat page."""

import pytest
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.chats.chat_page import api, expect, make_chat, open_page

pytestmark = pytest.mark.browser


def choose(page, title, item):
    """Take an item of a chat's menu."""
    row = page.locator("#chats .chat-row", has_text=title)
    row.hover()
    row.get_by_role("button").click()
    page.get_by_role("menuitem", name=item, exact=True).click()


def test_chats_are_renamed_archived_and_deleted_and_all_is_taken_back(server, page):
    uid = make_chat(server, "Old name", "Q", "A")
    open_page(page, f"/chat-test/{uid}")
    choose(page, "Old name", "Rename")
    page.get_by_label("Title", exact=True).fill("New name")
    page.keyboard.press("Enter")
    expect(page.locator("#thread-title")).to_have_text("New name")
    expect(page.locator("#chats .is-here")).to_have_text("New name")
    assert api(server, "GET", f"/api/chats/{uid}")["userTitle"] == "New name"

    choose(page, "New name", "Archive")
    expect(page.locator("#chats .chat-row", has_text="New name")).to_have_count(0)
    page.locator("#folders").get_by_role("button", name="Archive").click()
    expect(page.locator("#chats .chat-row", has_text="New name")).to_have_count(1)
    page.locator(".toast", has_text="archived").get_by_role("button", name="Undo").click()
    expect(page.locator("#chats .chat-row", has_text="New name")).to_have_count(0)
    page.locator("#folders").get_by_role("button", name="All chats").click()

    choose(page, "New name", "Delete")
    expect(page.locator("#chats .chat-row", has_text="New name")).to_have_count(0)
    expect(page.locator("#thread-title")).to_have_text("New chat")
    page.locator(".toast", has_text="deleted").get_by_role("button", name="Undo").click()
    expect(page.locator("#chats .chat-row", has_text="New name")).to_have_count(1)
    expect(page.locator("#thread-title")).to_have_text("New name")
    assert len(api(server, "GET", f"/api/chats/{uid}")["messages"]) == 2


def test_chats_are_found_by_title_and_by_text(server, page):
    make_chat(server, "About **whales**", "Q", "They are mammals")
    make_chat(server, "About birds", "Q", "A penguin is no whale, and xylophones are instruments")
    open_page(page)
    page.locator("#scroll").focus()
    page.keyboard.press("f")
    page.keyboard.type("whales")
    expect(page.locator("#chats .chat-row")).to_have_text(["About whales"])
    page.locator("#find").fill("xylophones")
    found = page.locator("#chats .chat-found")
    expect(found).to_contain_text("About birds")
    found.click()
    expect(page.locator("#thread-title")).to_have_text("About birds")
    assert page.url.endswith("#About%20birds-1")
    page.locator("#find").fill("nothing of the kind")
    expect(page.get_by_text("No matching chats")).to_be_visible()


def test_folders_are_made_filled_by_dragging_and_by_menu_named_ordered_and_deleted(server, page):
    dragged, chosen = make_chat(server, "To drag", "Q"), make_chat(server, "To choose", "Q")
    open_page(page)
    for name in ("Work", "Home"):
        page.get_by_role("button", name="New folder").click()
        page.get_by_label("Name", exact=True).fill(name)
        page.keyboard.press("Enter")
        expect(page.locator("#folders")).to_contain_text(name)
    row = page.locator("#folders .folder-row", has_text="Work")
    page.locator("#chats .chat-row", has_text="To drag").drag_to(row)
    expect(row.locator(".folder-count")).to_have_text("1")
    choose(page, "To choose", "Move to folder")
    page.get_by_role("dialog").get_by_role("button", name="Work").click()
    expect(row.locator(".folder-count")).to_have_text("2")
    # Into a folder that is made for it, and that goes with the undo.
    choose(page, "To choose", "Move to folder")
    page.get_by_label("Name of the new folder").fill("Later")
    page.get_by_role("button", name="Move", exact=True).click()
    expect(page.locator(".toast")).to_contain_text("Moved to Later.")
    expect(row.locator(".folder-count")).to_have_text("1")
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.locator("#folders .folder-title")).to_have_text(["All chats", "Work", "Home", "Archive"])
    expect(row.locator(".folder-count")).to_have_text("2")
    row.get_by_role("button", name="Work", exact=False).first.click()
    expect(page.locator("#chats .chat-row")).to_have_count(2)
    folders = api(server, "GET", "/api/folders")["results"]
    assert [(each["title"], each["conversationIds"]) for each in folders] == [("Work", [dragged, chosen]), ("Home", [])]

    def perform(item, of="Work"):
        row = page.locator("#folders .folder-row", has_text=of)
        row.hover()
        row.get_by_role("button", name=f"Actions for the folder {of}").click()
        page.get_by_role("menuitem", name=item).click()

    perform("Colour")
    page.get_by_role("dialog").get_by_role("button", name="Violet").click()
    perform("Move down")
    expect(page.locator("#folders .folder-title")).to_have_text(["All chats", "Home", "Work", "Archive"])
    perform("Rename")
    page.get_by_label("Name", exact=True).fill("Labour")
    page.keyboard.press("Enter")
    expect(page.locator("#folders")).to_contain_text("Labour")
    folders = api(server, "GET", "/api/folders")["results"]
    assert [(each["title"], each["color"]) for each in folders][1] == ("Labour", "#8b5cf6")
    perform("Delete", "Labour")
    expect(page.locator("#folders")).not_to_contain_text("Labour")
    page.locator(".toast", has_text="Folder deleted").get_by_role("button", name="Undo").click()
    expect(page.locator("#folders")).to_contain_text("Labour")


def test_the_list_is_a_drawer_on_a_phone(server, page):
    make_chat(server, "On a phone", "Q", "A " * 300)
    page.set_viewport_size({"width": 390, "height": 800})
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        open_page(page)
        link = page.locator("#chats").get_by_role("link", name="On a phone")
        assert not link.is_visible()
        page.get_by_role("button", name="Show the list of chats").click()
        link.click()
        expect(page.locator("#thread-title")).to_have_text("On a phone")
        expect(link).to_be_hidden()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.locator("#message").fill("What does it cost?")
        expect(page.locator("#estimate")).to_contain_text("free")
        assert page.locator("#estimate").evaluate("box => box.scrollWidth <= box.clientWidth")
        page.get_by_role("button", name="Actions for this chat").click()
        page.get_by_role("menuitem", name="Tokens and cost").click()
        page.get_by_role("dialog", name="Tokens and cost").get_by_role("button", name="Close").click()
        # What is done most often needs no drawer.
        page.get_by_role("link", name="New chat").click()
        expect(page.locator("#thread-title")).to_have_text("New chat")


def test_folders_are_ordered_by_dragging_and_by_keyboard(server, page):
    others = len(api(server, "GET", "/api/folders")["results"])
    for title in ("One", "Two", "Three"):
        api(server, "POST", "/api/folders", {"title": title, "conversationIds": []})
    open_page(page)
    titles = page.locator("#folders .folder-title")

    def order():
        return [each["title"] for each in api(server, "GET", "/api/folders")["results"]][others:]

    def row(title):
        return page.locator("#folders .folder-row", has_text=title)

    height = row("One").bounding_box()["height"]
    # What is read after the first drag comes when the second is just being begun.
    held = []
    page.route("**/api/folders?*", lambda route: held.append(route), times=2)
    with page.expect_response("**/api/folders/order"):
        row("Three").drag_to(row("One"), target_position={"x": 20, "y": height * 0.25})
    expect(titles.nth(others + 1)).to_have_text("Three")
    assert order() == ["Three", "One", "Two"]
    row("Three").hover()
    page.mouse.down()
    for route in held:
        with page.expect_response("**/api/folders?*"):
            route.continue_()
    row("One").hover(position={"x": 20, "y": height * 0.6})
    with page.expect_response("**/api/folders/order"):
        row("One").hover(position={"x": 20, "y": height * 0.75})
        page.mouse.up()
    expect(titles.nth(others + 1)).to_have_text("One")
    assert order() == ["One", "Three", "Two"]
    # The newer note covers the older one.
    expect(page.locator(".toast")).to_have_count(1)
    page.locator(".toast", has_text="reordered").get_by_role("button", name="Undo").click()
    expect(page.locator("#live")).to_have_text("Undone.")
    expect(titles.nth(others + 1)).to_have_text("Three")

    link = row("Two").get_by_role("button").first
    link.focus()
    with page.expect_response("**/api/folders/order"):
        page.keyboard.press("Alt+ArrowUp")
    expect(titles.nth(others + 2)).to_have_text("Two")
    expect(page.locator("#live")).to_contain_text("reordered")
    assert order() == ["Three", "Two", "One"]
    expect(link).to_be_focused()
    with page.expect_response("**/api/folders/order"):
        page.keyboard.press("Alt+ArrowUp")
    assert order() == ["Two", "Three", "One"]


def test_a_thousand_chats_are_listed_and_opened(server, page):
    texts = [{"id": f"m{at}", "role": role, "fragments": [], "created": 1} for at, role in enumerate(["user"])]
    chats = [
        {"id": f"thousand-{at}", "userTitle": f"Thousand {at}", "systemPurposeId": "Generic", "messages": texts}
        | {"created": 1_795_288_299_195 - at * 3_600_000, "updated": 1_795_288_299_195 - at * 3_600_000}
        for at in range(1000)
    ]
    run = api(server, "POST", "/api/migrations", {"conversations": chats})
    while run["status"] in ("pending", "running"):
        page.wait_for_timeout(100)
        run = api(server, "GET", run["href"])
    assert run["status"] == "done", run
    open_page(page)
    rows = page.locator("#chats .chat-row", has_text="Thousand")
    more = page.get_by_role("button", name="Show more")
    expect(rows.first).to_be_visible()
    while more.count():
        count = rows.count()
        try:
            more.focus(timeout=2_000)
        except PlaywrightTimeout:
            # The list goes on by itself, too, once its end is seen.
            continue
        page.keyboard.press("Enter")
        grown = "count => document.querySelectorAll('#chats .chat-row').length >= Math.min(count + 1, 1000)"
        page.wait_for_function(grown, arg=count)
        # Whoever goes on by keyboard goes on from where the list ended.
        assert page.evaluate("Boolean(document.activeElement.closest('#chats'))")
    assert rows.locator("a").all_text_contents() == [f"Thousand {at}" for at in range(1000)]
    rows.last.locator("a").click()
    expect(page.locator("#thread-title")).to_have_text("Thousand 999")
    expect(page.locator("#chats .is-here")).to_have_text("Thousand 999")
    page.locator("#find").fill("thousand 777")
    expect(page.locator("#chats .chat-row")).to_have_text(["Thousand 777"])
