"""Notes with an undo on the chat page, and where the focus is after something was deleted."""

import pytest

from tests.chats.chat_page import answers, api, ask, expect, last_answer, make_chat, open_page, wait_for_answer
from tests.chats.test_chat_page_faults import sign_in

pytestmark = pytest.mark.browser


def more(page, turn, item: str) -> None:
    turn.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("menuitem", name=item, exact=True).click()


def rename(page, title: str) -> None:
    page.locator("#chat-menu").click()
    page.get_by_role("menuitem", name="Rename").click()
    page.get_by_label("Title", exact=True).fill(title)
    page.keyboard.press("Enter")
    expect(page.locator("#thread-title")).to_have_text(title)


def focused(page) -> str:
    """Return what has the focus: an id, or a message's."""
    return page.evaluate(
        "document.activeElement.id || document.activeElement.closest('[data-chat]')?.dataset.chat || ''"
        " || document.activeElement.tagName"
    )


def check_place(page) -> None:
    """Check that the note stands in the thread's column, above the box to write in, and inside of the window."""
    toast, box = page.locator(".toast").bounding_box(), page.locator("#composer").bounding_box()
    thread = page.locator("#thread").bounding_box()
    assert toast["y"] + toast["height"] <= box["y"]
    assert thread["x"] <= toast["x"] and toast["x"] + toast["width"] <= thread["x"] + thread["width"]


def test_an_undo_that_has_to_wait_for_an_answer_says_so_and_can_be_tried_again(browser, server):
    page, _ = sign_in(browser, server)
    open_page(page)
    ask(page, "Slowly", "Demo slow")
    rename(page, "While it writes")
    toast = page.locator(".toast")
    toast.get_by_role("button", name="Undo").click()
    expect(toast).to_have_text("An answer is being written in this chat. Wait for it, or stop it.Try again")
    page.locator("#stop").click()
    wait_for_answer(page)
    toast.get_by_role("button", name="Try again").click()
    toast.get_by_role("button", name="Undo both").click()
    expect(page.locator("#thread-title")).to_have_text("Slowly")


def test_one_note_at_a_time_and_no_undo_is_lost(browser, server):
    page, _ = sign_in(browser, server)
    uid, other = make_chat(server, "Notes", *"QAQA"), make_chat(server, "Other notes", "Q", "A")
    for width, height in ((1280, 800), (390, 700)):
        page.set_viewport_size({"width": width, "height": height})
        open_page(page, f"/chat-test/{uid}")
        toast = page.locator(".toast")
        more(page, last_answer(page), "Delete")
        expect(toast).to_have_text("Message deleted.Undo")
        check_place(page)
        # A note that takes nothing back covers it, and it comes back.
        answers(page).last.hover()
        more(page, answers(page).last, "Copy link")
        expect(toast).to_have_count(1)
        expect(toast).to_contain_text("Link copied.")
        toast.get_by_role("button", name="Dismiss").click()
        expect(toast).to_have_text("Message deleted.Undo")

        # What stands on it is named, and undone with it by one button.
        for title in ("Renamed notes", "Again"):
            rename(page, title)
            toast.get_by_role("button", name="Dismiss").click()
        expect(page.locator(".msg")).to_have_count(3)
        toast.get_by_role("button", name="Undo").focus()
        page.keyboard.press("Enter")
        expect(toast).to_contain_text("first undo what came after it: the chat was renamed")
        check_place(page)
        # By keyboard: whoever pressed one button is on the next.
        expect(toast.get_by_role("button", name="Undo all 3")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator(".msg")).to_have_count(4)
        expect(page.locator("#thread-title")).to_have_text("Notes")
        expect(toast).to_have_count(0)
        assert focused(page) != "BODY"

    # In the next chat the note names its own, acts there, and changes nothing here.
    page.set_viewport_size({"width": 1280, "height": 800})
    more(page, last_answer(page), "Delete")
    expect(toast).to_have_text("Message deleted.Undo")
    page.locator("#chats").get_by_role("link", name="Other notes", exact=True).click()
    expect(page.locator("#thread-title")).to_have_text("Other notes")
    expect(toast).to_have_text("“Notes”: Message deleted.Undo")
    reads: list[str] = []
    page.on("request", lambda request: reads.append(request.url))
    toast.get_by_role("button", name="Undo").click()
    expect(page.locator("#live")).to_have_text("Undone.")
    assert [url for url in reads if f"{other}/turns" in url] == []
    assert len(api(server, "GET", f"/api/chats/{uid}")["messages"]) == 4
    expect(page.locator(".msg")).to_have_count(2)


def test_after_a_deletion_the_focus_is_on_a_neighbour(server, page):
    uids = [make_chat(server, f"Focus {at}", *"QAQ") for at in range(3)]
    open_page(page, f"/chat-test/{uids[0]}")
    # The next one; where there is none, the one before; where there is none at all, the box to write in.
    for gone, expected in (("Focus 0-1", "Focus 0-2"), ("Focus 0-2", "Focus 0-0"), ("Focus 0-0", "message")):
        turn = page.locator(f'[id="{gone}"]')
        turn.get_by_role("button", name="More", exact=True).focus()
        page.keyboard.press("Enter")
        page.keyboard.press("End")
        page.keyboard.press("Enter")
        expect(turn).to_have_count(0)
        assert focused(page) == expected

    # In the list of chats, by keyboard.
    open_page(page)
    rows = page.locator("#chats .chat-row")
    expect(rows.first).to_contain_text("Focus")
    order = rows.evaluate_all("rows => rows.map((row) => row.dataset.chat)")
    for at, expected in ((1, order[2]), (0, order[2])):
        rows.nth(at).get_by_role("button").focus()
        gone = rows.nth(at).get_attribute("data-chat")
        page.keyboard.press("Enter")
        page.keyboard.press("End")
        page.keyboard.press("Enter")
        expect(page.locator(f'[data-chat="{gone}"]')).to_have_count(0)
        assert focused(page) == expected
