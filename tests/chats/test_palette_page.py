"""The command palette: chats, messages, models, personas, actions and pages from one box."""

import pytest

from tests.chats.chat_page import api, expect, make_chat, open_page
from tests.chats.test_chat_page_faults import sign_in

pytestmark = pytest.mark.browser


def test_all_is_found_and_done_by_keyboard(server, page):
    bridge = make_chat(server, "Stone bridges of Porto", "Q", "Each arch is a xylophone")
    other = make_chat(server, "Bread", "Q")
    api(server, "PATCH", f"/api/chats/{bridge}", {"isArchived": True})
    open_page(page, f"/chat-test/{other}")
    box = page.get_by_role("combobox", name="Find chats, messages, models, personas, actions and pages")
    options = page.locator("#palette [role=option]")
    active = page.locator("#palette .is-active")

    def press(words):
        page.keyboard.press("Control+k")
        expect(box).to_be_focused()
        page.keyboard.type(words)

    # Words in any order, of a chat that the list beside does not have.
    press("porto stone")
    expect(active).to_contain_text("Stone bridges of Porto")
    expect(active).to_contain_text("archived")
    assert active.get_attribute("id") == box.get_attribute("aria-activedescendant")
    page.keyboard.press("Enter")
    expect(page.locator("#thread-title")).to_have_text("Stone bridges of Porto")

    press("xylophone")
    expect(page.get_by_role("group", name="In messages").get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{server.url}/chat-test/{bridge}#Stone%20bridges%20of%20Porto-1")

    press("slow demo")
    expect(page.get_by_role("group", name="Models").get_by_role("option").first).to_have_class("palette-row is-active")
    chosen = active.locator(".palette-name").text_content()
    page.keyboard.press("Enter")
    expect(page.locator("#model-label")).to_have_text(chosen)
    expect(page.locator("#message")).to_be_focused()

    press("dark theme")
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")

    press("renam")
    page.keyboard.press("Enter")
    page.get_by_label("Title", exact=True).fill("Arches")
    page.keyboard.press("Enter")
    expect(page.locator("#thread-title")).to_have_text("Arches")

    press("expo")
    page.keyboard.press("ArrowDown")
    expect(active).to_have_text("Export all chats")
    page.keyboard.press("ArrowUp")
    expect(active).to_have_text("Export this chat")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Export")).to_be_visible()
    page.keyboard.press("Escape")

    # Nothing typed: what was last, and what can be done. Escape leads back to where one was.
    page.locator("#message").focus()
    press("")
    expect(page.get_by_role("group", name="Recent chats")).to_contain_text("Bread")
    expect(page.get_by_role("group", name="Actions", exact=True)).to_contain_text("New chat")
    page.keyboard.type("zzzz qqqq")
    expect(page.locator("#palette-list")).to_have_text("Nothing found.")
    expect(options).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.locator("#message")).to_be_focused()

    press("accoun")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{server.url}/account")


def test_a_persona_and_the_system_prompt_are_reached_by_their_names(server, page):
    poet = api(server, "POST", "/api/personas", {"name": "Poet laureate", "systemPrompt": "Rhyme."})["id"]
    chat = make_chat(server, "Verses", "Q", "A")
    active = page.locator("#palette .is-active")
    shown = page.locator("#persona-name")

    def take(words, text):
        page.keyboard.press("Control+k")
        page.keyboard.type(words)
        expect(active).to_contain_text(text)
        page.keyboard.press("Enter")

    def stored():
        return api(server, "GET", f"/api/chats/{chat}")["systemPurposeId"]

    open_page(page, f"/chat-test/{chat}")
    take("laureate", "Persona: Poet laureate")
    expect(shown).to_have_text("Poet laureate")
    expect(page.locator("#message")).to_be_focused()
    page.get_by_role("button", name="Undo").click()
    expect(shown).to_have_text("Default")
    assert stored() == "Generic"

    # A panel that is open follows. On a phone it lies over the chat.
    take("edit system", "Edit the system prompt")
    field = page.get_by_role("dialog", name="Chat settings").get_by_role("textbox", name="System prompt")
    expect(field).to_be_focused()
    take("laureate", "Persona: Poet laureate")
    expect(field).to_have_value("Rhyme.")
    assert stored() == poet

    page.set_viewport_size({"width": 390, "height": 800})
    open_page(page)
    page.get_by_role("button", name="Search and commands").click()
    page.get_by_role("group", name="Personas").get_by_role("option", name="Persona: Poet laureate").click()
    expect(shown).to_have_text("Poet laureate")
    expect(page.locator("#live")).to_have_text("Persona: Poet laureate.")
    page.get_by_role("button", name="Search and commands").click()
    page.get_by_role("option", name="Edit the system prompt").click()
    expect(field).to_be_focused()
    expect(field).to_have_value("Rhyme.")


def test_enter_before_its_script_is_there_takes_what_stands_first(server, page):
    held = []
    page.route("**/palette.js", lambda route: held.append(route))
    open_page(page, f"/chat-test/{make_chat(server, 'Bread', 'Q')}")
    page.keyboard.press("Control+k")
    page.keyboard.type("dark theme")
    page.keyboard.press("Enter")
    while not held:
        page.wait_for_timeout(20)
    expect(page.locator("html")).not_to_have_attribute("data-theme", "dark")
    held[0].continue_()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.locator("#palette")).to_be_hidden()


def test_a_late_answer_is_not_shown_and_a_failure_is_told(server, browser):
    page, told = sign_in(browser, server)
    make_chat(server, "Early bird", "Q")
    make_chat(server, "Late worm", "Q")
    open_page(page)
    held = []
    page.route("**/chat-parts/find?q=early", lambda route: held.append(route))
    page.keyboard.press("Control+k")
    with page.expect_request("**/chat-parts/find?q=early"):
        page.keyboard.type("early")
    page.locator("#palette-find").fill("worm")
    expect(page.locator("#palette [role=option]")).to_have_text(["Late worm"])
    held.pop().continue_()
    page.wait_for_load_state("networkidle")
    expect(page.locator("#palette [role=option]")).to_have_text(["Late worm"])
    # What the page knows itself is still found.
    page.route("**/chat-parts/find?*", lambda route: route.fulfill(status=500, json={"detail": "The disk is full."}))
    page.locator("#palette-find").fill("bird")
    expect(page.locator("#palette-list")).to_contain_text("The disk is full.")
    expect(page.locator("#palette [role=option]")).to_have_text(["Early bird"])
    # Chromium tells each failed request.
    assert len(told) == 1 and "500" in told[0]


def test_it_opens_by_a_button_on_a_phone(server, page):
    make_chat(server, "For thumbs", "Q")
    page.set_viewport_size({"width": 390, "height": 800})
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        open_page(page)
        page.get_by_role("button", name="Search and commands").click()
        page.locator("#palette-find").fill("thumbs")
        page.get_by_role("option", name="For thumbs").click()
        expect(page.locator("#thread-title")).to_have_text("For thumbs")
        page.get_by_role("button", name="Search and commands").click()
        page.get_by_role("dialog").get_by_role("button", name="Close").click()
        expect(page.locator("#palette")).to_be_hidden()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
