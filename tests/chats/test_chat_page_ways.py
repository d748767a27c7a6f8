"""Each feature of the chat page by mouse, by keyboard alone and on a phone; what came of it is asked of the API."""

import json
import re
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from tests.chats.chat_page import answers, api, expect, last_answer, make_chat, open_page, wait_for_answer
from tests.chats.documents import make_pdf
from tests.chats.test_chat_page_costs import make_priced_chat
from tests.chats.test_conversation_page import make_png
from tests.chats.ways import Keyboard, Mouse, Phone, Way

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.any_database]

CHAT, SPARE = "Bridges", ["Alpha", "Beta", "Gamma"]

MODELS = {"Demo": "bigagi-demo-echo", "Demo slow": "bigagi-demo-slow", "Seven": "openai-7-seven"}


def fill(server: Any) -> dict[str, str]:
    """Leave these chats on the server, and nothing that an earlier way made; return their ids by their titles."""
    if old := [chat["id"] for chat in api(server, "GET", "/api/chats?page_size=200")["results"]]:
        api(server, "POST", "/api/chats/bulk", {"action": "delete", "ids": old})
    for kind in ("folders", "personas"):
        for each in api(server, "GET", f"/api/{kind}")["results"]:
            api(server, "DELETE", f"/api/{kind}/{each['id']}")
    api(server, "POST", "/api/personas", {"name": "Poet", "systemPrompt": "Rhyme."})
    priced = make_priced_chat(server)
    api(server, "PATCH", "/api/services/openai-7", {"setup": {"oaiKey": "sk-0123456789abcdefghij"}})
    api(server, "PATCH", "/api/llms/openai-7-seven/parameters", {"llmTemperature": None})
    uids = {title: make_chat(server, title, f"About {title}", "A") for title in [*SPARE, CHAT]}
    return uids | {"priced": priced}


def messages(way: Way) -> list[Any]:
    found: list[Any] = way.get(f"/api/chats/{way.uids[CHAT]}")["messages"]
    return found


def text_of(message: Any) -> str:
    return "".join(each["part"].get("text", "") for each in message["fragments"] if each["part"]["pt"] == "text")


def choose_model(way: Way, label: str) -> None:
    way.press(way.page.locator("#model"), key="Control+m")
    way.page.keyboard.type(label)
    way.take(way.page.locator(f"#models [data-model='{MODELS[label]}']"))
    expect(way.page.locator("#model-label")).to_have_text(label)


def send(way: Way, text: str = "How many are there?", model: str = "Demo") -> None:
    choose_model(way, model)
    way.write("Message", text)
    way.press("Send", key="Enter")
    expect(way.page.locator(".msg-assistant.is-live")).to_have_count(1)


def ask_and_stop(way: Way) -> None:
    send(way)
    wait_for_answer(way.page)
    question, answer = messages(way)[-2:]
    assert text_of(question) == "How many are there?" and answer["generator"]["aix"]["mId"] == "bigagi-demo-echo"
    send(way, "Slowly", "Demo slow")
    expect(way.page.locator(".is-live .tail").first).to_be_visible()
    way.press("Stop", key="Escape")
    wait_for_answer(way.page)
    assert messages(way)[-1]["generator"]["tokenStopReason"] == "client-abort"


def edit_and_regenerate(way: Way) -> None:
    turn = answers(way.page).nth(1)
    way.act_on(turn, "Edit", key="e")
    way.write("Message text", "Six.")
    way.press("Save", key="Control+Enter")
    expect(way.toast).to_contain_text("Message edited.")
    assert text_of(messages(way)[3]) == "Six."
    way.act_on(turn, "Regenerate", key="r")
    wait_for_answer(way.page)
    expect(turn).to_contain_text("not an AI")
    assert "not an AI" in text_of(messages(way)[3]) and len(messages(way)) == 6


def copy(way: Way) -> None:
    way.act_on(last_answer(way.page), "Copy", key="c")
    expect(way.page.locator("#live")).to_have_text("Copied.")
    assert way.page.evaluate("navigator.clipboard.readText()") == text_of(messages(way)[-1])


def delete_a_message(way: Way) -> None:
    # From the box, whose keyboard goes away as the menu opens.
    way.go_to(way.page.locator("#message"))
    way.act_on(last_answer(way.page), "More")
    way.choose("Delete")
    expect(way.page.locator(".msg")).to_have_count(5)
    assert len(messages(way)) == 5
    way.undo("Message deleted.")
    expect(way.page.locator(".msg")).to_have_count(6)
    assert len(messages(way)) == 6


def branch(way: Way) -> None:
    way.act_on(answers(way.page).first, "More")
    way.choose("Branch here")
    expect(way.page.locator("#thread-title")).to_have_text(f"(1) {CHAT}")
    uid = way.page.url.rsplit("/", 1)[1]
    assert len(way.get(f"/api/chats/{uid}")["messages"]) == 2
    way.check("branch")
    way.undo("new branch")
    expect(way.page.locator("#thread-title")).to_have_text(CHAT)


def attach(way: Way) -> None:
    with way.page.expect_file_chooser() as chooser:
        way.press("Attach files")
    chooser.value.set_files(
        [
            {"name": "porto.pdf", "mimeType": "application/pdf", "buffer": make_pdf("Six bridges")},
            {"name": "red.png", "mimeType": "image/png", "buffer": make_png()},
            {"name": "blue.png", "mimeType": "image/png", "buffer": make_png()},
        ]
    )
    expect(way.page.locator("#clips")).to_contain_text("1 page, 2 words")
    way.press(re_button(way, "porto.pdf"))
    expect(way.dialog("porto.pdf").locator("pre")).to_contain_text("Six bridges")
    way.close("porto.pdf")
    way.press("Remove blue.png")
    send(way, "Count them")
    wait_for_answer(way.page)
    kinds = [each["part"]["pt"] for each in messages(way)[-2]["fragments"]]
    assert kinds == ["text", "doc", "reference"]


def re_button(way: Way, begin: str) -> Any:
    return way.page.get_by_role("button", name=re.compile(f"^{begin}"))


def see_an_image(way: Way) -> None:
    way.press(way.page.locator(".picture a").first)
    expect(way.page.locator("#lightbox-title")).to_have_text("red.png")
    way.close("red.png")


def set_up_the_chat(way: Way) -> None:
    choose_model(way, "Seven")
    way.press(way.page.locator("#open-settings"), key="Control+,")
    panel = way.dialog("Chat settings")
    expect(panel.locator("#settings-body")).to_have_attribute("aria-busy", "false")
    way.select(panel.locator("#persona"), "Poet")
    expect(panel.locator("#system-prompt")).to_have_value("Rhyme.")
    uid = way.uids[CHAT]
    assert way.get(f"/api/personas/{way.get(f'/api/chats/{uid}')['systemPurposeId']}")["name"] == "Poet"
    way.write("System prompt", "In haiku.")
    way.press("Save for this chat")
    expect(panel).to_contain_text("This chat has its own system prompt.")
    assert text_of(messages(way)[0]) == "In haiku."
    way.write("Temperature", "0.5", "spinbutton")
    way.page.keyboard.press("Enter")
    expect(way.toast).to_contain_text("Temperature of Seven: 0.5.")
    assert way.get("/api/llms/openai-7-seven")["userParameters"] == {"llmTemperature": 0.5}
    way.undo("Temperature of Seven")
    way.close("Chat settings")


def export(way: Way) -> None:
    def download(kind: str) -> Any:
        way.choose_of_chat("Export…")
        with way.page.expect_download() as download:
            way.press(way.dialog("Export").get_by_role("button", name=re.compile(f"^{kind}")))
        return download.value.path()

    assert "# Bridges" in download("Markdown").read_text()
    assert len(zipfile.ZipFile(download("Zip")).namelist()) >= 3
    assert "<h1>Bridges</h1>" in download("Web page").read_text()
    assert json.loads(download("JSON").read_text())["id"] == way.uids[CHAT]


def keep_in_order(way: Way) -> None:
    path = f"/api/chats/{way.uids[CHAT]}"
    way.choose_of_chat("Rename")
    way.write("Title", "Arches")
    way.press("Save", key="Enter")
    expect(way.page.locator("#thread-title")).to_have_text("Arches")
    assert way.get(path)["userTitle"] == "Arches"
    way.undo("Chat renamed.")
    expect(way.page.locator("#thread-title")).to_have_text(CHAT)
    way.choose_of_chat("Pin")
    expect(way.toast).to_contain_text("Chat pinned.")
    assert [chat["id"] for chat in way.get("/api/chats?pinned=true")["results"]] == [way.uids[CHAT]]
    way.choose_of_chat("Archive")
    expect(way.toast).to_contain_text("Chat archived.")
    assert way.get(path)["isArchived"] is True
    way.undo("Chat archived.")
    way.choose_of_chat("Duplicate")
    expect(way.page.locator("#thread-title")).to_have_text(f"(1) {CHAT}")
    assert way.get("/api/chats?count=1")["count"] == len(way.uids) + 1
    way.choose_of_chat("Delete")
    expect(way.toast).to_contain_text("Chat deleted.")
    assert way.get("/api/chats?count=1")["count"] == len(way.uids)
    way.check("delete a chat")
    way.open_chat(CHAT)


def use_folders(way: Way) -> None:
    way.open_list()
    way.press("New folder")
    way.write("Name", "Trips")
    way.press("Create", key="Enter")
    expect(way.page.locator("#folders")).to_contain_text("Trips")
    way.close_list()
    way.choose_of_chat("Move to folder")
    way.press("Trips", within=way.page.get_by_role("dialog"))
    expect(way.toast).to_contain_text("Moved to Trips.")
    assert way.get("/api/folders")["results"][0]["conversationIds"] == [way.uids[CHAT]]


def use_several(way: Way) -> None:
    bar = way.page.get_by_role("group", name="Selected chats")

    def do(act: str) -> None:
        way.pick_chats("Alpha", "Beta")
        expect(bar).to_contain_text("2 selected")
        way.press(act, within=bar)

    def archived() -> set[str]:
        return {chat["userTitle"] for chat in way.get("/api/chats?archived=true")["results"]}

    way.open_list()
    do("Move to folder")
    way.press("Trips", within=way.page.get_by_role("dialog"))
    expect(way.toast).to_contain_text("2 chats: moved to Trips.")
    folder = "/api/folders/" + way.get("/api/folders")["results"][0]["id"]
    assert len(way.get(folder)["conversationIds"]) == 3
    way.undo("2 chats: moved")
    assert len(way.get(folder)["conversationIds"]) == 1
    do("Archive")
    expect(way.toast).to_contain_text("2 chats archived.")
    assert archived() == {"Alpha", "Beta"}
    way.undo("2 chats archived.")
    assert archived() == set()
    do("Export")
    with way.page.expect_download() as download:
        way.press(way.dialog("Export").get_by_role("button", name=re.compile("^Markdown")))
    assert len(zipfile.ZipFile(download.value.path()).namelist()) == 2
    way.press("Delete", within=bar)
    expect(way.toast).to_contain_text("2 chats deleted.")
    assert way.get("/api/chats?count=1")["count"] == len(way.uids) - 2
    way.undo("2 chats deleted.")
    assert way.get("/api/chats?count=1")["count"] == len(way.uids)
    way.close_list()


def search(way: Way) -> None:
    way.open_list()
    way.write("Find chats by title or text", "gam", "searchbox")
    expect(way.page.locator("#chats [data-chat]")).to_have_count(1)
    way.press(way.chat("Gamma"))
    expect(way.page.locator("#thread-title")).to_have_text("Gamma")
    way.open_list()
    way.write("Find chats by title or text", " ", "searchbox")
    expect(way.chat(CHAT)).to_be_attached()
    way.close_list()


def use_palette(way: Way) -> None:
    def run(words: str, option: str) -> None:
        way.press("Search and commands", key="Control+k")
        way.page.keyboard.type(words)
        way.take(way.page.locator("#palette").get_by_role("option", name=option).first)

    run("dark", "Dark theme")
    expect(way.page.locator("html")).to_have_attribute("data-theme", "dark")
    assert {"dark"} == {each["value"] for each in way.page.context.cookies() if each["name"] == "bigagi_theme"}
    run("light", "Light theme")
    expect(way.page.locator("html")).to_have_attribute("data-theme", "light")
    run("about beta", "Beta")
    expect(way.page.locator("#thread-title")).to_have_text("Beta")


def keep_a_draft(way: Way) -> None:
    way.write("Message", "Half a thought")
    way.open_chat("Gamma")
    expect(way.page.locator("#message")).to_have_value("")
    way.open_chat("Beta")
    expect(way.page.locator("#message")).to_have_value("Half a thought")
    assert len(way.get(f"/api/chats/{way.uids['Beta']}")["messages"]) == 2


def see_costs(way: Way) -> None:
    way.open_chat("priced")
    cost = way.get(f"/api/chats/{way.uids['priced']}/messages/priced-1/cost")["cost_nano_usd"]
    way.press(f"Cost: ${cost / 1e9:.4f}")
    expect(way.dialog("How this cost is calculated")).to_contain_text(f"${cost / 1e9}")
    if isinstance(way, Phone):
        # Its table has no head.
        expect(way.page.get_by_text("Prices are in USD per million tokens.")).to_be_visible()
    way.close("How this cost is calculated")
    way.choose_of_chat("Tokens and cost")
    expect(way.dialog("Tokens and cost")).to_contain_text("Demo")
    way.close("Tokens and cost")


def see_help(way: Way) -> None:
    way.open_list()
    way.press("Shortcuts", key="?")
    expect(way.dialog("Shortcuts")).to_contain_text("New chat")
    way.close("Shortcuts")
    way.close_list()


FEATURES: list[Callable[[Any], None]] = [
    *(ask_and_stop, edit_and_regenerate, copy, delete_a_message, branch, attach, see_an_image, set_up_the_chat),
    *(export, keep_in_order, use_folders, use_several, search, use_palette, keep_a_draft, see_costs, see_help),
]


@pytest.mark.parametrize("kind", [Mouse, Keyboard, Phone], ids=lambda kind: kind.name)
def test_each_feature_is_within_reach(kind, browser, server):
    uids = fill(server)
    context = browser.new_context(
        base_url=server.url, reduced_motion="reduce", permissions=["clipboard-read", "clipboard-write"], **kind.device
    )
    session = server.sign_in().cookie("bigagi_session")
    context.add_cookies([{"name": "bigagi_session", "value": session, "url": server.url}])
    page = context.new_page()
    errors = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    open_page(page, f"/chat-test/{uids[CHAT]}")
    way = kind(page, server, uids)
    for feature in FEATURES:
        feature(way)
        way.check(feature.__name__)
    assert errors == []
