"""What looks like a key, on the chat page: it is said what is sent, and what is not can be sent again."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from tests.chats.chat_page import ask, expect, last_answer, open_page, wait_for_answer
from tests.chats.test_chat_page_faults import sign_in

pytestmark = pytest.mark.browser

TYPED = "sk-proj-aB3dE5fG7hI9jK1lM3nO5pQ7"


def test_what_could_not_be_sent_is_said_and_can_be_sent_again(page, server):
    path = Path(server.data_dir, "secrets.key")
    open_page(page)
    ask(page, f"Keep {TYPED}.")
    wait_for_answer(page)
    expect(last_answer(page).get_by_role("note", name="Error")).to_have_count(0)
    page.locator("#estimate").click()
    page.get_by_role("button", name="What will be sent").click()
    expect(page.locator("#sent-about")).to_contain_text("2 API keys are masked here, and sent as typed.")
    expect(page.locator("#sent-list")).to_contain_text("Keep bigagi-secret:5pQ7.")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    right = path.read_bytes()

    path.write_bytes(Fernet.generate_key())
    ask(page, "Say it again.")
    wait_for_answer(page)
    told = last_answer(page).get_by_role("note", name="Error")
    expect(told).to_contain_text("2 passages of this chat that looked like an API key could not be read")
    path.write_bytes(right)
    last_answer(page).get_by_role("button", name="Try again", exact=True).click()
    expect(told).to_have_count(0)
    wait_for_answer(page)
    assert TYPED not in page.content()


def test_a_message_that_cannot_be_stored_stays_in_the_composer(browser, server):
    page, told = sign_in(browser, server)
    path = Path(server.data_dir, "secrets.key")
    right = path.read_bytes()
    open_page(page)
    ask(page, f"Keep {TYPED}.")
    wait_for_answer(page)
    path.write_bytes(Fernet.generate_key())
    page.locator("#message").fill(f"And {TYPED[:-1]}8.")
    with page.expect_response(lambda answer: answer.url.endswith("/generate?html=1")) as refused:
        page.keyboard.press("Enter")
    assert refused.value.status == 409
    expect(page.get_by_role("region", name="Notes")).to_contain_text("forget_secrets")
    expect(page.locator("#message")).to_have_value(f"And {TYPED[:-1]}8.")
    path.write_bytes(right)
    page.keyboard.press("Enter")
    wait_for_answer(page)
    expect(last_answer(page)).to_contain_text("And bigagi-secret:5pQ8.")
    # Chromium tells each refused request.
    assert len(told) == 1 and "409" in told[0]
