"""Each way in which a provider fails, on the chat page: what came is shown, words say what happened, and it goes on."""

import re
from collections.abc import Iterator

import pytest

from tests.chats.chat_page import answers, ask, expect, last_answer, open_page, wait_for_answer
from tests.chats.talking import LIMITS, Talker, message_text
from tests.chats.test_generation_crash import fill
from tests.chats.test_generation_faults import FAILED, WELL
from tests.conftest import copy_environment
from tests.faulty_provider import FAULTS, KEY, FaultyProvider, begin
from tests.nightly import by_day
from tests.providers import FakeProvider, Handler, run_provider
from tests.servers import Server, run_server

pytestmark = pytest.mark.browser

SHORT = LIMITS | {"BIGAGI_CALL_SECONDS": "2", "BIGAGI_MAX_ANSWER_BYTES": str(3 * 2**19)}
NOTES = {"length": "out of tokens", "content-filter": "stopped by a filter"}
"""What the page notes of answers that are well, but cut."""

UNPRINTABLE = re.compile("[\0\ud800-\udfff]")

ATTACKS = [
    "<script>window.__hacked = 1</script>",
    "<img src=x onerror='window.__hacked = 1'>",
    "<svg onload='window.__hacked = 1'></svg>",
    "<iframe srcdoc='<script>parent.__hacked = 1</script>'></iframe>",
    "</textarea></title></script><script>window.__hacked = 1</script>",
    "<style>body { display: none }</style>",
    "[link](javascript:window.__hacked=1)",
    "![image](javascript:window.__hacked=1)",
    "[data](data:text/html,<script>opener.__hacked=1</script>)",
    "{{ window.__hacked = 1 }} ${window.__hacked = 1}",
]


class RecoveringProvider(FaultyProvider):
    """Fails as it is asked to, until it is well."""

    is_well = False

    def answer(self, handler: Handler) -> None:
        (FakeProvider if self.is_well else FaultyProvider).answer(self, handler)


@pytest.fixture(scope="module")
def whole_provider() -> Iterator[RecoveringProvider]:
    with run_provider(RecoveringProvider(key=KEY)) as provider:
        yield provider


@pytest.fixture
def provider(whole_provider) -> RecoveringProvider:
    whole_provider.is_well = False
    return whole_provider


@pytest.fixture(scope="module")
def talker(first_start, whole_provider, tmp_path_factory) -> Iterator[Talker]:
    data_dir = tmp_path_factory.mktemp("faults") / "data"
    with copy_environment(first_start, data_dir) as environment, run_server(environment | SHORT) as server:
        talker = Talker(server)
        talker.add_service(whole_provider.setup(), [*FAULTS, "good-model"])
        yield talker


def sign_in(browser, server: Server):
    """Return a signed-in page, and the list of what its console, its scripts and its dialogs told."""
    context = browser.new_context(base_url=server.url, reduced_motion="reduce")
    session = server.sign_in().cookie("bigagi_session")
    context.add_cookies([{"name": "bigagi_session", "value": session, "url": server.url}])
    page = context.new_page()
    told: list[str] = []

    def note(message) -> None:
        if message.type == "error":
            told.append(f"{message.text} {message.location['url']}")

    def dismiss(dialog) -> None:
        told.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    page.on("console", note)
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("dialog", dismiss)
    return page, told


@pytest.fixture(scope="module")
def shared_page(shared_browser, talker):
    with shared_browser.borrow() as browser:
        yield sign_in(browser, talker.server)


@pytest.fixture
def told(shared_page) -> list[str]:
    """Return what the page's console told since the test began."""
    shared_page[1].clear()
    return shared_page[1]


@pytest.fixture
def page(shared_page, told):
    """Yield the one page of the module; what its console tells as an error fails the test."""
    yield shared_page[0]
    assert told == []


def choose(page, model: str) -> None:
    """Choose a model by its id."""
    page.locator("#model").click()
    page.get_by_label("Find a model").fill(model)
    page.locator(f'#models-list [data-model="{model}"]').click()
    expect(page.locator("#models")).to_be_hidden()


def send(page, model: str, text: str = "Hello") -> str:
    """Ask the model in a new chat, wait until it has ended, and return the chat's id."""
    if page.locator("#new-chat").count():
        page.locator("#new-chat").click()
        expect(page.locator(".msg")).to_have_count(0)
    else:
        open_page(page)
    choose(page, model)
    ask(page, text)
    wait_for_answer(page)
    return page.url.rsplit("/", 1)[1]


def open_again(page) -> None:
    page.reload()
    page.locator("html[data-ready]").wait_for(state="attached")


def body_of(page) -> str:
    """Return the text of the last answer as it is seen."""
    return last_answer(page).locator(".msg-body").inner_text()


def check_composer(page) -> None:
    """Check that the next message can be written."""
    expect(page.locator("#stop")).to_be_hidden()
    expect(page.locator("#message")).to_have_value("")
    page.locator("#message").fill("And now?")
    expect(page.locator("#send")).to_be_enabled()
    page.locator("#message").fill("")


def check_came(page, came: str) -> None:
    # A text that is very long is shown in part.
    expect(last_answer(page).locator(".msg-body")).to_contain_text(" ".join(came[:5000].split()))


def try_again(page, provider: RecoveringProvider) -> None:
    """Let the provider be well, and take the page's way on."""
    provider.is_well = True
    last_answer(page).get_by_role("button", name="Try again", exact=True).click()
    expect(page.get_by_role("note", name="Error")).to_have_count(0)
    wait_for_answer(page)
    expect(last_answer(page).locator(".msg-body > .md")).to_have_text("All is well.")
    expect(answers(page)).to_have_count(1)
    expect(page.get_by_role("button", name="Try again", exact=True)).to_have_count(0)


def texts_of(talker: Talker, chat: str) -> list[str]:
    return [message_text(message) for message in talker.get(f"/api/chats/{chat}")["messages"]]


# By day some: what becomes of each is seen through the API.
@pytest.mark.parametrize("fault", by_day(list(FAILED), each=4))
def test_a_failure_is_told_and_can_be_tried_again(talker, provider, page, fault):
    came, outcome, words = FAILED[fault]
    came = "and so on and so on" if came is None else came
    chat = send(page, f"faulty-{fault}")
    expect(last_answer(page).get_by_role("note", name="Error")).to_contain_text(words)
    expect(page.locator("#alarm")).to_contain_text(words)
    check_came(page, came)
    check_composer(page)
    shown = body_of(page)
    assert KEY not in page.content()

    open_again(page)
    assert body_of(page) == shown
    check_composer(page)
    try_again(page, provider)
    assert texts_of(talker, chat) == ["Hello", "All is well."]
    events = talker.usage_of(talker.last_message(chat)["id"])
    assert sorted(event[0] for event in events) == sorted([outcome, "done"])


@pytest.mark.parametrize("odd", by_day(list(WELL), each=4))
def test_what_is_odd_is_shown_whole(talker, provider, page, odd):
    chat = send(page, f"faulty-{odd}")
    check_came(page, UNPRINTABLE.sub("\ufffd", WELL[odd]))
    check_composer(page)
    expect(page.get_by_role("note", name="Error")).to_have_count(0)
    expect(page.get_by_role("button", name="Try again", exact=True)).to_have_count(0)
    expect(page.locator("#alarm")).to_have_text("")
    if odd in NOTES:
        expect(last_answer(page).locator(".tag")).to_have_text(NOTES[odd])
    shown = body_of(page)

    open_again(page)
    assert body_of(page) == shown
    assert texts_of(talker, chat) == ["Hello", WELL[odd]]
    provider.is_well = True
    ask(page, "And now?")
    wait_for_answer(page)
    expect(last_answer(page)).to_contain_text("All is well.")


def test_a_key_that_a_model_tells_is_never_on_the_page(provider, page):
    send(page, "faulty-tells-a-key")
    check_came(page, f"Your key is bigagi-secret:{KEY[-4:]}, keep it.")
    assert KEY not in page.content()


# --- markup ----------------------------------------------------------------------------------------------------------


def attack(handler: Handler, provider: FakeProvider) -> None:
    """Answer with markup wherever a provider can put text."""
    whole = "\n\n".join(ATTACKS)
    handler.begin_stream()
    handler.send_event(provider.chunk({"reasoning_content": whole}))
    call = {"index": 0, "id": whole, "type": "function", "function": {"name": ATTACKS[0], "arguments": whole}}
    handler.send_event(provider.chunk({"tool_calls": [call]}))
    # A tag that is cut is no tag in either piece.
    for text in (
        whole,
        "\n\n```html\n",
        whole,
        "\n```\n\n```<script>\n",
        "x\n```\n\n",
        "<scr",
        "ipt>window.__hacked = 1",
    ):
        handler.send_event(provider.chunk({"content": text}))
    citations = ["javascript:window.__hacked=1", "https://example.org/<script>window.__hacked=1</script>"]
    handler.send_event(provider.chunk({"content": "</script>\n\nend"}) | {"citations": citations})
    handler.send_event({"error": {"message": whole, "type": ATTACKS[0], "code": ATTACKS[1]}})


def test_markup_runs_nowhere(talker, provider, page, told):
    provider.queue.append(lambda handler: attack(handler, provider))
    chat = send(page, "faulty-good-model", ATTACKS[0] + ATTACKS[1])
    check_harmless(page)
    for shown in (ATTACKS[1], "<script>window.__hacked = 1</script>", "end"):
        expect(last_answer(page).locator(".msg-body > .md").filter(has_text=shown).first).to_be_visible()
    expect(last_answer(page).get_by_role("note", name="Error")).to_contain_text(ATTACKS[0])
    for fold in last_answer(page).locator("details.fold").all():
        fold.evaluate("fold => (fold.open = true)")
    check_harmless(page)
    talker.send("PATCH", f"/api/chats/{chat}", {"userTitle": "".join(ATTACKS)}, 200)
    open_again(page)
    expect(page.locator("#thread-title")).to_contain_text(ATTACKS[0])
    check_harmless(page)

    # The admin shows the conversation, and each message with all its parts.
    [(key,)] = talker.sql(f"SELECT id FROM chats_conversation WHERE uid = '{chat}'")
    messages = talker.sql(f"SELECT id FROM chats_message WHERE conversation_id = {key}")
    paths = [f"conversation/{key}", *(f"message/{message}" for (message,) in messages)]
    for path in ("conversation/", *(f"{path}/change/" for path in paths)):
        page.goto(f"/admin/chats/{path}")
        expect(page.locator("body")).to_contain_text("__hacked")
        check_harmless(page)
    # A policy that had to stop a script would have told so here.
    assert told == []


def check_harmless(page) -> None:
    """Check that no markup became an element, and no script has run."""
    assert page.evaluate("window.__hacked") is None
    assert page.evaluate("getComputedStyle(document.body).display") != "none"
    own = "script:not([src]):not([type='application/json']):not([type='speculationrules'])"
    for selector in (
        own,
        "iframe",
        "[onerror], [onload]",
        "a[href^='javascript:' i], a[href^='data:' i]",
        "img[src='x']",
    ):
        assert page.locator(selector).evaluate_all("found => found.map((each) => each.outerHTML)") == [], selector


# --- what goes wrong on this side ------------------------------------------------------------------------------------


def test_a_host_that_is_not_there(talker, page):
    talker.add_service({"oaiKey": KEY, "oaiHost": "http://127.0.0.1:9/v1"}, ["any"], "nowhere")
    send(page, "nowhere-any")
    expect(last_answer(page).get_by_role("note", name="Error")).to_contain_text("Cannot reach 127.0.0.1:9")
    expect(last_answer(page).get_by_role("button", name="Try again", exact=True)).to_be_visible()
    check_composer(page)


def test_a_key_that_is_missing_is_told_before_and_when_it_is_sent(talker, provider, page, told):
    talker.add_service({"oaiKey": ""}, ["any"], "keyless")
    talker.add_service(provider.setup(), ["any"], "losing")
    open_page(page)
    page.locator("#model").click()
    page.get_by_label("Find a model").fill("keyless-any")
    option = page.locator('#models-list [data-model="keyless-any"]')
    expect(option).to_have_attribute("aria-disabled", "true")
    expect(page.locator("#models-list .is-bad")).to_contain_text("no API key")
    option.dispatch_event("click")
    expect(page.locator("#models")).to_be_visible()
    page.get_by_label("Find a model").fill("losing-any")
    page.locator('#models-list [data-model="losing-any"]').click()
    expect(page.locator("#model-label")).to_have_text("any")
    talker.send("PATCH", "/api/services/losing", {"setup": {"oaiKey": "", "oaiHost": ""}}, 200)
    page.locator("#message").fill("Not lost")
    page.keyboard.press("Enter")
    expect(page.locator(".toast-bad")).to_contain_text("no API key")
    expect(page.locator("#message")).to_have_value("Not lost")
    expect(page.locator(".msg")).to_have_count(0)
    expect(page.locator("#send")).to_be_enabled()
    expect(page.locator("#stop")).to_be_hidden()
    # The page estimates what the next message costs a moment after the last key.
    page.locator("#message").fill("")
    page.evaluate("localStorage.clear(); sessionStorage.clear()")
    page.goto("about:blank")
    assert [text for text in told if "409" not in text] == []
    told.clear()


def test_a_full_disk_is_told_and_the_answer_is_there_when_there_is_room(talker, provider, page):
    if talker.server.environment.get("DATABASE_URL"):
        pytest.skip("SQLite's triggers play the disk")
    database = talker.server.data_dir / "bigagi.sqlite3"

    def answer(handler: Handler) -> None:
        fill(database, True)
        begin(handler, provider)
        handler.send_event(provider.chunk({}, finish_reason="stop"))

    provider.queue.append(answer)
    try:
        send(page, "faulty-good-model")
        expect(last_answer(page).get_by_role("note", name="Error")).to_contain_text("could not be stored")
        check_came(page, "Some text that came.")
        check_composer(page)
        open_again(page)
        expect(last_answer(page).get_by_role("note", name="Error")).to_contain_text("could not be stored")
        check_came(page, "Some text that came.")
    finally:
        fill(database, False)
    expect(last_answer(page).get_by_role("button", name="Regenerate")).to_be_attached()
    expect(page.get_by_role("note", name="Error")).to_have_count(0)
    check_came(page, "Some text that came.")


def test_an_answer_goes_on_after_the_server_was_killed(browser, started, provider):
    with run_server(started | SHORT) as server:
        Talker(server).add_service(provider.setup(), ["slow", "good-model"])
        page, told = sign_in(browser, server)
        open_page(page)
        choose(page, "faulty-slow")
        ask(page, "Hello")
        expect(page.locator(".msg-assistant.is-live .msg-body")).to_contain_text("word30")
        server.process.kill()
        server.process.wait()
        expect(page.locator(".is-live .waiting-note")).to_contain_text("Connection lost")
        expect(page.locator(".msg-assistant.is-live .msg-body")).to_contain_text("word0 word1")
    port = server.url.rsplit(":", 1)[1]
    with run_server(started | SHORT, "--port", port):
        wait_for_answer(page)
        check_came(page, "word0 word1 word2")
        expect(last_answer(page).get_by_role("note", name="Error")).to_contain_text("stopped during this answer")
        check_composer(page)
        try_again(page, provider)
        page.context.close()
    assert [text for text in told if "ERR_" not in text] == []
