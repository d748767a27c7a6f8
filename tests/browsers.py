"""One Chromium for all tests of a process: to start another one for each took longer than most of them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-quic", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]


@dataclass
class SharedBrowser:
    """A running Chromium that tests borrow one after the other; each has profiles of its own in it."""

    browser: "Browser"
    loop: asyncio.AbstractEventLoop

    @contextmanager
    def borrow(self) -> Iterator["Browser"]:
        """Yield the browser, and close what was opened in it."""
        before = _show(self.loop)
        opened = self.browser.contexts
        try:
            yield self.browser
        finally:
            for context in self.browser.contexts:
                if context not in opened:
                    context.close()
            _show(before)


def _show(loop: asyncio.AbstractEventLoop | None) -> asyncio.AbstractEventLoop | None:
    """Make a loop the one that runs in this thread, or none; return which one was.

    Playwright drives Chromium from a loop that looks as if it ran until the browser is closed. Django refuses the
    database to code in a loop, and so the tests between those that borrow the browser must not see it."""
    before = asyncio._get_running_loop()
    asyncio._set_running_loop(loop)
    return before


def _tell(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    # Some tests never answer a request of their page, whose task then ends with the page and not by itself.
    if "was destroyed" not in context["message"]:
        loop.default_exception_handler(context)


@contextmanager
def run_browser(path: str) -> Iterator[SharedBrowser]:
    """Yield the Chromium at `path`, until all tests are over."""
    # Here and not above: without Chromium nobody needs it.
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(_tell)
        _show(None)
        yield SharedBrowser(browser, loop)
        _show(loop)
        browser.close()
