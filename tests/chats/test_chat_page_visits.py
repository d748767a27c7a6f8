"""The page never shows what belongs to another chat, nor sends there: each of its requests is held back in turn, while
somebody goes on to the next chat.

A walk does what can be done on the page, and collects the requests that come of it. A script that asks the server for
something that the walk does not reach fails the test: add an act to `ACTS`."""

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from llms.calls.body import TOKEN_LIMITS
from llms.vendors.endpoint import path_of
from tests.chats.chat_page import api, expect, open_page, pick_model
from tests.nightly import by_day
from tests.servers import REPOSITORY, Server, execute

pytestmark = [pytest.mark.browser, pytest.mark.long]

SCRIPTS = REPOSITORY / "chats" / "static" / "chats" / "chat"
CALL = re.compile(r"(?<![\w.#])(?:call|getText|send)\(")
"""Where a script asks the server for something. `api.js`, which these are functions of, is left out."""
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001"
    "a5f645400000000049454e44ae426082"
)
NAMES = "chats|chat-test|messages|generations|changes|llms|services|folders|personas"
NUMBERS = count()
SETUP = {"ollamaHost": "http://127.0.0.1:9"}
WALK = path_of({"vId": "ollama", "setup": SETUP})
"""Where the service of the walk is called."""


@dataclass
class Chat:
    """A chat of a test, with what can be told from other chats."""

    id: str
    title: str
    word: str
    """Stands in all its messages."""
    persona: str
    model: str

    @property
    def path(self) -> str:
        return f"/chat-test/{self.id}"


def make(server: Server, name: str, persona: str, ref: str, label: str, messages: int = 4) -> Chat:
    """Store a chat that is told from all others by its title, its words, its persona and its model."""
    word = f"{name.lower()}{next(NUMBERS)}"
    generator = {"mgt": "aix", "name": ref, "aix": {"vId": "bigagi", "mId": f"bigagi-demo-{ref}"}}
    made = [
        {
            **{"id": f"{word}-{at}", "role": "assistant" if at % 2 else "user", "tokenCount": 1, "updated": None},
            **{"created": 1_795_288_299_195 + at},
            **({"generator": generator | {"metrics": {"TIn": 1, "TOut": 1, "$code": "free"}}} if at % 2 else {}),
            "fragments": [{"ft": "content", "fId": f"f{at:07}", "part": {"pt": "text", "text": f"{word}, text {at}"}}],
        }
        for at in range(messages)
    ]
    chat = {"userTitle": f"Chat {word}", "systemPurposeId": persona, "messages": made}
    return Chat(api(server, "POST", "/api/chats", chat)["id"], f"Chat {word}", word, persona, label)


# --- what can be done ------------------------------------------------------------------------------------------------


@dataclass
class Walker:
    """The page, and the chat that is on it."""

    page: Any
    server: Server
    chat: Chat
    held: list[Any] = field(default_factory=list)

    def more(self, item: str, role: str = "assistant") -> None:
        """Take an item of the last message's menu."""
        turn = self.page.locator(f".msg-{role}:not(.is-live)").last
        turn.get_by_role("button", name="More", exact=True).click()
        self.page.get_by_role("menuitem", name=item).first.click()

    def menu(self, item: str) -> None:
        """Take an item of the chat's menu."""
        self.page.locator("#chat-menu").click()
        self.page.get_by_role("menuitem", name=item, exact=True).click()

    def answer(self, text: str, ok: str) -> None:
        """Answer the question of a dialog."""
        self.page.locator("#ask-text").fill(text)
        self.page.locator("#ask").get_by_role("button", name=ok, exact=True).click()

    def edit(self, role: str) -> None:
        turn = self.page.locator(f".msg-{role}").last
        turn.hover()
        turn.get_by_role("button", name="Edit", exact=True).click()

    def change(self, role: str) -> None:
        self.edit(role)
        self.page.get_by_label("Message text").fill(f"{self.chat.word}, edited")

    def ask(self, text: str = "and now") -> None:
        self.page.locator("#message").fill(f"{self.chat.word}, {text}")
        self.page.keyboard.press("Enter")


Act = Callable[[Walker], None]


def click(selector: str) -> Act:
    return lambda walker: walker.page.locator(selector).first.click()


def open_again(walker: Walker) -> None:
    walker.page.goto(walker.chat.path, wait_until="commit")


def run_slowly(walker: Walker) -> None:
    pick_model(walker.page, "Demo slow")
    walker.ask()
    walker.page.locator(".is-live .fold-live").wait_for()


def write_elsewhere(walker: Walker) -> None:
    part = {"pt": "text", "text": f"{walker.chat.word}, from elsewhere"}
    message = {"role": "user", "fragments": [{"ft": "content", "fId": "abcdefgh", "part": part}]}
    api(walker.server, "POST", f"/api/chats/{walker.chat.id}/messages", message)
    walker.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def attach(walker: Walker) -> None:
    file = {"name": "dot.png", "mimeType": "image/png", "buffer": PNG}
    walker.page.locator("#files").set_input_files(file)
    walker.page.locator(".clip").wait_for()
    walker.ask("with a picture")


def delete_last(walker: Walker) -> None:
    walker.more("Delete")
    walker.page.locator(".toast", has_text="deleted").wait_for()


def open_models(walker: Walker) -> None:
    walker.page.locator("#model").click()
    walker.page.locator("#models-list [data-model]").first.wait_for()


def pick_other(walker: Walker) -> None:
    open_models(walker)
    walker.page.get_by_label("Find a model").fill("walk-model")
    walker.page.locator("#models-list").get_by_role("option", name="Walk model").click()


def star_model(walker: Walker) -> None:
    walker.page.get_by_label("Find a model").fill("walk-model")
    walker.page.locator("#models-list").get_by_role("option", name="Walk model").wait_for()
    walker.page.keyboard.press("Alt+s")


def make_folder(walker: Walker) -> None:
    walker.page.locator("#new-folder").click()
    walker.answer(f"Folder of {walker.chat.word}", "Create")


def change_folder(item: str, answer: Act) -> Act:
    def change(walker: Walker) -> None:
        row = walker.page.locator("#folders .folder-row", has_text=walker.chat.word)
        row.hover()
        row.get_by_role("button", name="Actions for the folder").click()
        walker.page.get_by_role("menuitem", name=item).click()
        answer(walker)

    return change


def order_folders(walker: Walker) -> None:
    walker.page.locator("#folders .folder-row", has_text=walker.chat.word).get_by_role("button").first.focus()
    walker.page.keyboard.press("Alt+ArrowUp")


def open_empty(walker: Walker) -> None:
    walker.page.locator("#new-chat").click()
    expect(walker.page.locator(".msg")).to_have_count(0)


def regenerate(walker: Walker) -> None:
    walker.more("Regenerate")
    walker.page.locator(".toast", has_text="regenerated").wait_for()


def send_again(walker: Walker) -> None:
    walker.more("Send again from here", "user")
    walker.page.locator(".toast", has_text="Sent again").wait_for()


def open_crash(walker: Walker) -> None:
    # Another page leads to it, by an address that the page takes when it loads.
    script = "performance.getEntriesByType('resource').find(({ name }) => /chat\\/crash\\./.test(name)).name"
    # Not waited for: what it asks for may be held back.
    walker.page.evaluate(f"() => void import({script}).then(({{ openCrash }}) => openCrash())")


def attach_document(walker: Walker) -> None:
    content = f"<p>{walker.chat.word}</p>".encode()
    walker.page.locator("#files").set_input_files({"name": "page.html", "mimeType": "text/html", "buffer": content})


def find_all(walker: Walker) -> None:
    walker.page.keyboard.press("Control+k")
    walker.page.locator("#palette-find").fill(walker.chat.word)
    # The search waits for the next letter.
    walker.page.wait_for_timeout(300)


def export(walker: Walker) -> None:
    walker.menu("Export…")
    walker.page.locator("#export-list button").nth(1).click()


def select(walker: Walker) -> None:
    walker.page.locator("#select-chats").click()
    walker.page.locator(f"[data-chat='{walker.chat.id}'] .chat-box").check()


def rename(walker: Walker) -> None:
    walker.menu("Rename")
    walker.answer(f"Chat {walker.chat.word}, renamed", "Save")


def move(walker: Walker) -> None:
    walker.menu("Move to folder")
    walker.page.locator("#ask").get_by_role("button", name=walker.chat.word).click()


def move_to_new(walker: Walker) -> None:
    walker.menu("Move to folder")
    walker.page.get_by_label("Name of the new folder").fill(f"New folder of {walker.chat.word}")
    walker.page.locator("#ask").get_by_role("button", name="Move", exact=True).click()


def move_and_wait(walker: Walker) -> None:
    move_to_new(walker)
    walker.page.locator(".toast", has_text="moved to").wait_for()


def delete_elsewhere(walker: Walker) -> None:
    api(walker.server, "DELETE", f"/api/chats/{walker.chat.id}")
    walker.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def see_it_gone(walker: Walker) -> None:
    delete_elsewhere(walker)
    walker.page.locator("#restore").wait_for()


def rename_after_deletion(walker: Walker) -> None:
    """Let something stand on a deletion, and see what has to be undone with it."""
    delete_last(walker)
    api(walker.server, "PATCH", f"/api/chats/{walker.chat.id}", {"userTitle": f"Chat {walker.chat.word}, renamed"})
    walker.page.locator(".toast-act").click()
    walker.page.get_by_role("button", name="Undo both").wait_for()


def search(walker: Walker) -> None:
    walker.page.locator("#find").fill(walker.chat.word)


def type_in(walker: Walker) -> None:
    walker.page.locator("#message").fill(f"{walker.chat.word}, not sent")


def open_settings(walker: Walker) -> None:
    walker.page.keyboard.press("Control+,")
    walker.page.locator("#system-prompt").wait_for()


def open_own_persona(walker: Walker) -> None:
    """Give the chat a persona that can be changed."""
    persona = {"name": f"Persona of {walker.chat.word}", "systemPrompt": walker.chat.word}
    uid = api(walker.server, "POST", "/api/personas", persona)["id"]
    api(walker.server, "PATCH", f"/api/chats/{walker.chat.id}", {"systemPurposeId": uid})
    open_page(walker.page, walker.chat.path)
    open_settings(walker)


def write_persona(walker: Walker) -> None:
    walker.page.get_by_label("Name of the persona").fill(f"Persona of {walker.chat.word}")
    walker.page.locator("#persona-edit-prompt").fill(f"{walker.chat.word}, edited")
    walker.page.locator("#persona-edit-ok").click()


def begin_persona(walker: Walker) -> None:
    open_settings(walker)
    walker.page.locator("#persona-new").click()


def begin_edit(walker: Walker) -> None:
    open_own_persona(walker)
    walker.page.locator("#persona-change").click()
    walker.page.locator("#persona-edit-prompt").wait_for()


def set_prompt(walker: Walker) -> None:
    walker.page.locator("#system-prompt").fill(f"{walker.chat.word}, the prompt")
    walker.page.locator("#system-save").click()


def give_prompt(walker: Walker) -> None:
    open_settings(walker)
    set_prompt(walker)
    walker.page.locator("#system-clear").wait_for()


def open_empty_settings(walker: Walker) -> None:
    open_empty(walker)
    open_settings(walker)


def open_parameters(walker: Walker) -> None:
    pick_other(walker)
    open_settings(walker)
    walker.page.locator("#parameter-llmTemperature").wait_for()


def open_refused(walker: Walker) -> None:
    """Let the provider of the model have refused to limit an answer."""
    names = ", ".join(f"('walk', 'model', '{name}', '{WALK}', CURRENT_TIMESTAMP)" for name in TOKEN_LIMITS)
    columns = "service_uid, model_ref, parameter, address, refused_at"
    execute(walker.server.environment, "DELETE FROM llms_refusedparameter")
    execute(walker.server.environment, f"INSERT INTO llms_refusedparameter ({columns}) VALUES {names}")
    open_parameters(walker)


def set_parameter(walker: Walker) -> None:
    field = walker.page.locator("#parameter-llmTemperature")
    field.fill("1.5" if field.input_value() == "1" else "1")
    field.press("Enter")
    # It waits for the next step of an arrow key.
    walker.page.wait_for_timeout(600)


def nothing(walker: Walker) -> None:
    """What is done is what the page does by itself."""


@dataclass
class Deed:
    """Something that can be done in a chat. What it needs to have been done before is not held back."""

    do: Act
    before: Act = nothing
    messages: int = 4


DEEDS = {
    "open": Deed(open_again),
    "join": Deed(open_again, run_slowly),
    "look": Deed(lambda walker: walker.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")),
    "see what was written elsewhere": Deed(write_elsewhere),
    "scroll up": Deed(lambda walker: walker.page.locator("#scroll").evaluate("box => box.scrollTo(0, 0)"), messages=80),
    "follow a link": Deed(lambda walker: walker.page.evaluate(f"location.hash = '{walker.chat.word}-3'"), messages=80),
    "search": Deed(search),
    "type": Deed(type_in),
    "send": Deed(Walker.ask),
    "send a picture": Deed(attach),
    "stop": Deed(click("#stop"), run_slowly),
    "copy": Deed(lambda walker: walker.more("Copy")),
    "star": Deed(lambda walker: walker.more("Star")),
    "regenerate": Deed(lambda walker: walker.more("Regenerate")),
    "branch": Deed(lambda walker: walker.more("Branch here")),
    "delete": Deed(lambda walker: walker.more("Delete")),
    "take a deletion back": Deed(click(".toast-act"), delete_last),
    "edit": Deed(lambda walker: walker.edit("assistant")),
    "save an edit": Deed(click(".editor [type=submit]"), lambda walker: walker.change("assistant")),
    "send an edit": Deed(click(".editor [type=submit]"), lambda walker: walker.change("user")),
    "send again": Deed(lambda walker: walker.more("Send again from here", "user")),
    "see the cost": Deed(click(".msg-assistant .cost")),
    "see the usage": Deed(click("#open-usage")),
    "open the settings": Deed(lambda walker: walker.page.keyboard.press("Control+,")),
    "preview": Deed(click("#preview"), open_settings),
    "choose a persona": Deed(lambda walker: walker.page.locator("#persona").select_option("Generic"), open_settings),
    "make a persona": Deed(write_persona, begin_persona),
    "begin to edit a persona": Deed(click("#persona-change"), open_own_persona),
    "edit a persona": Deed(write_persona, begin_edit),
    "duplicate a persona": Deed(click("#persona-copy"), open_own_persona),
    "delete a persona": Deed(click("#persona-delete"), open_own_persona),
    "set the system prompt": Deed(set_prompt, open_settings),
    "clear the system prompt": Deed(click("#system-clear"), give_prompt),
    "begin a chat by its system prompt": Deed(set_prompt, open_empty_settings),
    "set a parameter": Deed(set_parameter, open_parameters),
    "send a refused parameter again": Deed(click("[data-again]"), open_refused),
    "check the service": Deed(click("#check-now")),
    "open the models": Deed(open_models),
    "choose a model": Deed(pick_other),
    "make a favourite": Deed(star_model, open_models),
    "see hidden models": Deed(click("#show-hidden"), open_models),
    "restore the old answer": Deed(click(".toast-act"), regenerate),
    "take sending again back": Deed(click(".toast-act"), send_again),
    "send a first message": Deed(Walker.ask, open_empty),
    "see more chats": Deed(lambda walker: walker.page.locator("#chats").evaluate("box => box.scrollTo(0, 1e6)")),
    "read a document": Deed(attach_document),
    "find anything": Deed(find_all),
    "export": Deed(export),
    "pin": Deed(lambda walker: walker.menu("Pin")),
    "duplicate": Deed(lambda walker: walker.menu("Duplicate")),
    "archive what is selected": Deed(click("[data-selected=archive]"), select),
    "delete what is selected": Deed(click("[data-selected=delete]"), select),
    "select all": Deed(click("#select-all"), select),
    "see the crash test": Deed(open_crash),
    "make a folder": Deed(make_folder),
    "rename a folder": Deed(change_folder("Rename", lambda walker: walker.answer("Other", "Save")), make_folder),
    "delete a folder": Deed(change_folder("Delete", nothing), make_folder),
    "order folders": Deed(order_folders, make_folder),
    "rename": Deed(rename),
    "archive": Deed(lambda walker: walker.menu("Archive")),
    "move": Deed(move, make_folder),
    "move into a new folder": Deed(move_to_new),
    "take a move into a new folder back": Deed(click(".toast-act"), move_and_wait),
    "take a deletion back with what stands on it": Deed(click(".toast-act"), rename_after_deletion),
    "see that it was deleted elsewhere": Deed(delete_elsewhere),
    "restore what was deleted elsewhere": Deed(click("#restore"), see_it_gone),
    "delete the chat": Deed(lambda walker: walker.menu("Delete")),
}


# --- the walk --------------------------------------------------------------------------------------------------------


def route_of(request: Any, server: Server) -> str:
    """Return method and address of a request, without what is in it of one chat or message; empty: it asks for no data
    of ours."""
    address = urlsplit(request.url)
    if not request.url.startswith(server.url) or request.resource_type not in ("fetch", "xhr"):
        return ""
    path = re.sub(rf"(?<=/)({NAMES})/[^/]+", r"\1/*", address.path)
    names = "&".join(sorted(part.split("=")[0] for part in address.query.split("&") if part))
    return f"{request.method} {path}{'?' if names else ''}{names}"


class Coverage:
    """Which of the places where scripts ask the server have been reached."""

    def __init__(self, page: Any) -> None:
        self._page = page
        self._session = page.context.new_cdp_session(page)
        self._session.send("Profiler.enable")
        self._session.send("Profiler.startPreciseCoverage", {"callCount": True, "detailed": True})
        self._sources: dict[str, str] = {}
        self.found: set[str] = set()
        self.reached: set[str] = set()

    def take(self) -> None:
        """Note what was reached since the last time."""
        for script in self._session.send("Profiler.takePreciseCoverage")["result"]:
            if "/chats/chat/" in script["url"] and not re.search(r"/(api|network)(\.\w+)?\.js", script["url"]):
                self._note(script)

    def _note(self, script: Any) -> None:
        url = script["url"]
        if url not in self._sources:
            self._sources[url] = self._page.request.get(url).text()
        source = self._sources[url]
        lines = [match.start() for match in re.finditer("\n", source)]
        ranges = [each for function in script["functions"] for each in function["ranges"]]
        for match in CALL.finditer(source):
            at = match.start()
            name = f"{url.rsplit('/', 1)[1].split('.')[0]}.js, line {bisect_right(lines, at) + 1}"
            around = [each for each in ranges if each["startOffset"] <= at < each["endOffset"]]
            self.found.add(name)
            if around and min(around, key=lambda each: each["endOffset"] - each["startOffset"])["count"]:
                self.reached.add(name)


@pytest.fixture(scope="module")
def walked(shared_browser, server) -> Iterator[tuple[list[tuple[str, str]], Coverage]]:
    """Yield what can be done with each request that comes of it, and what of the scripts that has reached."""
    furnish(server)
    pairs: list[tuple[str, str]] = []
    with shared_browser.borrow() as browser:
        page = sign_in(browser, server)
        coverage = Coverage(page)
        for name, deed in DEEDS.items():
            walker = Walker(page, server, make(server, "First", "Developer", "echo", "Demo", deed.messages))
            begin(walker, deed)
            routes: list[str] = []
            listen = lambda request, routes=routes: routes.append(route_of(request, server))  # noqa: E731
            page.on("request", listen)
            deed.do(walker)
            settle(page)
            page.remove_listener("request", listen)
            coverage.take()
            pairs += [(name, route) for route in dict.fromkeys(routes) if route]
        yield pairs, coverage


def sign_in(browser: Any, server: Server) -> Any:
    """Return a signed-in page; nothing that a script throws is let pass."""
    context = browser.new_context(base_url=server.url, reduced_motion="reduce")
    session = server.sign_in().cookie("bigagi_session")
    context.add_cookies([{"name": "bigagi_session", "value": session, "url": server.url}])
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.add_init_script(COUNTING)
    return page


def furnish(server: Server) -> None:
    """Add what the walk meets: a model that can be a favourite, one that is hidden, a budget, many chats."""
    service = {"id": "walk", "vId": "ollama", "label": "Walk", "setup": SETUP}
    api(server, "POST", "/api/services", service)
    model = {"id": "walk-model", "label": "Walk model", "sId": "walk", "vId": "ollama", "created": 1, "description": ""}
    model |= {"contextTokens": 1000, "maxOutputTokens": 100, "interfaces": ["oai-chat"], "parameterSpecs": []}
    hidden = {"id": "walk-hidden", "hidden": True, "initialParameters": {"llmRef": "hidden"}}
    models = [model | {"initialParameters": {"llmRef": "model"}}, model | hidden]
    api(server, "POST", "/api/llms", {"llms": models})
    api(server, "PUT", "/api/metrics/budgets/all", {"nano_usd": 10**9})
    for number in range(61):
        api(server, "POST", "/api/chats", {"userTitle": f"Other {number}", "messages": []})


def begin(walker: Walker, deed: Deed) -> None:
    """Open the chat, and do what has to be done before."""
    page = walker.page
    if page.url.startswith("http"):
        page.evaluate("localStorage.clear()")
    open_page(page, walker.chat.path)
    settle(page)
    if deed.before is not nothing:
        deed.before(walker)
        settle(page)


def settle(page: Any) -> None:
    """Wait until the page waits for nothing but an answer that is being written."""
    # What comes a little later, as an estimate does, has this time to come.
    page.evaluate("() => { window.last = performance.now(); }")
    page.wait_for_function(QUIET)


COUNTING = """
    const fetched = window.fetch;
    window.pending = 0;
    window.last = 0;
    window.fetch = (...given) => {
        window.pending += 1;
        return fetched(...given).finally(() => {
            window.pending -= 1;
            window.last = performance.now();
        });
    };
"""
QUIET = "() => document.documentElement?.dataset.ready && !window.pending && performance.now() - window.last > 260"


def test_the_walk_reaches_each_request_that_a_script_can_make(walked):
    _, coverage = walked
    assert len(coverage.found) > 30
    assert sorted(coverage.found - coverage.reached) == []


def test_nothing_that_comes_late_is_shown_in_the_next_chat_nor_sent_there(walked, shared_browser, server):
    pairs, _ = walked
    faults, unasked, tried = [], [], by_day(pairs, each=6)
    with shared_browser.borrow() as browser:
        page = sign_in(browser, server)
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        for name, route in tried:
            first = make(server, "First", "Developer", "echo", "Demo", DEEDS[name].messages)
            second = make(server, "Second", "Scientist", "fast", "Demo fast")
            try:
                if not hold_back(Walker(page, server, first), DEEDS[name], route, second):
                    unasked.append(f"{name}, {route}")
                assert errors == []
            except Exception as error:
                faults.append(f"{name}, {route}: {str(error)[:600]}")
                errors.clear()
            page.unroute_all(behavior="ignoreErrors")
    assert faults == [], "\n\n".join(faults)
    # Some are made now and then, as the look for news is.
    assert len(unasked) <= len(tried) / 10, unasked


def hold_back(walker: Walker, deed: Deed, route: str, second: Chat) -> bool:
    """Do it, go to the second chat before the answer to one of its requests has come, and look at what is there.
    Return False where it was not asked for."""
    page, server = walker.page, walker.server
    begin(walker, deed)
    page.evaluate("([name, text]) => localStorage.setItem(name, text)", [f"bigagi:draft:{second.id}", DRAFT])
    held: list[Any] = []

    def hold(caught: Any) -> None:
        if not held and route_of(caught.request, server) == route:
            held.append(caught)
        else:
            caught.fallback()

    page.route("**/*", hold)
    deed.do(walker)
    for _ in range(250):
        if held:
            break
        page.wait_for_timeout(20)
    if not held:
        return False
    # As somebody does who goes forward in the browser's history.
    page.evaluate(
        "path => { history.pushState({}, '', path); dispatchEvent(new PopStateEvent('popstate')); }", second.path
    )
    expect(page.locator("#thread-title")).to_have_text(second.title)
    check_here(page, second)
    try:
        held[0].continue_()
    except Exception as error:  # the page itself ended what it no longer needs
        assert "handled" in str(error) or "closed" in str(error) or "InterceptionId" in str(error), error
    settle(page)
    check_here(page, second)
    with page.expect_response(lambda answer: "/generate?" in answer.url) as sent:
        page.locator("#message").press("Enter")
    assert sent.value.ok and quote(second.id) in sent.value.url
    expect(page.locator("#message")).to_have_value("")
    assert DRAFT in json.dumps(api(server, "GET", f"/api/chats/{second.id}"))
    chats = api(server, "GET", f"/api/chats?title={quote(walker.chat.word)}")["results"]
    for chat in chats:
        assert DRAFT not in json.dumps(api(server, "GET", f"/api/chats/{quote(chat['id'])}"))
    return True


DRAFT = "Draft of the second"


def check_here(page: Any, chat: Chat) -> None:
    """Check that all that is seen is the chat's."""
    assert urlsplit(page.url).path == chat.path
    expect(page.locator("#thread-title")).to_have_text(chat.title)
    texts = page.locator("#turns > .msg .msg-body").all_text_contents()
    assert len(texts) == 4 and all(chat.word in text for text in texts), texts
    expect(page.locator("#message")).to_have_value(DRAFT)
    expect(page.locator("#model-label")).to_have_text(chat.model)
    expect(page.locator("#persona-name")).to_have_text(chat.persona)
    if page.locator("#chat-settings").is_visible():
        expect(page.locator("#persona")).to_have_value(chat.persona)
    assert page.locator("dialog:modal").count() == 0
    expect(page.locator("#stop")).to_be_hidden()
