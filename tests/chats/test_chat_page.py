"""The chat page in a browser: a first chat, its answers, and what can be done with its messages."""

import re

import pytest

from tests.chats.chat_page import answers, api, ask, expect, last_answer, make_chat, open_page, wait_for_answer

pytestmark = pytest.mark.browser


def test_a_first_chat_streams_and_is_in_the_database(server, page):
    open_page(page)
    expect(page.get_by_text("No key needed: the Demo model answers")).to_be_visible()
    expect(page.locator("#send")).to_be_disabled()
    ask(page, "Hello from the page", "Demo")
    expect(page.locator(".msg-user")).to_contain_text("Hello from the page")
    wait_for_answer(page)
    expect(last_answer(page)).to_contain_text("This is the demo service, not an AI")
    expect(last_answer(page).get_by_role("button", name="Cost: free")).to_be_visible()
    expect(page.locator("#thread-title")).to_have_text("Hello from the page")
    expect(page.locator("#chats .is-here")).to_have_text("Hello from the page")

    uid = page.url.rsplit("/", 1)[1]
    chat = api(server, "GET", f"/api/chats/{uid}")
    assert [message["role"] for message in chat["messages"]] == ["user", "assistant"]
    assert chat["messages"][0]["fragments"][0]["part"]["text"] == "Hello from the page"
    assert chat["messages"][1]["generator"]["aix"] == {"vId": "bigagi", "mId": "bigagi-demo-echo"}
    changes = api(server, "GET", "/api/changes?page_size=3")["results"]
    assert {change["source"] for change in changes} == {"chat"}


def test_markdown_is_formatted_while_it_comes_and_markup_never_runs(server, page):
    open_page(page, f"/chat-test/{make_chat(server, 'markup')}")
    page.evaluate(
        """() => new MutationObserver(() => {
            const code = document.querySelector(".is-live .tail.is-code");
            if (code?.textContent.includes("def add")) window.sawCode = getComputedStyle(code).whiteSpace;
        }).observe(document.getElementById("turns"), { subtree: true, childList: true, characterData: true })"""
    )
    ask(page, "Markdown, please", "Demo Markdown")
    # The first blocks are whole HTML while the rest still comes in.
    expect(page.locator(".is-live .md-live h3")).to_have_text("What Markdown can do")
    wait_for_answer(page)
    # Code looks like code before its end has come.
    assert page.evaluate("window.sawCode") == "pre"
    expect(last_answer(page).locator("td").first).to_have_text("cat")
    expect(last_answer(page).locator(".hl .k").first).to_have_text("def")
    expect(last_answer(page)).to_contain_text('<script>document.title = "markup ran"</script>')
    assert last_answer(page).locator("script, img").count() == 0
    assert page.title() == "markup · bigagi"


def test_code_stands_out_and_keeps_its_lines(server, page):
    line = "x = " + " + ".join("1" * 50)
    open_page(page, f"/chat-test/{make_chat(server, 'coding', 'Run `x`', f'```python{chr(10)}{line}{chr(10)}```')}")
    assert page.locator(".md-code pre").evaluate("pre => pre.scrollWidth > pre.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    ground = "element => getComputedStyle(element).backgroundColor"
    assert page.locator(".msg-user code").evaluate(ground) != page.locator(".msg-user .msg-body").evaluate(ground)


def test_an_answer_can_be_stopped_and_written_anew(server, page):
    open_page(page)
    ask(page, "Slowly", "Demo slow")
    # The chat has its title before the answer ends, and if it never does.
    expect(page.locator("#thread-title")).to_have_text("Slowly")
    expect(page.locator(".is-live")).to_have_count(1)
    expect(page.locator(".is-live .waiting-seconds")).to_contain_text("s")
    expect(page.locator(".is-live .fold-live")).to_contain_text("I look at")
    page.keyboard.press("Escape")
    wait_for_answer(page)
    expect(last_answer(page)).to_contain_text("stopped by you")
    expect(page.locator("#live")).to_contain_text("Answer ended")

    page.locator("#model").click()
    page.get_by_label("Find a model").fill("Demo fast")
    page.keyboard.press("Enter")
    uid = last_answer(page).get_attribute("data-message")
    # Its button asks its own model again; another one is named.
    last_answer(page).get_by_role("button", name="More", exact=True).click()
    expect(page.get_by_role("menuitem", name="Regenerate with Demo slow")).to_be_visible()
    page.get_by_role("menuitem", name="Regenerate with Demo fast").click()
    wait_for_answer(page)
    expect(answers(page)).to_have_count(1)
    assert last_answer(page).get_attribute("data-message") == uid
    expect(last_answer(page)).to_contain_text("not an AI")

    page.get_by_role("button", name="Restore the old one").click()
    expect(last_answer(page)).to_contain_text("stopped by you")
    # Any other one, from the answer's menu alone.
    last_answer(page).get_by_role("button", name="More", exact=True).click()
    page.get_by_role("menuitem", name="Regenerate with another model…").click()
    page.get_by_label("Find a model").fill("Demo Markdown")
    page.keyboard.press("Enter")
    expect(last_answer(page).locator(".msg-model")).to_have_text("Demo Markdown")
    wait_for_answer(page)
    expect(answers(page)).to_have_count(1)
    expect(page.locator("#model-label")).to_have_text("Demo Markdown")


def test_a_failure_keeps_the_text_and_can_be_tried_again(server, page):
    open_page(page, f"/chat-test/{make_chat(server, 'failing')}")
    ask(page, "Break off", "Demo failing")
    wait_for_answer(page)
    expect(last_answer(page)).to_contain_text("This answer begins well")
    expect(last_answer(page).get_by_role("note", name="Error")).to_contain_text("The demo failed")
    expect(page.locator("#alarm")).to_contain_text("The demo failed")
    page.locator("#model").click()
    page.get_by_label("Find a model").fill("Demo fast")
    page.keyboard.press("Enter")
    last_answer(page).get_by_role("button", name="Try again with Demo fast").click()
    expect(last_answer(page)).to_contain_text("not an AI")
    expect(answers(page)).to_have_count(1)
    expect(page.get_by_role("note", name="Error")).to_have_count(0)


def test_a_message_is_edited_and_sent_again_and_taken_back(server, page):
    uid = make_chat(server, "editing", "First", "One", "Second", "Two")
    open_page(page, f"/chat-test/{uid}")
    page.locator("#message").fill("")
    question = page.locator(".msg-user").first
    question.hover()
    question.get_by_role("button", name="Edit").click()
    page.get_by_label("Message text").fill("First, changed")
    page.get_by_role("button", name="Save and send").click()
    wait_for_answer(page)
    expect(page.locator(".msg")).to_have_count(2)
    expect(page.locator(".msg-user")).to_contain_text("First, changed")
    expect(last_answer(page)).to_contain_text("not an AI")

    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".msg")).to_have_count(4)
    expect(page.locator(".msg-user").first).to_contain_text("First")
    texts = [each["fragments"][0]["part"]["text"] for each in api(server, "GET", f"/api/chats/{uid}")["messages"]]
    assert texts == ["First", "One", "Second", "Two"]


def test_an_answer_is_edited_in_place(server, page):
    uid = make_chat(server, "correcting", "Q", "Ansver")
    open_page(page, f"/chat-test/{uid}")
    last_answer(page).focus()
    page.keyboard.press("e")
    page.get_by_label("Message text").fill("Answer")
    page.keyboard.press("Control+Enter")
    expect(last_answer(page)).to_contain_text("Answer")
    page.get_by_role("button", name="Undo").click()
    expect(last_answer(page)).to_contain_text("Ansver")


def test_messages_are_starred_skipped_and_deleted(server, page):
    uid = make_chat(server, "flags", "Q", "A", "R", "B")
    open_page(page, f"/chat-test/{uid}")
    last_answer(page).get_by_role("button", name="Star").click()
    expect(last_answer(page)).to_have_class(re.compile("is-starred"))
    last_answer(page).get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Skip").click()
    expect(last_answer(page)).to_have_class(re.compile("is-skipped"))
    flags = api(server, "GET", f"/api/chats/{uid}/messages/flags-3")["userFlags"]
    assert flags == ["starred", "aix.skip"]

    last_answer(page).get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Delete").click()
    expect(page.locator(".msg")).to_have_count(3)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".msg")).to_have_count(4)
    assert len(api(server, "GET", f"/api/chats/{uid}")["messages"]) == 4


def test_a_branch_opens_and_leaves_the_chat_as_it_was(server, page):
    uid = make_chat(server, "trunk", "Q", "A", "R", "B")
    open_page(page, f"/chat-test/{uid}")
    first = answers(page).first
    first.hover()
    first.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Branch here").click()
    expect(page.locator("#thread-title")).to_have_text("(1) trunk")
    expect(page.locator(".msg")).to_have_count(2)
    assert uid not in page.url
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#thread-title")).to_have_text("trunk")
    expect(page.locator("#chats").get_by_role("link", name="(1) trunk")).to_have_count(0)
    first.hover()
    first.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Branch here").click()
    expect(page.locator("#thread-title")).to_have_text("(1) trunk")
    page.go_back()
    expect(page.locator("#thread-title")).to_have_text("trunk")
    expect(page.locator(".msg")).to_have_count(4)


def test_the_chat_keeps_to_what_the_person_prefers(server, page):
    state = {"enterIsNewline": True, "centerMode": "narrow", "contentScaling": "md", "doubleClickToEdit": True}
    api(server, "POST", "/api/stores", {"name": "app-ui", "state": state, "version": 3})
    try:
        open_page(page, f"/chat-test/{make_chat(server, 'preferring', 'Q', 'A')}")
        assert {"center-narrow", "scaling-md"} <= set((page.locator("body").get_attribute("class") or "").split())
        page.locator("#message").fill("One")
        page.keyboard.press("Enter")
        page.keyboard.type("Two")
        assert page.locator("#message").input_value() == "One\nTwo"
        page.keyboard.press("Control+,")
        page.get_by_role("switch", name="Send my preferences").check()
        page.get_by_role("button", name="What will be sent").click()
        expect(page.locator("#sent-list")).to_contain_text('"centerMode":"narrow"')
        page.keyboard.press("Escape")
        page.keyboard.press("Escape")
        expect(page.locator("#message")).to_be_focused()
        page.keyboard.press("Control+Enter")
        wait_for_answer(page)
        expect(last_answer(page)).to_contain_text("centerMode")
        page.locator(".msg-user").first.dblclick()
        expect(page.get_by_label("Message text")).to_have_value("Q")
    finally:
        api(server, "DELETE", "/api/stores/app-ui")


def test_a_draft_survives_a_reload(server, page):
    open_page(page, f"/chat-test/{make_chat(server, 'drafting', 'Q', 'A')}")
    page.locator("#message").fill("Half a thou")
    # The models, and so their prices, are known later than what is written.
    held: list = []
    page.route("**/chat-parts/models*", lambda route: held.append(route))
    page.reload()
    expect(page.locator("#message")).to_have_value("Half a thou")
    expect(page.locator("#estimate")).to_contain_text(re.compile(r"≈ \d+ tokens"))
    for route in held:
        route.continue_()
    expect(page.locator("#estimate")).to_contain_text(re.compile(r"≈ \d+ tokens · free"))
