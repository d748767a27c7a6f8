"""Answers on the chat page that go on without it: reloads, second tabs, other programs; and long chats."""

import pytest

from tests.chats.chat_page import answers, api, ask, expect, last_answer, make_chat, open_page, wait_for_answer

pytestmark = pytest.mark.browser


def test_a_reload_in_the_middle_of_an_answer_goes_on_where_it_was(server, page):
    open_page(page, f"/chat-test/{make_chat(server, 'reloading')}")
    ask(page, "Long, please", "Demo long")
    expect(page.locator(".msg-assistant.is-live .msg-body")).to_contain_text("Paragraph 2.")
    page.reload()
    expect(page.locator(".msg-assistant.is-live .msg-body")).to_contain_text("Paragraph 1.")
    expect(page.locator(".msg-user")).to_have_count(1)
    expect(page.locator(".msg-assistant.is-live .msg-body")).to_contain_text("Paragraph 3.", timeout=30_000)
    page.locator("#stop").click()
    wait_for_answer(page)
    expect(answers(page)).to_have_count(1)
    text = last_answer(page).inner_text()
    assert text.count("Paragraph 1.") == 1
    assert "Paragraph 3." in text


def test_a_second_tab_follows_along(server, page):
    path = f"/chat-test/{make_chat(server, 'two tabs')}"
    open_page(page, path)
    other = page.context.new_page()
    errors: list[str] = []
    other.on("pageerror", lambda error: errors.append(str(error)))
    open_page(other, path)
    ask(page, "Slowly, for two", "Demo slow")
    expect(other.locator(".msg-user")).to_contain_text("Slowly, for two")
    expect(other.locator(".is-live .fold-live")).to_contain_text("I look at")
    other.locator("#stop").click()
    wait_for_answer(page)
    wait_for_answer(other)
    for tab in (page, other):
        expect(last_answer(tab)).to_contain_text("stopped by you")
    # Not what is seen of them: a tab in the background renders nothing.
    expect(last_answer(page)).to_have_text(last_answer(other).text_content() or "")
    assert errors == []


def test_what_a_program_writes_appears(server, page):
    uid = make_chat(server, "followed", "Q", "A")
    open_page(page, f"/chat-test/{uid}")
    part = {"pt": "text", "text": "Written by a program"}
    message = {"role": "user", "fragments": [{"ft": "content", "fId": "abcdefgh", "part": part}]}
    api(server, "POST", f"/api/chats/{uid}/messages", message)
    expect(page.get_by_text("Written by a program")).to_be_visible(timeout=15_000)
    api(server, "PATCH", f"/api/chats/{uid}", {"userTitle": "followed well"})
    expect(page.locator("#thread-title")).to_have_text("followed well", timeout=15_000)


def test_what_a_program_wrote_just_before_an_answer_appears(server, page):
    uid = make_chat(server, "written before", "Q", "A")
    open_page(page, f"/chat-test/{uid}")
    part = {"pt": "text", "text": "Written by a program"}
    message = {"role": "user", "fragments": [{"ft": "content", "fId": "abcdefgh", "part": part}]}
    api(server, "POST", f"/api/chats/{uid}/messages", message)
    ask(page, "At once, after a program", "Demo")
    wait_for_answer(page)
    expect(page.get_by_text("Written by a program")).to_be_visible(timeout=15_000)


def test_what_the_page_wrote_itself_is_not_read_again(server, page):
    uid = make_chat(server, "own writes", "Q", "A")
    open_page(page, f"/chat-test/{uid}")
    ask(page, "Only once", "Demo")
    wait_for_answer(page)
    expect(last_answer(page)).to_contain_text("You said:")
    reads: list[str] = []
    page.on("request", lambda request: reads.append(request.url))
    page.wait_for_event("requestfinished", lambda request: request.url.endswith("/state"), timeout=10_000)
    page.wait_for_event("requestfinished", lambda request: request.url.endswith("/state"), timeout=10_000)
    assert [url for url in reads if "/turns" in url] == []


def test_the_page_turns_to_another_chat_while_an_answer_goes_on(server, page):
    running, other = make_chat(server, "running on"), make_chat(server, "elsewhere", "Q", "A")
    open_page(page, f"/chat-test/{running}")
    ask(page, "Slowly", "Demo slow")
    page.locator(".is-live .fold-live").wait_for()
    page.locator("#chats").get_by_role("link", name="elsewhere").click()
    expect(page.locator("#thread-title")).to_have_text("elsewhere")
    expect(page.locator("#stop")).to_be_hidden()
    page.locator("#chats").get_by_role("link", name="running on").click()
    expect(page.locator("#stop")).to_be_visible()
    page.keyboard.press("Escape")
    wait_for_answer(page)
    assert other in {chat["id"] for chat in api(server, "GET", "/api/chats")["results"]}


def test_a_long_chat_opens_at_its_end_and_grows_upwards(server, page):
    uid = make_chat(server, "long", *(f"Message number {at}." for at in range(2000)))
    open_page(page, f"/chat-test/{uid}")
    expect(page.get_by_text("Message number 1999.")).to_be_in_viewport()
    assert page.locator(".msg").count() < 200
    before = page.locator(".msg").count()
    page.locator("#scroll").evaluate("scroll => (scroll.scrollTop = 0)")
    expect(page.locator(".msg").nth(before)).to_be_attached()
    numbers = [int(text.split()[2].rstrip(".")) for text in page.locator(".msg-body").all_text_contents()]
    assert numbers == list(range(numbers[0], 2000))


def test_who_stays_at_the_top_is_led_to_the_first_message(server, page):
    uid = make_chat(server, "upwards", *(f"Message number {at}." for at in range(200)))
    open_page(page, f"/chat-test/{uid}")
    hold = """scroll => {
        const hold = () => { scroll.scrollTop = 0; requestAnimationFrame(hold); };
        hold();
    }"""
    page.locator("#scroll").evaluate(hold)
    expect(page.locator('.msg[data-position="0"]')).to_be_in_viewport()
    expect(page.locator(".msg")).to_have_count(200)
    expect(page.locator("#edge-before")).to_be_hidden()


def test_a_deep_link_opens_at_its_message_and_grows_both_ways(server, page):
    uid = make_chat(server, "deep", *(f"Message number {at}." for at in range(400)))
    open_page(page, f"/chat-test/{uid}#deep-100")
    expect(page.get_by_text("Message number 100.")).to_be_in_viewport()
    page.get_by_role("button", name="Go to the end").click()
    expect(page.get_by_text("Message number 399.")).to_be_in_viewport()
    page.evaluate("location.hash = 'deep-7'")
    expect(page.get_by_text("Message number 7.")).to_be_in_viewport()


def test_a_lost_connection_is_taken_up_again(server, page):
    open_page(page, f"/chat-test/{make_chat(server, 'losing')}")

    def cut(route):
        # The first part of the stream, and no more.
        answer = route.fetch(max_retries=0)
        route.fulfill(response=answer, body=answer.body()[:700])

    page.route("**/generate?html=1", cut)
    ask(page, "Cut me", "Demo")
    wait_for_answer(page)
    expect(last_answer(page)).to_contain_text("You said:")
