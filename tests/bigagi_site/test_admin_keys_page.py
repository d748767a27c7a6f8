"""The admin by keyboard alone, and the ways between it, the chat page and home."""

import pytest
from playwright.sync_api import expect

from tests.chats.chat_page import make_chat, open_page

pytestmark = pytest.mark.browser


def test_what_unfold_leaves_to_the_mouse_works_by_keyboard(page, server):
    make_chat(server, "By keyboard", "one", "two")
    page.goto("/admin/chats/conversation/")
    internals = page.get_by_role("button", name="Internals")
    expect(internals).to_have_attribute("aria-expanded", "false")
    expect(page.get_by_role("link", name="Store counters")).to_be_hidden()
    internals.focus()
    page.keyboard.press("Enter")
    expect(internals).to_have_attribute("aria-expanded", "true")
    page.get_by_role("link", name="Store counters").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Internals › Store counters")
    # The group of the page that is open is open.
    expect(page.get_by_role("button", name="Internals")).to_have_attribute("aria-expanded", "true")

    page.goto("/admin/chats/conversation/")
    page.get_by_role("button", name="Filters").focus()
    page.keyboard.press(" ")
    first = page.locator("#changelist-filter a").first
    expect(first).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#changelist-filter")).to_be_hidden()
    page.get_by_role("button", name="owner").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Account")).to_be_visible()

    page.set_viewport_size({"width": 390, "height": 800})
    page.goto("/admin/chats/conversation/")
    page.get_by_role("button", name="Show or hide the navigation").locator("visible=true").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Messages", exact=True)).to_be_visible()


def test_the_admin_the_chat_page_and_home_lead_to_each_other(page, server):
    make_chat(server, "There and back", "one", "two")
    page.goto("/admin/chats/message/?q=There+and+back")
    page.locator("#result_list").get_by_role("link", name="two").click()
    page.get_by_role("link", name="Open on the chat page").click()
    expect(page.locator("#thread-title")).to_have_text("There and back")
    assert page.url.endswith("#There%20and%20back-1")
    open_page(page, page.url)
    page.locator("#chat-menu").click()
    page.get_by_role("menuitem", name="Open in the admin").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Chats › There and back")
    page.locator("#nav-sidebar").get_by_role("link", name="Home", exact=True).click()
    expect(page.locator("[aria-current=page]")).to_have_text("Home")
    page.get_by_role("link", name="Admin", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Dashboard")
