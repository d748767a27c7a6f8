"""The chat page in Chromium: how soon the end of a chat is seen, and how long frames take while somebody scrolls."""

import shutil
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.benchmarks.measuring import build_environment, measure_slowness, print_slowness, print_table, run_python
from tests.generated_stores import make_stores
from tests.generators import make_conversation, write_backup
from tests.servers import Server, run_server

SEEN_MS = 1000
PAINT_MS = 500
SCRIPTS_KB = 80
STROKE, SPEED, STROKES = 4_000, 4_000, 10
"""Pixels of a stroke, pixels a second (more than four screens), and how many strokes."""
SHORT = 20
OTHERS = 500
"""Chats beside the measured ones, for the list of chats."""

# The frame that shows the chat's last message is over when a task runs after it.
WATCH = """
(() => {
  const channel = new MessageChannel();
  channel.port1.onmessage = () => (document.documentElement.dataset.seen = performance.now());
  const look = () => {
    const last = document.querySelector("[data-position='LAST'] .msg-body");
    const box = last?.getBoundingClientRect();
    const end = document.querySelector(".thread-foot")?.getBoundingClientRect();
    if (box?.height && end && box.bottom > 0 && box.bottom <= end.top + 80) channel.port2.postMessage(0);
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})();
"""

TOLD = """
() => [
  performance.getEntriesByType("navigation")[0].responseEnd,
  performance.getEntriesByName("first-contentful-paint")[0].startTime,
  Number(document.documentElement.dataset.seen),
  performance
    .getEntriesByType("resource")
    .filter(({ name }) => new URL(name).pathname.endsWith(".js"))
    .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0) / 1000,
]
"""

FRAMES = """
() => {
  let last = performance.now();
  window.frameTimes = [];
  const step = (now) => {
    window.frameTimes.push(now - last);
    last = now;
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}
"""
TAKE_FRAMES = "() => window.frameTimes.splice(0)"

HOLD_TOP = """
() => {
  const scroll = document.getElementById("scroll");
  const hold = () => {
    scroll.scrollTop = 0;
    if (!document.querySelector("[data-position='0']")) requestAnimationFrame(hold);
  };
  hold();
}
"""


@dataclass
class Loads:
    """Loads of one chat, in ms from the navigation's start: the whole HTML, the first paint, its end in sight; and the
    scripts sent, in kB, compressed."""

    uid: str
    messages: int
    html: list[float] = field(default_factory=list)
    painted: list[float] = field(default_factory=list)
    seen: list[float] = field(default_factory=list)
    scripts: list[float] = field(default_factory=list)

    @property
    def is_met(self) -> bool:
        """Whether the targets are met."""
        slowness = measure_slowness()
        targets = ((self.painted, PAINT_MS * slowness), (self.seen, SEEN_MS * slowness), (self.scripts, SCRIPTS_KB))
        return all(statistics.median(values) <= limit for values, limit in targets)


def run(*, quick: bool) -> int:
    """Measure everything and print the tables; return 1 where a target is missed."""
    chats = [make_conversation(1, OTHERS, SHORT), make_conversation(1, OTHERS + 1, 200 if quick else 2000)]
    loads = [Loads(chat["id"], len(chat["messages"])) for chat in chats]
    with _serving(chats) as server, sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        for at in range(-1, 2 if quick else 9):
            for each in loads:
                _load(browser, server, each, is_counted=at >= 0)
        heads = ["chat", "HTML, ms", "first paint, ms", "its end is seen, ms", "longest, ms", "scripts, kB"]
        print_table(heads, [_row(each) for each in loads])
        rows = _scroll(browser, server, loads[-1])
        browser.close()
    heads = [f"scroll through {loads[-1].messages:,} messages, {SPEED:,} pixels a second", "frames", "median, ms"]
    print_table([*heads, "99 %, ms", "longest, ms"], rows)
    print_slowness()
    return 0 if quick or all(each.is_met for each in loads) else 1


@contextmanager
def _serving(chats: list[Any]) -> Iterator[Server]:
    """Yield a server with these chats and others."""
    with tempfile.TemporaryDirectory(prefix="bigagi-benchmark-") as name:
        environment = build_environment(Path(name) / "data")
        (Path(name) / "data").mkdir()
        backup = Path(name) / "chats.json"
        others = [make_conversation(1, index, 4) for index in range(OTHERS)]
        write_backup(backup, [*others, *chats], stores=make_stores(1))
        run_python("manage.py", "migrate", "--verbosity", "0", environment=environment)
        run_python("manage.py", "import_indexeddb", str(backup), environment=environment)
        with run_server(environment) as server:
            yield server


def _open(browser: Browser, server: Server, chat: Loads) -> Page:
    """Open the chat in a browser that has nothing in its cache, and return when its end was seen."""
    context = browser.new_context(base_url=server.url, viewport={"width": 1280, "height": 900})
    session = server.sign_in().cookie("bigagi_session")
    context.add_cookies([{"name": "bigagi_session", "value": session, "url": server.url}])
    page = context.new_page()
    page.add_init_script(WATCH.replace("LAST", str(chat.messages - 1)))
    page.goto(f"/chat-test/{chat.uid}")
    page.locator("html[data-seen][data-ready]").wait_for(state="attached")
    return page


def _load(browser: Browser, server: Server, chat: Loads, *, is_counted: bool) -> None:
    page = _open(browser, server, chat)
    told = page.evaluate(TOLD)
    if is_counted:
        for values, value in zip((chat.html, chat.painted, chat.seen, chat.scripts), told, strict=True):
            values.append(value)
    page.context.close()


def _scroll(browser: Browser, server: Server, chat: Loads) -> list[list[str]]:
    """Return rows of the frames of a scroll up while the chat grows, and of one down when all of it is there."""
    page = _open(browser, server, chat)
    devtools = page.context.new_cdp_session(page)

    def stroke(direction: int) -> list[str]:
        # As a wheel does it: a script that sets the place takes it from the browser, which holds it as the list grows.
        gesture = {"x": 700, "y": 400, "yDistance": direction * STROKE, "speed": SPEED, "gestureSourceType": "mouse"}
        page.evaluate(TAKE_FRAMES)
        for _ in range(STROKES):
            devtools.send("Input.synthesizeScrollGesture", gesture)
        times = page.evaluate(TAKE_FRAMES)
        slow = statistics.quantiles(times, n=100)[-1]
        return [f"{value:.0f}" for value in (len(times), statistics.median(times), slow, max(times))]

    page.evaluate(FRAMES)
    rows = [["up from its end, while it grows", *stroke(1)]]
    page.evaluate(HOLD_TOP)
    page.locator("[data-position='0']").wait_for(timeout=120_000)
    count = page.locator("[data-position]").count()
    rows.append([f"down from its beginning, {count:,} messages on the page", *stroke(-1)])
    page.context.close()
    return rows


def _row(chat: Loads) -> list[str]:
    html, painted, seen = (statistics.median(values) for values in (chat.html, chat.painted, chat.seen))
    paint, end = f"{painted:.0f} (≤ {PAINT_MS})", f"{seen:.0f} (≤ {SEEN_MS})"
    scripts = f"{statistics.median(chat.scripts):.1f} (≤ {SCRIPTS_KB})"
    return [f"{chat.messages:,} messages", f"{html:.0f}", paint, end, f"{max(chat.seen):.0f}", scripts]
