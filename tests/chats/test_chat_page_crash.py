"""The walkthrough "crash me", followed to its end: the server is killed in the middle of an answer, and started."""

import signal
from urllib.parse import urlsplit

import pytest

from tests.chats.chat_page import answers, api, expect, last_answer, open_page, pick_model, wait_for_answer
from tests.servers import execute, run_server

pytestmark = pytest.mark.browser


def test_a_person_kills_the_server_starts_it_and_goes_on(started, browser):
    with run_server(started) as server:
        # Not the fixture's page: a server that is away is an error in its console.
        context = browser.new_context(base_url=server.url)
        session = server.sign_in().cookie("bigagi_session")
        context.add_cookies([{"name": "bigagi_session", "value": session, "url": server.url}])
        page = context.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        open_page(page)
        page.get_by_role("button", name="crash me").click()
        walk = page.get_by_role("dialog", name="Crash me")
        port = urlsplit(server.url).port
        expect(walk).to_contain_text(f"kill -9 {server.process.pid}")
        expect(walk).to_contain_text(f"uv run manage.py start --port {port}")
        walk.get_by_role("button", name="Start").click()
        live = page.locator(".msg-assistant.is-live .msg-body > .tail")
        expect(live).to_contain_text("This is the demo")
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        expect(page.locator(".waiting-note")).to_have_text("Connection lost. Reconnecting…")
        expect(page.locator("#alarm")).to_contain_text("Connection lost")
        expect(live).to_contain_text("This is the demo")
        seen = live.inner_text()
        expect(walk.locator("[data-step=lost]")).to_have_class("is-done")

    with run_server(started, "--port", str(port)) as server:
        wait_for_answer(page)
        expect(answers(page)).to_have_count(1)
        expect(last_answer(page)).to_contain_text("This is the")
        error = last_answer(page).get_by_role("note", name="Error")
        expect(error).to_contain_text("The server stopped during this answer. The part that had arrived is kept")
        expect(page.locator("#alarm")).to_contain_text("The server stopped during this answer.")
        expect(walk.locator("[data-step=back]")).to_have_class("is-done")
        chat = page.url.rsplit("/", 1)[1]
        kept = api(server, "GET", f"/api/chats/{chat}")["messages"][1]["fragments"]
        [text] = [each["part"]["text"] for each in kept if each["part"]["pt"] == "text"]
        # A word comes every half second, and half a second may be lost.
        assert seen.startswith(text.rstrip()) and len(seen.split()) - len(text.split()) <= 1

        pick_model(page, "Demo fast")
        last_answer(page).get_by_role("button", name="Try again with Demo fast").click()
        wait_for_answer(page)
        expect(answers(page)).to_have_count(1)
        expect(last_answer(page)).to_contain_text("You said:")
        expect(page.get_by_role("note", name="Error")).to_have_count(0)
        expect(walk.locator("[data-step=again]")).to_have_class("is-done")
        outcomes = execute(started, "SELECT outcome FROM metrics_usageevent ORDER BY id")
        assert [outcome for (outcome,) in outcomes] == ["crashed", "done"]
        assert faults == []
        context.close()
