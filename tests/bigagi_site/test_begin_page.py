"""The first minute in a browser: bringing a backup, beginning a chat, one theme on all pages, the menu on a phone."""

import pytest

from tests.chats.chat_page import api, expect, open_page, pick_model, wait_for_answer
from tests.generators import write_flash_backup
from tests.servers import execute

pytestmark = pytest.mark.browser

PAGES = ("/", "/chat-test", "/settings", "/admin/", "/admin/stores/change/", "/api/docs", "/sqlite-test", "/nowhere")


def ground(page):
    """Return what the page is drawn on, as red, green and blue, and whether its form controls are dark."""
    color, scheme = page.evaluate(
        """() => {
            const style = getComputedStyle(document.documentElement);
            return [getComputedStyle(document.body).backgroundColor, style.colorScheme];
        }"""
    )
    canvas = page.evaluate(
        """color => {
            const canvas = document.createElement("canvas").getContext("2d");
            canvas.fillStyle = color;
            canvas.fillRect(0, 0, 1, 1);
            return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
        }""",
        color,
    )
    return "dark" if sum(canvas) < 200 else "light", scheme


def test_one_theme_rules_all_pages(page):
    system, chosen = "light", "dark"
    page.emulate_media(color_scheme=system)
    # unfold keeps a theme of its own, which nobody can choose any more.
    page.goto("/admin/")
    page.evaluate(f"localStorage.setItem('adminTheme', '\"{chosen}\"')")
    for path in ("/", "/admin/"):
        page.goto(path)
        assert ground(page)[0] == system, path
    page.goto("/settings")
    page.get_by_label(chosen.capitalize(), exact=True).check()
    expect(page.locator("#display")).to_contain_text("Saved in this browser.")
    assert ground(page)[0] == chosen
    for path in PAGES:
        # Before any script: what the server sends is drawn in the right theme at once.
        html = page.request.get(path).text()
        assert f'data-theme="{chosen}"' in html or f'class="{chosen}"' in html, path
        if path != "/nowhere":
            page.goto(path)
            assert ground(page)[0] == chosen, path
    page.goto("/admin/")
    page.keyboard.press("Control+e")
    assert ground(page)[0] == system
    page.goto("/chat-test")
    assert ground(page)[0] == system
    page.goto("/settings")
    page.get_by_label("As the system").check()
    page.emulate_media(color_scheme=chosen)
    assert ground(page)[0] == chosen


def test_an_empty_chat_helps_to_begin(page, server):
    """By keyboard, on a phone: a starter, the menu, and the trials under Inspect."""
    service = {"id": "one", "label": "One", "vId": "openrouter", "setup": {"oaiKey": "k"}}
    model = {"id": "one-dear", "label": "Dear", "sId": "one", "vId": "openrouter", "hidden": False}
    api(server, "POST", "/api/llms", {"services": [service], "llms": [model]})
    api(server, "PUT", "/api/assignments/primaryChat", {"modelId": "bigagi-demo-echo"})
    page.add_init_script("""
        window.screen_kept = [];
        navigator.wakeLock.request = async () => {
            const lock = new EventTarget();
            lock.release = async () => window.screen_kept.push("release");
            window.screen_kept.push("request");
            return lock;
        };
    """)
    page.set_viewport_size({"width": 390, "height": 800})
    open_page(page)
    expect(page.locator("[data-demo]")).to_be_visible()
    page.locator("#message").fill("my notes")
    page.get_by_role("button", name="Summarize a text").press("Enter")
    expect(page.locator("#message")).to_be_focused()
    assert page.locator("#message").input_value().startswith("Summarize this text")
    assert page.locator("#message").input_value().endswith("my notes")
    page.locator("#message").fill("")
    menu = page.get_by_role("button", name="Menu", exact=True)
    expect(page.get_by_role("navigation", name="Site")).to_be_hidden()
    menu.press("Enter")
    nav = page.get_by_role("navigation", name="Site")
    expect(nav.get_by_role("link", name="Chat")).to_have_attribute("aria-current", "page")
    page.keyboard.press("Escape")
    expect(nav).to_be_hidden()
    expect(menu).to_be_focused()
    # Where another model is chosen, nothing is said of Demo.
    pick_model(page, "Dear")
    expect(page.locator("[data-demo]")).to_be_hidden()
    menu.press("Enter")
    nav.get_by_role("link", name="Inspect").press("Enter")
    page.locator("#panel-tests[data-ready]").wait_for()
    page.get_by_role("link", name="See a failure").press("Enter")
    page.wait_for_url("**/chat-test*")
    page.locator("html[data-ready]").wait_for(state="attached")
    expect(page.locator("#model-label")).to_have_text("Demo failing")
    assert page.url.endswith("/chat-test")
    assert page.locator("#message").input_value() == "Please break off."
    # Nothing was sent by going there.
    assert execute(server.environment, "SELECT count(*) FROM chats_conversation") == [(0,)]
    page.keyboard.press("Enter")
    wait_for_answer(page)
    expect(page.get_by_role("note", name="Error")).to_be_visible()
    # big-AGI's default: the screen stays on while an answer comes.
    assert page.evaluate("screen_kept") == ["request", "release"]


def test_pages_do_not_jump_and_fit_a_phone(page):
    heads = {}
    for width in (390, 800, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        for path in ("/", "/settings", "/import", "/chat-test", "/account", "/api/docs"):
            page.goto(path)
            box = page.locator(".site-header").bounding_box()
            brand = page.locator(".brand").bounding_box()
            heads.setdefault(width, set()).add((box["height"], brand["x"], brand["width"]))
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
        assert len(heads[width]) == 1, heads


def test_a_backup_is_dropped_and_its_chats_are_there(browser, server, tmp_path):
    # Not the fixture's page: a file that is refused is an error in its console.
    context = browser.new_context(base_url=server.url)
    session = server.sign_in().cookie("bigagi_session")
    context.add_cookies([{"name": "bigagi_session", "value": session, "url": server.url}])
    page = context.new_page()
    backup = tmp_path / "Big-AGI-flash.json"
    write_flash_backup(backup, conversations=3, images=1)
    # What another test left here.
    for kind in ("chats", "services"):
        for each in api(server, "GET", f"/api/{kind}")["results"]:
            if not each["_server"].get("virtual"):
                api(server, "DELETE", each["_server"]["href"])
    page.goto("/")
    page.locator("[data-upload][data-ready]").wait_for()
    expect(page.get_by_text("There is nothing here yet.")).to_be_visible()
    # What is no backup is refused in words, and the next try is one press away.
    (tmp_path / "other.json").write_text('{"odd": 1}')
    page.locator("[data-file]").set_input_files(tmp_path / "other.json")
    expect(page.locator("[data-result]")).to_contain_text("other.json")
    expect(page.locator("[data-end]")).to_be_focused()
    expect(page.get_by_role("link", name="See your chats")).to_be_hidden()
    page.get_by_role("button", name="Choose another file").press("Enter")
    expect(page.locator("[data-file]")).to_be_focused()
    moved = page.evaluate_handle(
        """text => {
            const moved = new DataTransfer();
            moved.items.add(new File([text], "Big-AGI-flash.json", { type: "application/json" }));
            return moved;
        }""",
        backup.read_text(),
    )
    page.dispatch_event("main", "drop", {"dataTransfer": moved})
    expect(page.locator("[data-result]")).to_contain_text("3 chats", timeout=60_000)
    expect(page.locator("[data-result]")).to_contain_text("all here, verified")
    # Home tells at once what is here now, and the end of the import stays.
    expect(page.get_by_text("There is nothing here yet.")).to_have_count(0)
    expect(page.get_by_role("heading", name="Continue")).to_be_visible()
    expect(page.locator("[data-end]")).to_be_focused()
    expect(page.get_by_role("link", name="Report")).to_have_attribute("href", "/import/1")
    page.get_by_role("link", name="See your chats").click()
    page.locator("#chats .chat-row").nth(1).wait_for()
    page.goto("/")
    expect(page.get_by_role("heading", name="Continue")).to_be_visible()
    page.locator(".latest a").first.press("Enter")
    page.locator("#turns .msg").first.wait_for()
