"""Files that go with a message on the chat page, the choice of a model, and what the page tells of costs."""

import pytest

from tests.chats.chat_page import api, ask, expect, last_answer, make_chat, open_page, pick_model, wait_for_answer
from tests.chats.test_conversation_page import HEIGHT, WIDTH, make_png

pytestmark = pytest.mark.browser


def test_texts_and_images_go_along_in_big_agis_shapes(server, page):
    uid = make_chat(server, "files")
    open_page(page, f"/chat-test/{uid}")
    png = make_png()
    page.locator("#files").set_input_files(
        [
            {"name": "notes.md", "mimeType": "text/markdown", "buffer": "# Été\n".encode()},
            {"name": "script.py", "mimeType": "text/x-python", "buffer": b"print(1)\n"},
            {"name": "red.png", "mimeType": "image/png", "buffer": png},
        ]
    )
    expect(page.locator("#clips .clip")).to_have_count(3)
    page.get_by_role("button", name="Remove script.py").click()
    expect(page.locator("#clips .clip")).to_have_count(2)
    ask(page, "Look at these", "Demo")
    wait_for_answer(page)
    expect(page.locator("#clips .clip")).to_have_count(0)
    expect(last_answer(page)).to_contain_text("1 image")
    question = page.locator(".msg-user")
    expect(question.locator("summary")).to_have_text("Document: notes.md")
    image = question.get_by_role("img", name="red.png")
    page.wait_for_function("() => document.querySelector('.picture img').complete")
    assert image.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [WIDTH, HEIGHT]

    fragments = api(server, "GET", f"/api/chats/{uid}")["messages"][0]["fragments"]
    assert [(each["ft"], each["part"]["pt"]) for each in fragments] == [
        ("content", "text"),
        ("attachment", "doc"),
        ("attachment", "reference"),
    ]
    doc = fragments[1]["part"]
    assert (doc["vdt"], doc["data"]["mimeType"], doc["ref"]) == ("text/plain", "text/markdown", "notes-md")
    assert doc["data"] == {"idt": "text", "text": "# Été\n", "mimeType": "text/markdown"}
    old = fragments[2]["part"]["_legacyImageRefPart"]
    assert (old["width"], old["height"], old["dataRef"]["bytesSize"]) == (WIDTH, HEIGHT, len(png))
    asset = api(server, "GET", f"/api/assets/{old['dataRef']['dblobAssetId']}")
    assert (asset["assetType"], asset["scopeId"], asset["metadata"]) == (
        "image",
        "app-chat",
        {"width": WIDTH, "height": HEIGHT},
    )


REFUSED = [
    ("movie.mp4", b"x", "only PDF, Word"),
    ("empty.txt", b"", "it is empty"),
    ("binary.txt", b"\xff\xfe\x00", "not UTF-8 text"),
    ("fake.png", b"not an image", "the image cannot be read"),
    ("huge.log", b"x" * (10 * 2**20 + 1), "the limit is 10 MiB"),
]


def test_what_cannot_go_is_refused_in_words_one_after_the_other(server, page):
    open_page(page)
    mime_types = ["image/png" if name.endswith("png") else "application/octet-stream" for name, _, _ in REFUSED]
    files = [
        {"name": name, "mimeType": mime_type, "buffer": content}
        for (name, content, _), mime_type in zip(REFUSED, mime_types, strict=True)
    ]
    page.locator("#files").set_input_files(files)
    for name, _, why in reversed(REFUSED):
        expect(page.locator("#toasts")).to_contain_text(f"{name} cannot be attached")
        expect(page.locator("#toasts")).to_contain_text(why)
        page.get_by_role("button", name="Dismiss").click()
    expect(page.locator(".toast")).to_have_count(0)
    expect(page.locator("#clips .clip")).to_have_count(0)


def test_images_open_in_place_by_click_and_by_keys(server, page):
    uid = make_chat(server, "images")
    for at in range(2):
        open_page(page, f"/chat-test/{uid}")
        file = {"name": f"{at}.png", "mimeType": "image/png", "buffer": make_png()}
        page.locator("#files").set_input_files(file)
        expect(page.locator("#clips .clip")).to_have_count(1)
        ask(page, "An image", "Demo")
        wait_for_answer(page)
    first, second = page.locator(".picture a:has(img)").all()
    box = page.locator("#lightbox")
    first.click()
    expect(box.get_by_role("heading")).to_have_text("0.png")
    assert page.locator("#lightbox-picture").evaluate("image => image.decode().then(() => image.naturalWidth)") == WIDTH
    expect(page.locator("#lightbox-count")).to_have_text("1 of 2")
    page.keyboard.press("ArrowRight")
    expect(box.get_by_role("heading")).to_have_text("1.png")
    box.get_by_role("button", name="Next image").click()
    expect(box.get_by_role("heading")).to_have_text("0.png")
    with page.expect_download() as download:
        box.get_by_role("link", name="Download").click()
    assert download.value.path().read_bytes().startswith(b"\x89PNG")
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    expect(first).to_be_focused()
    second.focus()
    page.set_viewport_size({"width": 390, "height": 800})
    page.keyboard.press("Enter")
    expect(page.locator("#lightbox-count")).to_have_text("2 of 2")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    box.get_by_role("button", name="Close").click()
    expect(box).to_be_hidden()


def test_text_files_are_dropped(server, page):
    open_page(page)
    page.evaluate(
        """() => {
            const data = new DataTransfer();
            data.items.add(new File(["a,b"], "table.csv", { type: "text/csv" }));
            const event = (name) => new DragEvent(name, { dataTransfer: data, bubbles: true, cancelable: true });
            document.getElementById("scroll").dispatchEvent(event("dragenter"));
            document.getElementById("scroll").dispatchEvent(event("drop"));
        }"""
    )
    expect(page.locator("#clips")).to_contain_text("table.csv")
    expect(page.locator("#send")).to_be_enabled()


def test_an_image_is_pasted(server, page):
    open_page(page)
    page.locator("#message").focus()
    page.evaluate(
        """bytes => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], "image.png", { type: "image/png" }));
            const event = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
            document.getElementById("message").dispatchEvent(event);
        }""",
        list(make_png()),
    )
    expect(page.locator("#clips .clip")).to_contain_text("image.png")
    expect(page.locator("#clips img")).to_be_visible()
    assert page.locator("#message").input_value() == ""


def test_models_of_services_show_their_price_and_why_they_cannot_be_called(server, page):
    service = {"id": "openai-9", "label": "My OpenAI", "vId": "openai", "setup": {}}
    model = {
        **{"id": "openai-9-gpt-9", "label": "GPT nine", "sId": "openai-9", "vId": "openai", "hidden": False},
        **{"contextTokens": 400_000, "maxOutputTokens": 1000, "interfaces": ["oai-chat", "oai-chat-vision"]},
        "pricing": {"chat": {"input": 1.25, "output": 10}},
        **{"created": 1, "description": "", "parameterSpecs": [], "initialParameters": {"llmRef": "gpt-9"}},
    }
    api(server, "POST", "/api/llms", {"services": [service], "llms": [model]})
    open_page(page)
    page.locator("#model").click()
    page.get_by_label("Find a model").fill("nine")
    row = page.get_by_role("option", name="GPT nine")
    expect(row).to_contain_text("400k context · images · $1.25 / $10")
    expect(page.locator("#models-list")).to_contain_text("has no API key")
    expect(row).to_have_attribute("aria-disabled", "true")
    page.keyboard.press("Enter")
    expect(page.locator("#models")).to_be_visible()


def test_a_model_is_taken_though_the_list_is_made_anew_while_the_button_is_down(server, page):
    open_page(page)
    waiting = []
    page.route("**/chat-parts/models", lambda route: waiting.append(route))
    page.locator("#model").click()
    page.get_by_label("Find a model").fill("Demo slow")
    page.get_by_role("option", name="Demo slow").first.hover()
    page.mouse.down()
    model = {
        **{"id": "openai-8-gpt-8", "label": "GPT eight", "sId": "openai-8", "vId": "openai", "hidden": False},
        **{"created": 1, "description": "", "parameterSpecs": [], "initialParameters": {"llmRef": "gpt-8"}},
    }
    service = {"id": "openai-8", "label": "Another OpenAI", "vId": "openai", "setup": {}}
    api(server, "POST", "/api/llms", {"services": [service], "llms": [model]})
    with page.expect_response("**/chat-parts/models") as told:
        waiting[0].continue_()
    told.value.finished()
    page.wait_for_timeout(200)
    page.mouse.up()
    expect(page.locator("#models")).to_be_hidden()
    expect(page.locator("#model-label")).to_have_text("Demo slow")


def test_the_panel_sums_the_chat_and_the_day_and_follows_the_calls(server, page):
    open_page(page, f"/chat-test/{make_chat(server, 'summing')}")
    ask(page, "Count me", "Demo fast")
    wait_for_answer(page)
    page.get_by_role("button", name="Tokens and cost").click()
    row = page.locator("#usage-body table").first.locator("tbody tr")
    expect(row).to_contain_text("Demo (not an AI)")
    expect(row.locator("td").first).to_have_text("1")
    expect(row.locator("td").last).to_have_text("free")
    # It stands beside the chat, which goes on.
    ask(page, "Count me again")
    expect(row.locator("td").first).to_have_text("2")
    wait_for_answer(page)
    page.locator("#usage").get_by_role("button", name="Close").focus()
    page.keyboard.press("Escape")
    expect(page.locator("#usage")).to_be_hidden()
    summary = last_answer(page).locator(".figures summary")
    summary.click()
    expect(last_answer(page).locator(".figures dl")).to_contain_text("New input")


def test_the_page_is_used_by_keyboard_alone(server, page):
    open_page(page, f"/chat-test/{make_chat(server, 'keys', 'Q', 'A')}")
    # Past the list of chats.
    page.locator(".skip-link").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#scroll")).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("k")
    expect(last_answer(page)).to_be_focused()
    page.keyboard.press("s")
    expect(last_answer(page).locator("[data-act=star]")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("/")
    expect(page.locator("#message")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_label("Message text")).to_have_value("Q")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+m")
    pick = page.get_by_label("Find a model")
    expect(pick).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+b")
    expect(page.locator("#side")).to_have_attribute("inert", "")
    page.keyboard.press("Control+b")
    pick_model(page, "Demo slow")
