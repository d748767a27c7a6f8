"""Each cost on the chat page opens its arithmetic."""

import pytest

from tests.chats.chat_page import api, ask, expect, last_answer, make_chat, open_page, wait_for_answer
from tests.servers import execute

pytestmark = pytest.mark.browser
PRICES = {"input": 1.25, "output": 10, "cache": {"cType": "oai-ac", "read": 0.125}}
METRICS = {"TIn": 12_345, "TCacheRead": 4000, "TOut": 950, "TOutR": 300, "$c": 2.5431, "$cReported": 2.6}


def make_priced_chat(server) -> str:
    """Store a chat with an answer that a model with a price gave; return its id."""
    service = {"id": "openai-7", "label": "My OpenAI", "vId": "openai", "setup": {}}
    model = {
        **{"id": "openai-7-seven", "label": "Seven", "sId": "openai-7", "vId": "openai", "hidden": False},
        **{"contextTokens": 9000, "maxOutputTokens": 100, "interfaces": ["oai-chat"], "parameterSpecs": []},
        **{"pricing": {"chat": PRICES}, "created": 1, "description": "", "initialParameters": {"llmRef": "seven"}},
    }
    api(server, "POST", "/api/llms", {"services": [service], "llms": [model]})
    uid = make_chat(server, "priced", "Q", "A")
    message = api(server, "GET", f"/api/chats/{uid}/messages/priced-1")
    del message["_server"]
    aix = {"vId": "openai", "mId": "openai-7-seven"}
    message["generator"] = {"mgt": "aix", "name": "seven", "aix": aix, "metrics": METRICS}
    api(server, "PUT", f"/api/chats/{uid}/messages/priced-1", message)
    return uid


def test_a_cost_opens_its_arithmetic_by_keyboard(server, page):
    uid = make_priced_chat(server)
    open_page(page, f"/chat-test/{uid}")
    cost = last_answer(page).get_by_role("button", name="Cost: $0.0254")
    cost.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="How this cost is calculated")
    rows = dialog.locator("tr")
    expect(rows).to_have_count(5)
    for at, words in enumerate(
        [
            ["New input", "12,345", "× $1.25", "= $0.01543125"],
            ["Cache read", "4,000", "× $0.125", "= $0.0005"],
            ["Output", "including 300 reasoning", "950", "× $10.00", "= $0.0095"],
            ["Sum", "$0.02543125"],
        ],
        start=1,
    ):
        for word in words:
            expect(rows.nth(at)).to_contain_text(word)
    facts = dialog.locator("dl")
    expect(facts).to_contain_text("the price stored with the model")
    expect(facts).to_contain_text("Cost reported by the provider$0.026")
    expect(facts).to_contain_text("openai-7-seven")
    expect(facts).to_contain_text("Nov 21, 2026")
    assert "≈" not in dialog.inner_text()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(cost).to_be_focused()


def test_an_estimate_is_marked_as_one(server, page):
    uid = make_priced_chat(server)
    columns = "at, source, service, vendor, model, conversation, message, input_tokens, output_tokens, estimated"
    values = f"1795288299196, 'chat', 'openai-7', 'openai', 'openai-7-seven', '{uid}', 'priced-1', 100, 20, TRUE"
    execute(
        server.environment,
        f"INSERT INTO metrics_usageevent ({columns}, cost_nano_usd, cost_code, price_source, outcome, calls, change) "
        f"VALUES ({values}, 325000, '', 'user', 'done', 1, '')",
    )
    open_page(page, f"/chat-test/{uid}")
    last_answer(page).get_by_role("button", name="Cost: ≈ $0.0254").click()
    dialog = page.get_by_role("dialog", name="How this cost is calculated")
    expect(dialog).to_contain_text("The provider reported no tokens")
    expect(dialog.locator("tbody tr").first).to_contain_text("≈ 100")
    expect(dialog.locator("tbody tr").first).to_contain_text("= ≈ $0.000125")
    expect(dialog.locator("tfoot")).to_contain_text("≈ $0.000325")
    expect(dialog.locator("dl")).to_contain_text("your own price for this model")
    expect(dialog.locator("dl")).to_contain_text("none")


def test_what_is_free_says_so(server, page):
    open_page(page, f"/chat-test/{make_chat(server, 'gratis')}")
    ask(page, "Hello", "Demo fast")
    wait_for_answer(page)
    last_answer(page).get_by_role("button", name="Cost: free").click()
    dialog = page.get_by_role("dialog", name="How this cost is calculated")
    expect(dialog).to_contain_text("The model is free.")
    expect(dialog.locator("table")).to_have_count(0)
