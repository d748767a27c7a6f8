"""What providers send, over a real server: what is stored of it, what the page shows, and what is sent on."""

from collections.abc import Iterator
from typing import Any

import pytest

from llms.vendors.table import vendor_of
from tests.chats.chat_page import expect, open_page
from tests.chats.talking import LIMITS, Talker, error_texts, message_text
from tests.conftest import copy_environment
from tests.providers import ANSWERS, FakeProvider, load_answer, run_provider
from tests.servers import run_server

pytestmark = pytest.mark.browser

VENDORS = ("openai", "openrouter", "perplexity", "mistral", "moonshot", "deepseek", "googleai", "groq")
NAMES = sorted(
    path.stem
    for path in ANSWERS.glob("*.sse")
    # Of vendors' plain answers and refusals, few are enough here.
    if not path.stem.endswith(("-refusal", "-broken")) or path.stem.startswith(VENDORS)
)


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    with run_provider() as running:
        yield running


@pytest.fixture(scope="module")
def talker(first_start: Any, provider: FakeProvider, tmp_path_factory: Any) -> Iterator[Talker]:
    data_dir = tmp_path_factory.mktemp("answers") / "data"
    with copy_environment(first_start, data_dir) as environment, run_server(environment | LIMITS) as server:
        talker = Talker(server)
        for name in VENDORS:
            vendor = vendor_of(name)
            talker.add_service({vendor.key: provider.key, vendor.host_key: provider.url}, ["any"], name, name)
        yield talker


@pytest.fixture
def server(talker: Talker) -> Any:
    return talker.server


def test_all_that_came_is_stored_shown_and_sent_on(talker, provider, page):
    chat = talker.make_chat(userTitle="What providers send")
    expected: list[tuple[str, dict[str, Any]]] = []
    for name in NAMES:
        comment, sent = load_answer(name)
        vendor = comment.get("vendor", "openai")
        provider.replay(sent)
        events = talker.generate(chat, f"{vendor if vendor in VENDORS else 'openai'}-any", name)
        message = events[-1].data["message"]
        assert message_text(message) == comment["text"], name
        reasoning = "".join(fragment["part"].get("aText", "") for fragment in message["fragments"])
        assert reasoning == comment.get("reasoning", ""), name
        assert comment["words"] in " ".join(error_texts(message)), name
        assert set(comment.get("extra", [])) == set(message.get("providerExtra", {})), name
        if "estimated" in comment:
            [(_, estimated, cost, _, output)] = talker.usage_of(message["id"])
            assert estimated and cost and output, name
        expected.append((message["id"], comment))
    assert not provider.queue
    # Each answer in one piece, without its reasoning and its sources.
    talker.generate(chat, "openai-any", "And now?")
    history = [message["content"] for message in provider.asked[-1].body["messages"] if message["role"] == "assistant"]
    said = [text for _, comment in expected if (text := comment["text"])]
    # Images and sound are named behind the text.
    assert [text.partition("\n\n[")[0] for text in history if text] == said

    open_page(page, f"/chat-test/{chat}")
    for uid, comment in expected:
        turn = page.locator(f'.msg[data-message="{uid}"]')
        if turn.count() == 0:
            open_page(page, f"/chat-test/{chat}#{uid}")
        expect(turn).to_contain_text(comment["text"].strip() or comment["words"])
        expect(turn).to_contain_text(comment["words"])
        for url, title in comment.get("citations", []):
            expect(turn.locator(f'a[href="{url}"]')).to_contain_text(title)
        for address in comment.get("media", []):
            kind = "img" if address.startswith("data:image") else "audio"
            assert turn.locator(kind).first.get_attribute("src").startswith("/"), uid
