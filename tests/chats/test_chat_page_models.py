"""Which model answers on the chat page: a chat keeps its own, and another one is named before it is asked."""

import pytest

from tests.chats.chat_page import api, ask, expect, last_answer, open_page, pick_model, wait_for_answer

pytestmark = pytest.mark.browser


def make(server, title: str, *models: str) -> str:
    """Store a chat with an answer of each of these models."""
    messages = []
    for at, model in enumerate(models):
        generator = {"mgt": "aix", "name": "a model", "aix": {"vId": "bigagi", "mId": model}}
        messages += [message(f"{title}-q{at}", "user"), message(f"{title}-a{at}", "assistant", generator=generator)]
    chat = {"userTitle": title, "systemPurposeId": "Generic", "messages": messages}
    uid: str = api(server, "POST", "/api/chats", chat)["id"]
    return uid


def message(uid: str, role: str, **members):
    fragment = {"ft": "content", "fId": "abcdefgh", "part": {"pt": "text", "text": f"Text of {uid}"}}
    return {"id": uid, "role": role, "fragments": [fragment], "created": 1, "updated": None, **members}


def model_of(server, uid: str) -> str:
    found: str = api(server, "GET", f"/api/chats/{uid}")["messages"][-1]["generator"]["aix"]["mId"]
    return found


def test_a_chat_keeps_its_model(server, page):
    kept = make(server, "Kept", "bigagi-demo-echo", "bigagi-demo-fast")
    label = page.locator("#model-label")
    open_page(page, f"/chat-test/{kept}")
    expect(label).to_have_text("Demo fast")
    # What is chosen is kept until there is a reply, which then speaks for the chat: in other browsers, and here.
    pick_model(page, "Demo long")
    page.reload()
    expect(label).to_have_text("Demo long")
    pick_model(page, "Demo Markdown")
    ask(page, "And now?")
    wait_for_answer(page)
    assert model_of(server, kept) == "bigagi-demo-markdown"
    assert page.evaluate(f"localStorage.getItem('bigagi:model:{kept}')") is None
    page.reload()
    expect(label).to_have_text("Demo Markdown")

    # A branch keeps it, also where no reply comes along.
    first = page.locator(".msg-user").first
    first.hover()
    first.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("menuitem", name="Branch here").click()
    expect(page.locator("#thread-title")).to_have_text("(1) Kept")
    expect(label).to_have_text("Demo Markdown")

    # An answer is written anew by its own model, whichever is chosen.
    page.locator("#chats").get_by_role("link", name="Kept", exact=True).click()
    expect(page.locator("#thread-title")).to_have_text("Kept")
    answer = page.locator(".msg-assistant").nth(1)
    answer.hover()
    answer.get_by_role("button", name="Regenerate", exact=True).click()
    expect(answer).to_contain_text("Demo fast")
    expect(page.locator(".toast")).to_contain_text("Answer regenerated.")
    wait_for_answer(page)
    [models] = [api(server, "GET", f"/api/chats/{kept}")["messages"]]
    assert models[3]["generator"]["aix"]["mId"] == "bigagi-demo-fast"


def test_another_model_is_named_before_it_is_asked(server, page):
    label, chosen = page.locator("#model-label"), page.locator("#empty [data-demo]")
    # Where it cannot be called, it is said why, and which one would be asked; nothing is sent before that is pressed.
    gone = make(server, "Gone", "openai-gone")
    open_page(page, f"/chat-test/{gone}")
    expect(label).to_have_text("Demo")
    expect(page.locator("#model-note")).to_contain_text("answered here last and cannot be called")
    page.keyboard.press("Tab")
    last_answer(page).focus()
    page.keyboard.press("r")
    other = page.get_by_role("group", name="Another model")
    expect(other).to_contain_text("wrote this answer and cannot be called: There is no model openai-gone.")
    expect(other.get_by_role("button", name="Regenerate with Demo", exact=True)).to_be_focused()
    assert model_of(server, gone) == "openai-gone"
    other.get_by_role("button", name="Choose another model").click()
    page.get_by_label("Find a model").fill("Demo fast")
    page.keyboard.press("Enter")
    expect(page.locator("#model-note")).to_be_hidden()
    other.get_by_role("button", name="Regenerate with Demo fast", exact=True).click()
    expect(page.locator(".toast")).to_contain_text("Answer regenerated.")
    wait_for_answer(page)
    expect(other).to_have_count(0)
    assert model_of(server, gone) == "bigagi-demo-fast"

    # "No key needed" is said of Demo alone.
    service = {"id": "own", "vId": "ollama", "label": "Own", "setup": {"ollamaHost": "http://127.0.0.1:9"}}
    api(server, "POST", "/api/services", service)
    model = {"id": "own-model", "label": "Own model", "sId": "own", "vId": "ollama", "created": 1, "description": ""}
    model |= {"contextTokens": 1000, "maxOutputTokens": 100, "interfaces": ["oai-chat"], "parameterSpecs": []}
    api(server, "POST", "/api/llms", {"llms": [model | {"initialParameters": {"llmRef": "model"}}]})
    open_page(page)
    expect(label).to_have_text("Own model")
    expect(chosen.first).to_be_hidden()
    pick_model(page, "Demo fast")
    expect(chosen.first).to_be_visible()
    page.locator("#chats").get_by_role("link", name="Gone", exact=True).click()
    expect(page.locator("#thread-title")).to_have_text("Gone")
    page.locator("#new-chat").click()
    expect(label).to_have_text("Demo fast")
