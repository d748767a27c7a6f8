"""The panel of a chat's settings: persona, system prompt and parameters, and what a provider is sent of them."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.chats.chat_page import (
    answers,
    api,
    ask,
    expect,
    last_answer,
    make_chat,
    open_page,
    pick_model,
    wait_for_answer,
)
from tests.chats.test_chat_page_faults import sign_in
from tests.providers import run_provider
from tests.servers import Server

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 800}
EFFORT = {"paramId": "llmVndOaiEffort", "initialValue": "medium", "enumValues": ["low", "medium", "high"]}


def make_persona(server: Server, name: str, prompt: str) -> str:
    uid: str = api(server, "POST", "/api/personas", {"name": name, "systemPrompt": prompt})["id"]
    return uid


def make_model(server: Server, url: str) -> None:
    setup = {"oaiKey": "sk-Provider0123456789abcdefGOOD", "oaiHost": url}
    service = {"id": "near", "label": "Near", "vId": "openai", "setup": setup}
    model = {
        **{"id": "near-thinker", "label": "Thinker", "sId": "near", "vId": "openai", "created": 1, "hidden": False},
        **{"contextTokens": 10_000, "maxOutputTokens": 4000, "interfaces": ["oai-chat", "oai-chat-reasoning"]},
        **{"description": "", "parameterSpecs": [EFFORT, {"paramId": "llmVndOaiWebSearchContext"}]},
        "initialParameters": {"llmRef": "thinker", "llmTemperature": 0.5, "llmResponseTokens": 2000},
    }
    api(server, "POST", "/api/llms", {"services": [service], "llms": [model]})


def open_settings(page: Page) -> Any:
    page.get_by_role("button", name="Chat settings").first.click()
    panel = page.get_by_role("dialog", name="Chat settings")
    expect(panel.locator("#settings-body")).to_have_attribute("aria-busy", "false")
    return panel


def undo(page: Page, what: str) -> None:
    page.locator(".toast", has_text=what).last.get_by_role("button", name="Undo").click()


def stored(server: Server, page: Page) -> Any:
    return api(server, "GET", f"/api/chats/{page.url.rsplit('/', 1)[1].partition('#')[0]}")


def test_the_persona_is_the_chats_own_whatever_the_way_to_it(server, page):
    uids = {name: make_persona(server, name, f"You are a {name}.") for name in ("Poet", "Pirate")}
    for name, uid in uids.items():
        make_chat(server, f"With {name}", "Q", "A", systemPurposeId=uid)
    make_chat(server, "Without", "Q", "A")
    shown = page.locator("#persona-name")
    chats = page.locator("#chats")

    def choose(name):
        with page.expect_response("**/chat-parts/settings*"):
            page.locator("#persona").select_option(label=name)

    open_page(page)
    expect(shown).to_have_text("Default")
    for name in ("Pirate", "Poet"):
        chats.get_by_role("link", name=f"With {name}").click()
        expect(shown).to_have_text(name)
    chats.get_by_role("link", name="Without").click()
    expect(shown).to_have_text("Default")
    page.go_back()
    expect(shown).to_have_text("Poet")
    page.reload()
    expect(shown).to_have_text("Poet")
    # Away from the site, and back.
    page.goto("/account")
    page.go_back()
    expect(shown).to_have_text("Poet")
    page.locator("html[data-ready]").wait_for(state="attached")
    answers(page).first.hover()
    answers(page).first.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Branch here").click()
    expect(page.locator("#thread-title")).to_have_text("(1) With Poet")
    expect(shown).to_have_text("Poet")

    # A new chat begins with the default one, and is stored with what is chosen.
    page.locator("#new-chat").click()
    expect(shown).to_have_text("Default")
    panel = open_settings(page)
    expect(panel.locator("#persona")).to_have_value("Generic")
    expect(panel).to_contain_text("bigagi does not have big-AGI's text for this persona. The default prompt is sent:")
    choose("Pirate")
    expect(shown).to_have_text("Pirate")
    expect(panel.locator("#system-prompt")).to_have_value("You are a Pirate.")
    # The panel follows the chat that is on the page.
    chats.get_by_role("link", name="With Poet", exact=True).click()
    expect(panel.locator("#persona")).to_have_value(uids["Poet"])
    page.locator("#new-chat").click()
    expect(shown).to_have_text("Default")
    choose("Pirate")
    ask(page, "Ahoy", "Demo")
    wait_for_answer(page)
    assert stored(server, page)["systemPurposeId"] == uids["Pirate"]
    choose("Poet")
    expect(shown).to_have_text("Poet")
    undo(page, "Persona: Poet")
    expect(shown).to_have_text("Pirate")
    expect(panel.locator("#persona")).to_have_value(uids["Pirate"])
    assert stored(server, page)["systemPurposeId"] == uids["Pirate"]
    page.locator("#new-chat").click()
    expect(shown).to_have_text("Default")
    ask(page, "Good day", "Demo")
    wait_for_answer(page)
    assert stored(server, page)["systemPurposeId"] == "Generic"


def test_a_persona_is_made_edited_duplicated_and_deleted_by_keyboard_alone(server, page):
    with run_provider() as provider:
        make_model(server, provider.url)
        open_page(page, f"/chat-test/{make_chat(server, 'by keys', 'Q', 'A')}")
        pick_model(page, "Thinker")

        def sent():
            page.locator("#message").focus()
            ask(page, "Go on")
            wait_for_answer(page)
            return provider.asked[-1].body["messages"][0]["content"]

        def press(name):
            within = page.locator("dialog[open]").last
            within.get_by_role("button", name=name, exact=True).focus()
            page.keyboard.press("Enter")

        def edit(more, end):
            press("Edit")
            # It is read first.
            expect(page.get_by_label("Name of the persona")).to_be_focused()
            page.locator("#persona-edit-prompt").press_sequentially(more)
            press(end)

        page.locator("#message").focus()
        page.keyboard.press("Control+,")
        panel = page.get_by_role("dialog", name="Chat settings")
        expect(panel.locator("#settings-body")).to_have_attribute("aria-busy", "false")
        expect(page.locator("#open-settings")).to_have_attribute("aria-expanded", "true")
        press("New persona")
        expect(page.get_by_label("Name of the persona")).to_be_focused()
        page.keyboard.type("Gardener")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert").filter(has_text="Write a system prompt")).to_be_visible()
        page.keyboard.type("You grow things.")
        # What was written is kept where somebody leaves.
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="New persona")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_label("Name of the persona")).to_have_value("Gardener")
        page.keyboard.press("Enter")
        expect(page.locator("#persona-name")).to_have_text("Gardener")
        assert sent() == "You grow things."

        # What was cancelled does not come back.
        edit(" Cancelled.", "Cancel")
        edit(" Big ones.", "Save")
        expect(panel.locator("#system-prompt")).to_have_value("You grow things. Big ones.")
        assert sent() == "You grow things. Big ones."

        press("Duplicate")
        expect(page.locator("#persona-name")).to_have_text("Gardener (copy)")
        expect(panel.locator("#persona option", has_text="Gardener")).to_have_count(2)
        press("Delete")
        expect(panel.locator("#persona option", has_text="(copy)")).to_have_count(0)
        expect(panel).to_contain_text("This persona does not exist here.")
        assert sent().startswith("You are a helpful assistant.")
        page.locator(".toast", has_text="deleted").get_by_role("button", name="Undo").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#persona-name")).to_have_text("Gardener (copy)")
        assert sent() == "You grow things. Big ones."

        page.locator("#persona").focus()
        page.keyboard.press("Escape")
        expect(panel).to_be_hidden()
        expect(page.locator("#open-settings")).to_have_attribute("aria-expanded", "false")
        expect(page.locator("#message")).to_be_focused()


def test_a_chat_gets_a_system_prompt_of_its_own_on_a_phone(server, page):
    uid = make_persona(server, "Judge", "Judge fairly.")
    page.set_viewport_size(PHONE)
    page.emulate_media(reduced_motion="reduce")
    with run_provider() as provider:
        make_model(server, provider.url)
        open_page(page, f"/chat-test/{make_chat(server, 'judged', 'Q', 'A', systemPurposeId=uid)}")
        pick_model(page, "Thinker")
        panel = open_settings(page)
        box = panel.bounding_box()
        assert {name: round(value) for name, value in box.items()} == {"x": 0, "y": 0, **PHONE}
        assert page.evaluate("document.querySelector('#chat-settings').scrollWidth <= innerWidth")
        field = panel.get_by_role("textbox", name="System prompt")
        expect(field).to_have_value("Judge fairly.")
        expect(panel.get_by_role("button", name="Save for this chat")).to_be_disabled()
        field.fill("Judge harshly.")
        # What is not saved is here again, and sent only when it is saved.
        page.keyboard.press("Escape")
        panel = open_settings(page)
        expect(field).to_have_value("Judge harshly.")
        panel.get_by_role("button", name="Save for this chat").click()
        expect(panel).to_contain_text("This chat has its own system prompt.")
        expect(field).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.locator(".msg-system")).to_contain_text("Judge harshly.")
        ask(page, "And?")
        wait_for_answer(page)
        assert provider.asked[-1].body["messages"][0] == {"role": "system", "content": "Judge harshly."}
        assert stored(server, page)["messages"][0]["role"] == "system"

        panel = open_settings(page)
        panel.get_by_role("button", name="Use the persona's").click()
        expect(field).to_have_value("Judge fairly.")
        expect(field).to_be_focused()
        expect(page.locator(".msg-system")).to_have_count(0)
        # Notes lie over the panel.
        undo(page, "own system prompt was removed")
        expect(field).to_have_value("Judge harshly.")
        page.keyboard.press("Escape")
        expect(page.locator(".msg-system")).to_contain_text("Judge harshly.")

        # A new chat is made by it, with what is being written.
        page.get_by_role("button", name="Show the list of chats").click()
        page.locator("#new-chat").click()
        expect(page.locator("#thread-title")).to_have_text("New chat")
        page.locator("#message").fill("Half a thou")
        panel = open_settings(page)
        field.fill("Begin with this.")
        panel.get_by_role("button", name="Save for this chat").click()
        expect(panel).to_contain_text("This chat has its own system prompt.")
        page.keyboard.press("Escape")
        expect(page.locator(".msg-system")).to_contain_text("Begin with this.")
        expect(page.locator("#message")).to_have_value("Half a thou")
        ask(page, "Half a thought")
        wait_for_answer(page)
        assert [message["content"] for message in provider.asked[-1].body["messages"]] == [
            *("Begin with this.", "Half a thought")
        ]


def test_parameters_of_the_model_are_set_sent_and_reset(server, page):
    with run_provider() as provider:
        make_model(server, provider.url)
        open_page(page, f"/chat-test/{make_chat(server, 'tuned', 'Q', 'A')}")
        pick_model(page, "Thinker")
        panel = open_settings(page)
        expect(panel).to_contain_text("These settings belong to the model and apply to all chats that use it.")
        temperature, tokens = (panel.get_by_role("spinbutton", name=name) for name in ("Temperature", "Answer tokens"))
        expect(temperature).to_have_value("0.5")
        expect(temperature).to_have_accessible_description(re.compile(r"A number from 0 to 2\. Default: 0\.5\."))
        temperature.fill("3")
        temperature.blur()
        wrong = panel.get_by_role("alert").filter(has_text="Temperature must be a number from 0 to 2.")
        expect(wrong).to_be_visible()
        expect(temperature).to_have_attribute("aria-invalid", "true")
        temperature.fill("1.2")
        page.keyboard.press("Enter")
        expect(panel.get_by_role("button", name="Reset Temperature to its default")).to_be_visible()
        expect(wrong).to_be_hidden()
        panel.get_by_label("Reasoning effort").select_option("high")
        expect(panel.get_by_role("button", name="Reset Reasoning effort")).to_be_visible()
        tokens.fill("4000")
        tokens.blur()
        # What is kept free for the answer is part of the gauge.
        expect(panel.locator("#gauge-parts")).to_contain_text("Kept free for the answer4,000")
        panel.get_by_text("1 more setting of big-AGI's").click()
        expect(panel.get_by_text("web search context.")).to_be_visible()
        ask(page, "Now")
        wait_for_answer(page)
        body = provider.asked[-1].body
        assert (body["temperature"], body["reasoning_effort"], body["max_completion_tokens"]) == (1.2, "high", 4000)

        panel.get_by_role("button", name="Reset Temperature").click()
        expect(temperature).to_have_value("0.5")
        expect(temperature).to_be_focused()
        undo(page, "Temperature of Thinker: default")
        expect(temperature).to_have_value("1.2")
        held = api(server, "GET", "/api/llms/near-thinker")["userParameters"]
        assert held == {"llmTemperature": 1.2, "llmVndOaiEffort": "high", "llmResponseTokens": 4000}


def test_two_tabs_keep_one_anothers_personas(browser, server):
    page, told = sign_in(browser, server)
    uids = [make_persona(server, name, f"{name}.") for name in ("First", "Second")]
    other = page.context.new_page()
    for tab, uid in zip((page, other), uids, strict=True):
        open_page(tab, f"/chat-test/{make_chat(server, f'tab {uid}', 'Q', 'A', systemPurposeId=uid)}")
        open_settings(tab).get_by_role("button", name="Edit").click()
        tab.locator("#persona-edit-prompt").fill("Changed.")
    for tab in (page, other):
        tab.get_by_role("button", name="Save", exact=True).click()
        expect(tab.locator("#system-prompt")).to_have_value("Changed.")
    # The same one in both: the second is told, and says which is to stay.
    page.locator("#persona-change").click()
    expect(page.get_by_role("dialog", name="Edit persona")).to_be_visible()
    expect(page.locator("#persona-edit-prompt")).to_have_value("Changed.")
    api(server, "PATCH", f"/api/personas/{uids[0]}", {"systemPrompt": "From elsewhere."})
    page.locator("#persona-edit-prompt").fill("Mine.")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#persona-edit-error")).to_contain_text("changed in another tab")
    assert api(server, "GET", f"/api/personas/{uids[0]}")["systemPrompt"] == "From elsewhere."
    page.get_by_role("button", name="Replace").click()
    expect(page.locator("#system-prompt")).to_have_value("Mine.")
    assert [each["systemPrompt"] for each in api(server, "GET", "/api/personas")["results"][:2]] == [
        "Changed.",
        "Mine.",
    ]
    # The system prompt of one chat in both. That something else of the chat was changed is no reason to ask.
    other.goto(page.url)
    open_settings(other)
    api(server, "PATCH", f"/api/chats/{page.url.rsplit('/', 1)[1]}", {"userTitle": "Renamed"})
    for tab, text in ((page, "One."), (other, "Two.")):
        tab.locator("#system-prompt").fill(text)
        tab.get_by_role("button", name="Save for this chat").click()
        expect(tab.locator("#system-unsaved") if tab is other else tab.locator("#system-clear")).to_be_visible()
    expect(other.locator("#system-error")).to_contain_text("changed elsewhere")
    expect(other.locator("#system-prompt")).to_have_value("Two.")
    other.get_by_role("button", name="Save for this chat").click()
    expect(other.locator(".msg-system")).to_contain_text("Two.")
    assert all("412" in line for line in told) and len(told) == 2, json.dumps(told)


def test_the_gauge_at_the_message_box_is_never_cut_and_moves_nothing(server, page):
    open_page(page, f"/chat-test/{make_chat(server, 'counted', 'Q ' * 3000, 'A')}")
    pick_model(page, "Demo")
    box = page.locator("#estimate")
    for size in ({"width": 1200, "height": 800}, PHONE, {"width": 320, "height": 640}):
        page.set_viewport_size(size)
        page.locator("#message").fill("")
        # The chat alone.
        expect(box).to_contain_text(re.compile(r"≈ 1\.7k.* · free"))
        places = (
            "() => ['#attach', '#model', '#send'].map((id) => document.querySelector(id).getBoundingClientRect().x)"
        )
        before = page.evaluate(places)
        page.locator("#message").fill("Some words. " * 200)
        expect(box).to_contain_text(re.compile(r"≈ 2\.4k.* · free"))
        assert page.evaluate(places) == before
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        edges = "box => [box.scrollWidth <= box.clientWidth, box.getBoundingClientRect().right <= innerWidth]"
        assert box.evaluate(edges) == [True, True]
    # What is too long however much is left out.
    page.locator("#message").fill("Some words. " * 50_000)
    expect(box).to_have_attribute("title", re.compile(r"Context: 1\d\d% of .* too long for the model"))
    page.locator("#message").fill("Some words. " * 200)
    expect(box).to_contain_text("≈ 2.4k")
    box.click()
    panel = page.get_by_role("dialog", name="Chat settings")
    expect(panel.locator("#gauge-text")).to_contain_text("% of 128,000 tokens. About 2,")
    expect(panel.get_by_role("meter", name="Context")).to_be_visible()
    expect(last_answer(page)).to_be_attached()
