"""Two tabs with the same chat: neither writes over the other unseen, and a chat that one deletes is not lost to the
other."""

import pytest

from tests.chats.chat_page import answers, api, expect, last_answer, make_chat, open_page, wait_for_answer
from tests.chats.test_chat_page_faults import sign_in

pytestmark = pytest.mark.browser

DEMO = "bigagi-demo-fast"


@pytest.fixture
def tabs(browser, server):
    """Two tabs of one browser; the model of new chats is a quick one."""
    first, _ = sign_in(browser, server)
    first.context.add_init_script(f"localStorage.setItem('bigagi:model:new', '{DEMO}')")
    return first, first.context.new_page()


def edit(page, turn, text: str) -> None:
    turn.get_by_role("button", name="Edit", exact=True).click()
    page.get_by_label("Message text").fill(text)


def test_an_edit_never_takes_the_place_of_another_one_unseen(server, tabs):
    uid = make_chat(server, "Edited-twice", "Question", "Answer")
    for tab in tabs:
        open_page(tab, f"/chat-test/{uid}")
    mine, other = tabs

    def texts() -> list[str]:
        messages = api(server, "GET", f"/api/chats/{uid}")["messages"]
        return [message["fragments"][0]["part"]["text"] for message in messages]

    edit(mine, last_answer(mine), "Mine")
    edit(other, last_answer(other), "Other")
    other.get_by_role("button", name="Save", exact=True).click()
    expect(last_answer(other).locator(".md")).to_have_text("Other")
    # Both are there to be compared, and the edit stays in its box.
    mine.get_by_role("button", name="Save", exact=True).click()
    clash = mine.get_by_role("group", name="The other text")
    expect(clash).to_contain_text("This message was changed elsewhere while you edited it. The other text:Other")
    expect(mine.get_by_label("Message text")).to_have_value("Mine")
    assert texts() == ["Question", "Other"]
    # The one that is not kept comes back by one click.
    mine.get_by_role("button", name="Keep the other").click()
    expect(last_answer(mine).locator(".md")).to_have_text("Other")
    mine.get_by_role("button", name="Edit mine again").click()
    expect(mine.get_by_label("Message text")).to_have_value("Mine")
    mine.get_by_role("button", name="Save", exact=True).click()
    expect(last_answer(mine).locator(".md")).to_have_text("Mine")
    mine.get_by_role("button", name="Undo").click()
    expect(last_answer(mine).locator(".md")).to_have_text("Other")

    # A question that is edited and sent again, and one whose edit was begun on an earlier visit.
    question = mine.locator(".msg-user").first
    edit(mine, question, "My question")
    mine.wait_for_timeout(400)
    open_page(mine)
    first = api(server, "GET", f"/api/chats/{uid}/messages/Edited-twice-0")
    first["fragments"][0]["part"]["text"] = "Other question"
    api(server, "PUT", f"/api/chats/{uid}/messages/Edited-twice-0", first)
    open_page(mine, f"/chat-test/{uid}")
    question.get_by_role("button", name="Edit", exact=True).click()
    expect(mine.get_by_label("Message text")).to_have_value("My question")
    mine.get_by_role("button", name="Save and send").click()
    expect(clash).to_contain_text("Other question")
    assert texts() == ["Other question", "Other"]
    mine.get_by_role("button", name="Keep mine").click()
    expect(question.locator(".md")).to_have_text("My question")
    wait_for_answer(mine)
    assert texts()[0] == "My question"


@pytest.mark.parametrize("held", ["turns", "messages"])
def test_what_is_open_in_a_message_outlives_its_reading_anew(server, tabs, held):
    """News of another message come while an edit begins: the messages, or the one to edit, are on their way."""
    page, _ = tabs
    title = f"Read-anew-{held}"
    uid = make_chat(server, title, "Question", "Answer")
    open_page(page, f"/chat-test/{uid}")
    waiting: list = []
    released = False
    page.route(f"**/{held}**", lambda route: route.continue_() if released else waiting.append(route))
    question = api(server, "GET", f"/api/chats/{uid}/messages/{title}-0")
    question["fragments"][0]["part"]["text"] = "News"
    news = page.locator(".msg-user .md")
    if held == "turns":
        api(server, "PUT", f"/api/chats/{uid}/messages/{title}-0", question)
        wait_until(page, lambda: waiting)
        edit(page, last_answer(page), "Mine")
    else:
        last_answer(page).get_by_role("button", name="Edit", exact=True).click()
        wait_until(page, lambda: waiting)
        api(server, "PUT", f"/api/chats/{uid}/messages/{title}-0", question)
        expect(news).to_have_text("News")
    released = True
    for route in waiting:
        route.continue_()
    expect(news).to_have_text("News")
    field = page.get_by_label("Message text")
    if held == "turns":
        expect(field).to_have_value("Mine")
        expect(field).to_be_focused()
    else:
        field.fill("Mine")
    page.keyboard.press("Control+Enter")
    expect(last_answer(page).locator(".md")).to_have_text("Mine")
    expect(field).to_have_count(0)


def wait_until(page, is_so) -> None:
    for _ in range(200):
        if is_so():
            return
        page.wait_for_timeout(50)
    pytest.fail("Nothing was asked for.")


def test_a_chat_that_another_tab_deleted_is_restored_or_gone_on_without(server, tabs):
    page, other = tabs
    uid = make_chat(server, "Deleted elsewhere", "Q", "A")
    for tab in tabs:
        open_page(tab, f"/chat-test/{uid}")
    delete(other)
    # Told at once, before anything is sent; what stands there can still be read.
    gone = page.get_by_text("This chat was deleted elsewhere. What you typed is kept.")
    expect(gone).to_be_visible()
    expect(page.get_by_role("button", name="Send in a new chat")).to_be_hidden()
    expect(answers(page)).to_have_count(1)
    page.get_by_role("button", name="Restore the chat").click()
    expect(gone).to_be_hidden()
    expect(page.locator("#message")).to_be_focused()
    assert len(api(server, "GET", f"/api/chats/{uid}")["messages"]) == 2

    # By a program, while somebody types and attaches: sending tells it, and loses neither.
    api(server, "DELETE", f"/api/chats/{uid}")
    page.locator("#files").set_input_files({"name": "notes.txt", "mimeType": "text/plain", "buffer": b"Attached"})
    page.locator("#message").fill("Typed too late")
    page.keyboard.press("Enter")
    expect(gone).to_be_visible()
    expect(page.locator(".toast-bad")).to_have_count(0)
    expect(page.locator("#message")).to_have_value("Typed too late")
    last_answer(page).get_by_role("button", name="Star", exact=True).click()
    expect(page.locator(".toast-bad")).to_contain_text("deleted elsewhere: restore it first")
    page.get_by_role("button", name="Send in a new chat").click()
    expect(page.locator(".msg-user")).to_contain_text("Typed too late")
    wait_for_answer(page)
    expect(page.locator("#message")).to_have_value("")
    expect(page.locator("#clips li")).to_have_count(0)
    [newest, *_] = api(server, "GET", "/api/chats?ordering=-updated")["results"]
    [question, _] = api(server, "GET", f"/api/chats/{newest['id']}")["messages"]
    assert question["fragments"][1]["part"]["data"]["text"] == "Attached"


def test_files_that_are_not_sent_are_not_lost_unasked(server, tabs):
    page, other = tabs
    uids = [make_chat(server, f"Files {name}", "Q", "A") for name in "AB"]
    open_page(page, f"/chat-test/{uids[0]}")
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    leave = "() => { location.href = '/about'; return new Promise((done) => setTimeout(done, 300)); }"
    page.locator("#message").click()
    page.locator("#files").set_input_files({"name": "notes.txt", "mimeType": "text/plain", "buffer": b"Attached"})
    expect(page.locator("#clips li")).to_have_count(1)
    page.evaluate(leave)
    assert asked == ["beforeunload"]
    # Those of another chat count too; and a chat that is gone is no reason to leave the page.
    chats = page.locator("#chats")
    other_row = chats.get_by_role("link", name="Files B", exact=True)
    expect(other_row).to_be_visible()
    page.route("**/api/chats?*", lambda route: route.abort())
    api(server, "DELETE", f"/api/chats/{uids[1]}")
    other_row.click()
    expect(page.locator(".toast").filter(has_text="That chat was deleted.")).to_be_visible()
    page.unroute("**/api/chats?*")
    page.locator("#new-chat").click()
    expect(page.locator("#clips li")).to_have_count(0)
    page.evaluate(leave)
    assert asked == ["beforeunload"] * 2
    chats.get_by_role("link", name="Files A", exact=True).click()
    expect(page.locator("#clips li")).to_have_count(1)
    page.get_by_role("button", name="Remove notes.txt").click()
    open_page(page)
    assert asked == ["beforeunload"] * 2


def delete(page) -> None:
    page.locator("#chat-menu").click()
    page.get_by_role("menuitem", name="Delete").click()
    expect(page.locator(".toast")).to_contain_text("Chat deleted.")
