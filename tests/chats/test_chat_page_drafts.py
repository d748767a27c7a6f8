"""What is typed belongs to the chat on whose page it was typed, however slow the server is when somebody goes on."""

import statistics
from collections.abc import Callable

import pytest

from tests.chats.chat_page import answers, api, expect, last_answer, make_chat, open_page, wait_for_answer

pytestmark = pytest.mark.browser

DEMO = "bigagi-demo-fast"


class Hold:
    """Holds the requests of a page to an address back until they are let go."""

    def __init__(self, page, address: str, method: str) -> None:
        self._held: list[Callable[[], None]] = []
        self._page, self._method = page, method
        page.route(address, self._take)

    def _take(self, route) -> None:
        if route.request.method == self._method and not self._held:
            self._held.append(route.continue_)
        else:
            route.fallback()

    def wait(self) -> None:
        """Wait until a request is held."""
        while not self._held:
            self._page.wait_for_timeout(20)

    def let_go(self) -> None:
        self._held[0]()


def open_chats(server, page, name: str) -> tuple[str, str]:
    """Make two chats and open the first one; return their ids."""
    ids = make_chat(server, f"{name} A", "Q", "A"), make_chat(server, f"{name} B", "Q", "A")
    page.add_init_script(f"localStorage.setItem('bigagi:model:{ids[0]}', '{DEMO}')")
    open_page(page, f"/chat-test/{ids[0]}")
    return ids


def go_to(page, title: str) -> None:
    page.locator("#chats").get_by_role("link", name=title, exact=True).click()


def type_in(page, text: str) -> None:
    page.locator("#message").focus()
    page.keyboard.type(text)


def texts_of(server, uid: str) -> list[str]:
    messages = api(server, "GET", f"/api/chats/{uid}")["messages"]
    return [message["fragments"][0]["part"].get("text") for message in messages if message["role"] == "user"]


@pytest.mark.parametrize("way", ["list", "new", "branch"])
def test_what_is_typed_while_another_chat_opens_is_a_draft_of_the_one_that_is_left(server, page, way):
    here, other = open_chats(server, page, way)
    if way == "list":
        hold = Hold(page, f"**/chat-test/{other}", "GET")
        go_to(page, f"{way} B")
    elif way == "new":
        hold = Hold(page, "**/chat-test", "GET")
        page.locator("#new-chat").click()
    else:
        hold = Hold(page, "**/branch", "POST")
        last_answer(page).get_by_role("button", name="More").click()
        page.get_by_role("menuitem", name="Branch here").click()
    hold.wait()
    type_in(page, "Typed too soon")
    page.keyboard.press("Enter")
    expect(page.locator(".toast").filter(has_text="Not sent")).to_be_visible()
    hold.let_go()
    expect(page.locator("#thread-title")).to_have_text(
        {"list": f"{way} B", "new": "New chat", "branch": f"(1) {way} A"}[way]
    )
    expect(page.locator("#message")).to_have_value("")
    page.go_back()
    expect(page.locator("#message")).to_have_value("Typed too soon")
    page.go_forward()
    expect(page.locator("#message")).to_have_value("")
    # Who meant the new one has it there with one click.
    page.get_by_role("button", name="Move it here").click()
    expect(page.locator("#message")).to_have_value("Typed too soon")
    for chat in api(server, "GET", "/api/chats")["results"]:
        assert "Typed too soon" not in texts_of(server, chat["id"])


def test_what_was_sent_goes_to_its_chat_although_the_page_went_on(server, page):
    here, other = open_chats(server, page, "sent")
    hold = Hold(page, "**/generate*", "POST")
    type_in(page, "For the first")
    page.keyboard.press("Enter")
    hold.wait()
    page.keyboard.type(", and more")
    go_to(page, "sent B")
    expect(page.locator("#thread-title")).to_have_text("sent B")
    type_in(page, "For the second")
    hold.let_go()
    page.go_back()
    expect(page.locator("#thread-title")).to_have_text("sent A")
    expect(answers(page)).to_have_count(2)
    # What was typed after it was sent is the next draft.
    expect(page.locator("#message")).to_have_value(", and more")
    page.go_forward()
    expect(page.locator("#message")).to_have_value("For the second")
    assert (texts_of(server, here), texts_of(server, other)) == (["Q", "For the first"], ["Q"])


def test_a_first_message_makes_its_own_chat_although_the_page_went_on(server, page):
    _, other = open_chats(server, page, "first")
    page.locator("#new-chat").click()
    expect(page.locator(".msg")).to_have_count(0)
    hold = Hold(page, "**/api/chats", "POST")
    type_in(page, "A new thing")
    page.keyboard.press("Enter")
    hold.wait()
    go_to(page, "first B")
    expect(page.locator("#thread-title")).to_have_text("first B")
    hold.let_go()
    go_to(page, "A new thing")
    expect(page.locator("#thread-title")).to_have_text("A new thing")
    wait_for_answer(page)
    expect(page.locator(".msg-user .md")).to_have_text(["A new thing"])
    expect(page.locator("#message")).to_have_value("")
    page.locator("#new-chat").click()
    expect(page.locator(".msg")).to_have_count(0)
    expect(page.locator("#message")).to_have_value("")
    assert texts_of(server, other) == ["Q"]


def test_an_edit_that_was_left_open_is_taken_up_again(server, page):
    open_chats(server, page, "edit")
    last_answer(page).focus()
    page.keyboard.press("e")
    page.get_by_label("Message text").fill("Half an edit")
    go_to(page, "edit B")
    expect(page.locator("#thread-title")).to_have_text("edit B")
    page.go_back()
    expect(page.locator("#thread-title")).to_have_text("edit A")
    last_answer(page).focus()
    page.keyboard.press("e")
    expect(page.get_by_label("Message text")).to_have_value("Half an edit")
    page.get_by_role("button", name="Cancel").click()
    page.keyboard.press("e")
    expect(page.get_by_label("Message text")).to_have_value("A")


def test_a_key_in_a_long_text_measures_nothing(server, page):
    open_chats(server, page, "long")
    handled, measured = page.evaluate(
        """() => {
            const field = document.getElementById("message");
            const times = [[], []];
            field.value = "The quick brown fox jumps over the lazy dog.\\n".repeat(4500);
            field.dispatchEvent(new Event("input", { bubbles: true }));
            for (let at = 0; at < 9; at += 1) {
                for (const [kind, act] of [
                    () => field.dispatchEvent(new Event("input", { bubbles: true })),
                    () => { field.style.height = "auto"; return field.scrollHeight; },
                ].entries()) {
                    field.setRangeText("x", 0, 0);
                    const began = performance.now();
                    act();
                    times[kind].push(performance.now() - began);
                }
            }
            field.value = "";
            return times;
        }"""
    )
    assert statistics.median(handled) < statistics.median(measured) / 4


def test_a_service_without_key_and_host_is_told_before_anything_is_sent(server, page):
    api(server, "POST", "/api/services", {"id": "keyless", "vId": "openai", "label": "Keyless", "setup": {}})
    model = {"id": "keyless-any", "label": "Any", "sId": "keyless", "vId": "openai", "created": 1, "interfaces": []}
    model |= {"description": "", "contextTokens": None, "maxOutputTokens": None, "parameterSpecs": []}
    api(server, "POST", "/api/llms", {"llms": [model | {"initialParameters": {"llmRef": "any"}}]})
    count = len(api(server, "GET", "/api/chats?page_size=200")["results"])
    # As if it was chosen while it had a key.
    page.add_init_script("localStorage.setItem('bigagi:model:new', 'keyless-any')")
    open_page(page)
    expect(page.locator("#cannot-send")).to_contain_text("Keyless has no API key. Add one to the service.")
    type_in(page, "Not lost")
    page.keyboard.press("Enter")
    expect(page.locator(".toast-bad")).to_contain_text("Keyless has no API key")
    expect(page.locator("#message")).to_have_value("Not lost")
    assert len(api(server, "GET", "/api/chats?page_size=200")["results"]) == count
    # Mended elsewhere meanwhile: it is asked again before it is refused again.
    api(server, "PATCH", "/api/services/keyless", {"setup": {"oaiHost": "http://127.0.0.1:9"}})
    page.keyboard.press("Enter")
    expect(page.locator(".msg-user")).to_contain_text("Not lost")
    expect(page.locator("#cannot-send")).to_be_hidden()
    wait_for_answer(page)
