"""What can be done with chats on the page: pinned, duplicated, exported, and several at once."""

import json
import re
import zipfile
from typing import Any

import pytest

from tests.chats.chat_page import api, expect, make_chat, open_page
from tests.chats.test_chat_page_sidebar import choose

pytestmark = pytest.mark.browser

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def row_of(page, title):
    return page.locator("#chats [data-chat]", has_text=title)


def pinned(server):
    return [chat["userTitle"] for chat in api(server, "GET", "/api/chats?pinned=true")["results"]]


def undo(page, text):
    page.locator(".toast", has_text=text).get_by_role("button", name="Undo").click()
    expect(page.locator("#live")).to_have_text("Undone.")


def test_a_chat_is_pinned_duplicated_and_exported(server, page, tmp_path):
    part = {"pt": "image_ref", "dataRef": {"dblobAssetId": "dot"}, "altText": "Dot"}
    image = {"ft": "content", "fId": "f", "part": part}
    data = {"mimeType": "image/png", "base64": PNG}
    api(server, "POST", "/api/assets", {"id": "dot", "assetType": "image", "data": data})
    uid = make_chat(server, "Notes: a/b", "Q", "A **bold** one, https://far.example/x.png", updated=1_000)
    api(server, "POST", f"/api/chats/{uid}/messages", {"role": "assistant", "fragments": [image]})
    make_chat(server, "Newer", "Q")
    open_page(page, f"/chat-test/{uid}")
    page.locator("#chat-menu").click()
    page.get_by_role("menuitem", name="Pin").click()
    expect(page.get_by_role("region", name="Pinned").locator("[data-chat]")).to_have_text(["Notes: a/b"])
    assert pinned(server) == ["Notes: a/b"]
    undo(page, "pinned")
    expect(page.get_by_role("region", name="Pinned")).to_have_count(0)
    choose(page, "Notes: a/b", "Pin")
    expect(page.get_by_role("region", name="Pinned")).to_be_visible()
    page.reload()
    expect(page.get_by_role("region", name="Pinned").locator("[data-chat]")).to_have_text(["Notes: a/b"])

    choose(page, "Notes: a/b", "Duplicate")
    expect(page.locator("#thread-title")).to_have_text("(1) Notes: a/b")
    undo(page, "This is the copy")
    expect(page.locator("#thread-title")).to_have_text("Notes: a/b")
    expect(row_of(page, "(1) Notes")).to_have_count(0)

    def export(kind):
        choose(page, "Notes: a/b", "Export…")
        with page.expect_download() as download:
            page.get_by_role("dialog").get_by_role("button", name=re.compile(f"^{kind}")).click()
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        return path

    assert json.loads(export("JSON").read_text())["id"] == uid
    # Whoever knows which file it shall be types it.
    with page.expect_download() as typed:
        page.keyboard.press("Control+k")
        page.locator("#palette-find").fill("markdown")
        expect(page.locator("#palette .is-active")).to_have_text("Save this chat: Markdown")
        page.keyboard.press("Enter")
    assert typed.value.suggested_filename == "Notes- a-b.md" and "A **bold** one" in typed.value.path().read_text()
    assert zipfile.ZipFile(export("Zip")).testzip() is None
    shared = export("Web page")

    # Read anywhere: nothing is asked for, nothing is refused, the image is there, on a phone and in the dark.
    asked, told = [], []
    context = page.context.browser.new_context(viewport={"width": 390, "height": 700}, color_scheme="dark")
    reader = context.new_page()
    reader.on("request", lambda request: asked.append(request.url))
    reader.on("console", lambda message: told.append(message.text))
    reader.goto(shared.as_uri())
    expect(reader.get_by_role("heading", name="Notes: a/b")).to_be_visible()
    expect(reader.locator("strong", has_text="bold")).to_be_visible()
    assert reader.locator("img").evaluate("image => image.complete && image.naturalWidth") == 1
    assert reader.locator("script, link").count() == 0
    assert reader.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(21, 24, 27)"
    assert reader.evaluate("document.documentElement.scrollWidth <= innerWidth")
    reader.emulate_media(media="print")
    assert reader.evaluate("getComputedStyle(document.querySelector('.turn')).color") == "rgb(35, 38, 43)"
    context.close()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == [] and told == []


def test_several_chats_are_selected_by_mouse_and_by_keyboard(server, page):
    ids = [make_chat(server, f"Several {at}", "Q") for at in range(1, 7)]
    for at, uid in enumerate(ids):
        api(server, "PATCH", f"/api/chats/{uid}", {"updated": 4_000_000_000_000 - at * 1000})
    api(server, "POST", "/api/folders", {"id": "trips", "title": "Trips", "conversationIds": []})
    open_page(page, f"/chat-test/{ids[1]}")
    count = page.locator("#selection-count")
    bar = page.get_by_role("group", name="Selected chats")

    page.get_by_role("button", name="Select chats").click()
    expect(count).to_have_text("None selected")
    row_of(page, "Several 1").get_by_role("link").click()
    row_of(page, "Several 3").get_by_role("link").click(modifiers=["Shift"])
    row_of(page, "Several 2").get_by_role("checkbox").click()
    expect(count).to_have_text("2 selected")
    bar.get_by_role("button", name="Pin").click()
    pins = page.get_by_role("region", name="Pinned").locator("[data-chat]", has_text="Several")
    expect(pins).to_have_text(["Several 1", "Several 3"])
    expect(bar).to_be_hidden()
    undo(page, "2 chats pinned")
    expect(pins).to_have_count(0)

    # By keyboard alone: x, Shift and arrows, and the bar behind the list.
    row_of(page, "Several 2").get_by_role("link").focus()
    page.keyboard.press("x")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Shift+ArrowDown")
    expect(count).to_have_text("3 selected")
    expect(row_of(page, "Several 4").get_by_role("link")).to_be_focused()
    page.keyboard.press("Space")
    expect(count).to_have_text("2 selected")
    bar.get_by_role("button", name="Move to folder").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("button", name="No folder", pressed=True)).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("dialog").get_by_role("button", name="Trips")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#folders .folder-row", has_text="Trips").locator(".folder-count")).to_have_text("2")
    assert api(server, "GET", "/api/folders/trips")["conversationIds"] == ids[1:3]


def test_all_of_a_view_are_deleted_archived_and_exported(server, page):
    ids = [make_chat(server, f"Whole {at}", "Q") for at in (1, 2)]
    api(server, "POST", "/api/folders", {"id": "whole", "title": "Whole", "conversationIds": ids})
    open_page(page, f"/chat-test/{ids[0]}")
    count = page.locator("#selection-count")
    bar = page.get_by_role("group", name="Selected chats")
    # What is deleted takes the open chat along, and one undo brings all back.
    page.locator("#folders .folder-row", has_text="Whole").get_by_role("button").first.click()
    expect(page.locator("#chats [data-chat]")).to_have_count(2)
    row_of(page, "Whole 2").get_by_role("link").focus()
    page.keyboard.press("x")
    page.keyboard.press("Control+a")
    expect(count).to_have_text("2 selected")
    bar.get_by_role("button", name="Delete").click()
    expect(page.locator("#thread-title")).to_have_text("New chat")
    expect(page.locator("#chats [data-chat]")).to_have_count(0)
    undo(page, "2 chats deleted")
    expect(page.locator("#chats [data-chat]")).to_have_count(2)
    expect(page.locator("#thread-title")).to_have_text("Whole 1")

    page.get_by_role("button", name="Select chats").click()
    page.get_by_role("button", name="Select all").click()
    bar.get_by_role("button", name="Archive").click()
    expect(page.locator("#chats [data-chat]")).to_have_count(0)
    undo(page, "2 chats archived")
    expect(page.locator("#chats [data-chat]")).to_have_count(2)
    page.get_by_role("button", name="Select chats").click()
    page.get_by_role("button", name="Select all").click()
    bar.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("dialog").get_by_role("button", name=re.compile("^Markdown")).click()
    names = zipfile.ZipFile(download.value.path()).namelist()
    assert sorted(names) == ["chats/Whole 1.md", "chats/Whole 2.md"]
    # Escape leaves, and the focus stays in the list.
    row_of(page, "Whole 2").get_by_role("link").focus()
    page.keyboard.press("Escape")
    expect(bar).to_be_hidden()
    expect(row_of(page, "Whole 2").get_by_role("link")).to_be_focused()


def test_a_long_press_selects_on_a_phone(server, browser):
    make_chat(server, "Pressed", "Q")
    make_chat(server, "Tapped", "Q")
    phone: dict[str, Any] = {"viewport": {"width": 390, "height": 800}, "has_touch": True, "is_mobile": True}
    context = browser.new_context(base_url=server.url, reduced_motion="reduce", **phone)
    session = server.sign_in().cookie("bigagi_session")
    context.add_cookies([{"name": "bigagi_session", "value": session, "url": server.url}])
    page = context.new_page()
    open_page(page)
    page.get_by_role("button", name="Show the list of chats").tap()
    row_of(page, "Pressed").scroll_into_view_if_needed()
    box = row_of(page, "Pressed").bounding_box()
    touch = context.new_cdp_session(page)
    point = {"x": box["x"] + 60, "y": box["y"] + box["height"] / 2}
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    expect(page.locator("#selection-count")).to_have_text("1 selected")
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    row_of(page, "Tapped").get_by_role("link").tap()
    expect(page.locator("#selection-count")).to_have_text("2 selected")
    page.get_by_role("group", name="Selected chats").get_by_role("button", name="Pin").tap()
    pins = page.get_by_role("region", name="Pinned").locator("[data-chat]", has_text=re.compile("Pressed|Tapped"))
    expect(pins).to_have_count(2)
    assert page.url.endswith("/chat-test")
    undo(page, "2 chats pinned")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()
