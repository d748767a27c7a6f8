"""Documents on the chat page: what was read is shown before it is sent, by mouse, keyboard and on a phone."""

import pytest

from tests.chats.chat_page import api, ask, expect, last_answer, make_chat, open_page, wait_for_answer
from tests.chats.documents import make_docx, make_encrypted_pdf, make_pdf

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser, server):
    """Yield a signed-in page. Its console counts a document that is refused, or not sent, among errors."""
    context = browser.new_context(base_url=server.url)
    session = server.sign_in().cookie("bigagi_session")
    context.add_cookies([{"name": "bigagi_session", "value": session, "url": server.url}])
    opened = context.new_page()
    errors = []
    opened.on("console", lambda message: errors.append(message) if message.type == "error" else None)
    opened.on("pageerror", lambda error: errors.append(error))
    yield opened
    context.close()
    assert [error for error in errors if "/api/documents/text" not in str(getattr(error, "location", ""))] == []


PDF = {"name": "porto.pdf", "mimeType": "application/pdf", "buffer": make_pdf("Six bridges", "", "Over the Douro")}


def test_documents_are_read_shown_and_sent(server, page):
    uid = make_chat(server, "documents")
    open_page(page, f"/chat-test/{uid}")
    html = b"<h1>Gaia</h1><p>Across the river.</p>"
    page.locator("#files").set_input_files(
        [
            PDF,
            {"name": "notes.docx", "mimeType": "", "buffer": make_docx("# Notes", "One more")},
            {"name": "gaia.html", "mimeType": "text/html", "buffer": html},
            {"name": "locked.pdf", "mimeType": "application/pdf", "buffer": make_encrypted_pdf()},
            {"name": "scan.pdf", "mimeType": "application/pdf", "buffer": make_pdf("")},
        ]
    )
    clips = page.locator("#clips .clip")
    expect(page.locator("#toasts")).to_contain_text("scan.pdf cannot be attached: it has no text")
    expect(clips).to_have_count(3)
    expect(clips.nth(0)).to_contain_text("3 pages, 9 words")
    expect(clips.nth(0)).to_contain_text("Page 2 has no text")
    expect(clips.nth(1)).to_contain_text("3 words")

    # By keyboard alone: the text, and of a page its source.
    page.get_by_role("button", name="porto.pdf").first.focus()
    page.keyboard.press("Enter")
    sheet = page.get_by_role("dialog", name="porto.pdf")
    expect(sheet.locator("pre")).to_contain_text("[Page 3]\nOver the Douro")
    expect(sheet.locator("li")).to_have_text("Page 2 has no text; images and scans have none.")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="gaia.html").first.click()
    page.get_by_role("button", name="Attach the HTML source instead").click()
    expect(page.get_by_role("dialog", name="gaia.html").locator("pre")).to_have_text(html.decode())
    page.keyboard.press("Escape")
    expect(clips.nth(2)).to_contain_text("HTML source")

    ask(page, "Summarize these", "Demo")
    wait_for_answer(page)
    expect(clips).to_have_count(0)
    expect(last_answer(page)).to_be_visible()
    fragments = api(server, "GET", f"/api/chats/{uid}")["messages"][0]["fragments"][1:]
    assert [fragment["title"] for fragment in fragments] == ["porto.pdf", "notes.docx", "gaia.html"]
    pdf, docx, source = (fragment["part"] for fragment in fragments)
    assert pdf == {
        **{"pt": "doc", "vdt": "text/plain", "ref": "porto-pdf", "l1Title": "porto.pdf", "version": 1},
        "data": {
            **{"idt": "text", "mimeType": "text/plain"},
            "text": "[Page 1]\nSix bridges\n\n[Page 3]\nOver the Douro",
        },
        "meta": {"srcFileName": "porto.pdf", "srcFileSize": len(PDF["buffer"]), "srcOcrFrom": "pdf"},
    }
    assert (docx["vdt"], docx["data"]["mimeType"], docx["data"]["text"]) == (
        *("text/plain", "text/markdown", "# Notes\n\nOne more"),
    )
    assert (source["vdt"], source["data"]["mimeType"], source["data"]["text"]) == (
        *("application/vnd.agi.code", "text/html", html.decode()),
    )


def test_a_message_waits_for_what_is_read_and_a_lost_network_loses_no_file(server, page):
    """On a phone, dropped while the server is slow, then not reached at all."""
    page.set_viewport_size({"width": 390, "height": 844})
    uid = make_chat(server, "waiting")
    open_page(page, f"/chat-test/{uid}")
    held = []
    page.route("**/api/documents/text*", lambda route: held.append(route))
    page.evaluate(
        """bytes => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], "porto.pdf", { type: "application/pdf" }));
            const event = (name) => new DragEvent(name, { dataTransfer: data, bubbles: true, cancelable: true });
            document.getElementById("scroll").dispatchEvent(event("dragenter"));
            document.getElementById("scroll").dispatchEvent(event("drop"));
        }""",
        list(PDF["buffer"]),
    )
    clip = page.locator("#clips .clip")
    expect(clip).to_contain_text("Reading…")
    while not held:
        page.wait_for_timeout(20)
    held.pop().abort()
    expect(clip).to_contain_text("Cannot reach the server")
    page.locator("#message").fill("What is in it?")
    page.locator("#send").click()
    expect(page.locator("#toasts")).to_contain_text("Not sent: porto.pdf could not be read")
    expect(page.locator("#message")).to_have_value("What is in it?")
    page.get_by_role("button", name="porto.pdf").first.click()
    while not held:
        page.wait_for_timeout(20)
    page.locator("#send").click()
    expect(page.locator(".msg-assistant")).to_have_count(0)
    held.pop().continue_()
    expect(page.locator(".msg-assistant")).to_have_count(1)
    wait_for_answer(page)
    texts = [fragment["part"]["pt"] for fragment in api(server, "GET", f"/api/chats/{uid}")["messages"][0]["fragments"]]
    assert texts == ["text", "doc"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
