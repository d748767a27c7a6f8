"""The chat page on a lost and on a slow network: it says so, loses nothing, sends nothing twice, and goes on."""

import json
import socket
import time
from contextlib import suppress
from threading import Thread
from urllib.parse import urlsplit

import pytest

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
from tests.servers import Server

pytestmark = pytest.mark.browser

LOST_SECONDS = 10
SLOW_MS = 2000


class Line:
    """A line to the server that can be cut: what is open then hangs up, and nobody answers until it is mended."""

    def __init__(self, server: Server) -> None:
        self._target = urlsplit(server.url)
        self._open: set[socket.socket] = set()
        self._is_cut = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                self._connect(self._listener.accept()[0])

    def _connect(self, near: socket.socket) -> None:
        if self._is_cut:
            near.close()
            return
        far = socket.create_connection((self._target.hostname, self._target.port))
        self._open |= {near, far}
        for source, sink in ((near, far), (far, near)):
            Thread(target=self._copy, args=(source, sink), daemon=True).start()

    @staticmethod
    def _copy(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while content := source.recv(65536):
                sink.sendall(content)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        self._is_cut = True
        for end in self._open:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._open.clear()

    def mend(self) -> None:
        self._is_cut = False

    def close(self) -> None:
        self._listener.close()
        self.cut()


@pytest.fixture
def line(server):
    """Yield a line to the module's server."""
    line = Line(server)
    yield line
    line.close()


def texts_of(server, uid: str) -> list[str]:
    messages = api(server, "GET", f"/api/chats/{uid}")["messages"]
    return [message["fragments"][0]["part"].get("text", "") for message in messages if message["fragments"]]


def test_a_lost_network_is_told_and_nothing_is_lost(browser, server, line):
    page, _ = sign_in(browser, server)
    uid = make_chat(server, "Lost", "Q", "A")
    open_page(page, f"{line.url}/chat-test/{uid}")
    banner = page.locator("#network")

    # In the middle of an answer.
    ask(page, "Long, please", "Demo long")
    expect(page.locator(".msg-assistant.is-live .msg-body")).to_contain_text("Paragraph 1.")
    line.cut()
    expect(banner).to_contain_text("No connection to the server")
    expect(page.locator(".is-live .waiting-note")).to_contain_text("Connection lost")
    began = time.monotonic()

    # What is written meanwhile is kept, and said not to be stored.
    page.locator("#message").fill("Typed without a network")
    turn = page.locator(".msg-user").first
    turn.hover()
    turn.get_by_role("button", name="Star", exact=True).click()
    expect(page.locator(".toast-bad")).to_contain_text("Cannot reach the server")
    page.locator("#chat-menu").click()
    page.get_by_role("menuitem", name="Rename").click()
    page.get_by_label("Title", exact=True).fill("Found again")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".ask-wrong")).to_contain_text("Cannot reach the server")
    page.wait_for_timeout(max(0, LOST_SECONDS - (time.monotonic() - began)) * 1000)
    line.mend()
    expect(banner).to_be_hidden()
    expect(page.locator(".toast-bad")).to_have_count(0)
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#thread-title")).to_have_text("Found again")
    expect(page.locator(".msg-assistant.is-live .msg-body")).to_contain_text("Paragraph 3.", timeout=30_000)
    page.locator("#stop").click()
    wait_for_answer(page)
    expect(last_answer(page).locator(".msg-body")).to_contain_text("Paragraph 3.")
    shown = last_answer(page).locator(".msg-body").inner_text()
    stored = texts_of(server, uid)[-1]
    assert [shown.count(f"Paragraph {at}.") for at in (1, 2, 3)] == [1, 1, 1]
    assert stored.count("Paragraph") == shown.count("Paragraph")
    expect(page.locator("#message")).to_have_value("Typed without a network")

    # A question that is sent without a network goes when it is back, once.
    pick_model(page, "Demo fast")
    line.cut()
    page.locator("#message").press("Enter")
    expect(banner).to_be_visible()
    expect(page.locator("#message")).to_have_value("Typed without a network")
    line.mend()
    wait_for_answer(page)
    expect(page.locator("#message")).to_have_value("")
    expect(answers(page)).to_have_count(3)
    assert texts_of(server, uid).count("Typed without a network") == 1


def test_an_answer_to_a_message_that_got_lost_is_taken_up_and_the_message_is_there_once(server, browser):
    page, _ = sign_in(browser, server)
    open_page(page)
    lost, refused = [], []
    page.on("response", lambda answer: refused.append(answer.url) if answer.status >= 400 else None)

    def lose(route):
        # The server has it, and the page never hears of that.
        if route.request.method == "POST" and route.request.url not in lost:
            lost.append(route.request.url)
            route.fetch(max_retries=0)
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/api/chats", lose)
    page.route("**/generate?html=1", lose)
    count = len(api(server, "GET", "/api/chats?page_size=200")["results"])
    ask(page, "Only once, please", "Demo fast")
    wait_for_answer(page)
    expect(answers(page)).to_have_count(1)
    assert len(lost) == 2
    # Under their keys the same answers came: nothing was refused as sent twice.
    assert refused == []
    chats = api(server, "GET", "/api/chats?page_size=200")["results"]
    assert len(chats) == count + 1
    assert json.dumps(api(server, "GET", f"/api/chats/{chats[0]['id']}")).count('"text": "Only once, please"') == 1


def test_a_slow_network_shows_that_it_is_waited_for_and_nothing_is_done_twice(server, page):
    uid, other = make_chat(server, "Slow", "Q", "A"), make_chat(server, "Slow too", "Q", "A")
    open_page(page, f"/chat-test/{uid}")
    writes: list[str] = []
    page.on("request", lambda request: writes.append(request.url) if request.method != "GET" else None)
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    slow = {"offline": False, "latency": SLOW_MS, "downloadThroughput": -1, "uploadThroughput": -1}
    network.send("Network.emulateNetworkConditions", slow)

    def wait(act) -> None:
        act()
        expect(page.locator("#busy")).to_be_visible()
        expect(page.locator("#busy")).to_be_hidden(timeout=20_000)

    turn = page.locator(".msg-user").first
    turn.hover()
    star = turn.get_by_role("button", name="Star", exact=True)
    wait(lambda: star.dblclick())
    expect(page.locator(".msg-user").first).to_have_class("msg msg-user is-starred")
    assert len(writes) == 1
    writes.clear()
    link = page.locator("#chats").get_by_role("link", name="Slow too", exact=True)
    wait(lambda: link.dblclick())
    expect(page.locator("#thread-title")).to_have_text("Slow too")
    page.locator("#message").fill("Once")
    page.locator("#message").press("Enter")
    page.locator("#message").press("Enter")
    expect(page.locator("#busy")).to_be_visible()
    wait_for_answer(page)
    assert texts_of(server, other).count("Once") == 1 and len(writes) == 1
