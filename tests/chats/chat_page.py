"""What the tests of the chat page share."""

import json
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.servers import Server

__all__ = ["answers", "api", "ask", "expect", "last_answer", "make_chat", "open_page", "pick_model", "wait_for_answer"]

# A machine that does much else at once is slow, and no test here is about time.
expect.set_options(timeout=20_000)


def api(server: Server, method: str, path: str, body: Any = None) -> Any:
    """Call the API as a program, and return the JSON."""
    data = None if body is None else json.dumps(body).encode()
    answer = server.sign_in().request(method, path, data, headers={"Content-Type": "application/json"})
    assert answer.status < 300, answer.text
    return answer.json() if answer.body else None


def make_chat(server: Server, title: str, *texts: str, **members: Any) -> str:
    """Store a chat whose messages alternate between the person and the model; return its id."""
    messages = [
        {
            **{"id": f"{title}-{at}", "role": "assistant" if at % 2 else "user", "tokenCount": 1, "updated": None},
            **{"created": 1_795_288_299_195 + at},
            "fragments": [{"ft": "content", "fId": f"f{at:07}", "part": {"pt": "text", "text": text}}],
        }
        for at, text in enumerate(texts)
    ]
    chat = {"userTitle": title, "systemPurposeId": "Generic", "messages": messages} | members
    uid: str = api(server, "POST", "/api/chats", chat)["id"]
    return uid


def open_page(page: Page, path: str = "/chat-test") -> None:
    """Open the page, and wait until its scripts have begun."""
    page.goto(path)
    page.locator("html[data-ready]").wait_for(state="attached")


def pick_model(page: Page, label: str) -> None:
    """Choose a model by its name."""
    page.locator("#model").click()
    page.get_by_label("Find a model").fill(label)
    page.get_by_role("option", name=label).first.wait_for()
    page.keyboard.press("Enter")
    expect(page.locator("#model-label")).to_have_text(label)


def ask(page: Page, text: str, model: str = "") -> None:
    """Send a message."""
    if model:
        pick_model(page, model)
    before = page.locator(".msg-assistant").count()
    page.locator("#message").fill(text)
    page.keyboard.press("Enter")
    expect(page.locator(".msg-assistant")).to_have_count(before + 1)


def answers(page: Page) -> Locator:
    """Return the answers that are stored and shown."""
    return page.locator(".msg-assistant:not(.is-live)")


def last_answer(page: Page) -> Locator:
    return answers(page).last


def wait_for_answer(page: Page) -> None:
    """Wait until the answer under way is stored and shown."""
    expect(page.locator(".is-live")).to_have_count(0, timeout=30_000)
    expect(page.locator("#stop")).to_be_hidden()
