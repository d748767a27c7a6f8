"""What the tests of the inspection panel share."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.servers import Server, execute

__all__ = ["count_marked", "expect", "faults", "open_panel", "run_all", "save", "states_of"]

# A machine that does much else at once is slow.
expect.set_options(timeout=20_000)

_REFUSED = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")
_MARKED = "{0} >= 'sqlite-test-' AND {0} < 'sqlite-test.'"
_TABLES = {"stores_store": "name", "chats_conversation": "uid", "llms_service": "uid", "llms_model": "uid"}
_TABLES |= {"chats_folder": "uid", "workspace_workspace": "uid", "workspace_livefile": "uid"}


@contextmanager
def open_panel(browser: Browser, server: Server, tab: str = "tests", **options: Any) -> Iterator[Page]:
    """Yield the panel, signed in. Errors fail the test, but those that Chromium tells of each answer that refuses."""
    context = browser.new_context(base_url=server.url, **options)
    session = server.sign_in().cookie("bigagi_session")
    context.add_cookies([{"name": "bigagi_session", "value": session, "url": server.url}])
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"/sqlite-test#{tab}")
    page.locator(f"#panel-{tab}[data-ready]").wait_for()
    yield page
    context.close()
    assert [error for error in errors if not _REFUSED.match(error)] == []


def run_all(page: Page, button: str = "Run all") -> None:
    """Run tests to their end."""
    page.get_by_role("button", name=button, exact=True).click()
    page.locator("html[data-tests=ended]").wait_for(timeout=120_000)


def faults(page: Page) -> list[str]:
    """Return what the page tells of each verdict that failed."""
    return page.locator("[data-verdict][data-state=fail]").all_inner_texts()


def states_of(page: Page, kind: str) -> dict[str, str]:
    """Return the states of a test's verdicts."""
    found: dict[str, str] = page.locator(f"[data-kind={kind}] [data-verdict]").evaluate_all(
        "items => Object.fromEntries(items.map(({ dataset }) => [dataset.verdict, dataset.state]))"
    )
    return found


def count_marked(server: Server) -> int:
    """Return how many records of tests the database has."""
    counts = " + ".join(
        f"(SELECT count(*) FROM {table} WHERE {_MARKED.format(column)})" for table, column in _TABLES.items()
    )
    [(count,)] = execute(server.environment, f"SELECT {counts}")
    return int(count)


def save(page: Page, button: str = "Save results") -> Any:
    """Return the JSON of the file that the button saves."""
    with page.expect_download() as download:
        page.get_by_role("button", name=button).locator("visible=true").click()
    with open(download.value.path(), encoding="utf-8") as file:
        return json.load(file)
