"""The chat page tells what is left of the month's budgets, and warns before they are spent."""

import re
import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from metrics.budgets import set_budget
from stores.records.journal.recorder import Origin
from tests.bigagi_site.factories import make_owner, make_service
from tests.chats.chat_page import api, ask, expect, open_page, wait_for_answer
from tests.metrics.events import make_event

ORIGIN = Origin("api", "owner")
DOLLAR = 10**9


@pytest.fixture
def owner_client(client):
    client.force_login(make_owner())
    return client


def spend(dollars: float, **facts) -> None:
    make_event(at=round(time.time() * 1000), cost_nano_usd=round(dollars * DOLLAR), **facts)


def words_of(told: str) -> list[str]:
    lines = re.findall(r'<p class="budget.*?</p>', told, re.DOTALL)
    return [" ".join(re.sub("<meter.*?</meter>|<[^>]+>", " ", line, flags=re.DOTALL).split()) for line in lines]


@pytest.mark.django_db
def test_below_eighty_percent_only_the_panel_tells(owner_client):
    make_service("openai", label="My OpenAI")
    set_budget(ORIGIN, "", 10 * DOLLAR)
    set_budget(ORIGIN, "openai", 5 * DOLLAR)
    spend(1.25)
    make_event(at=round(time.time() * 1000), cost_nano_usd=None, cost_code="no-pricing")
    unpriced = "this month, without 1 unpriced call."
    panel = owner_client.get("/chat-parts/usage").text
    assert words_of(panel) == [f"$1.25 of $10.00 {unpriced}", f"My OpenAI: $1.25 of $5.00 {unpriced}"]
    assert 'value="12"' in panel and "All services: 12% of the budget" in panel
    assert words_of(owner_client.get("/chat-parts/budget").text) == []
    assert words_of(owner_client.get("/chat-test").text) == []


@pytest.mark.django_db
def test_from_eighty_percent_on_the_page_warns(owner_client):
    set_budget(ORIGIN, "", 10 * DOLLAR)
    set_budget(ORIGIN, "gone", DOLLAR)
    spend(7.0)
    spend(1.0, service="gone")
    spend(0.5, service="gone")
    expected = ["85% of the budget. $8.50 of $10.00 this month.", "Over budget. gone: $1.50 of $1.00 this month."]
    assert words_of(owner_client.get("/chat-parts/budget").text) == expected
    assert words_of(owner_client.get("/chat-test").text) == expected


@pytest.mark.django_db
def test_without_budgets_the_page_asks_the_database_once(owner_client):
    with CaptureQueriesContext(connection) as queries:
        page = owner_client.get("/chat-test").text
    assert sum("metrics_budget" in query["sql"] for query in queries) == 1
    assert re.search(r'id="budgets"[^>]* data-none', page)


@pytest.mark.browser
def test_an_answer_that_brings_the_budget_to_its_warning_shows_it(server, page):
    """Demo is free: the call that is told meanwhile costs."""
    api(server, "PUT", "/api/metrics/budgets/all", {"nano_usd": 1000})
    page.set_viewport_size({"width": 390, "height": 800})
    open_page(page, "/chat-test")
    expect(page.locator("#budgets .budget")).to_have_count(0)
    api(server, "POST", "/api/metrics", {"model": "x", "cost_nano_usd": 900})
    ask(page, "Hello")
    wait_for_answer(page)
    line = page.locator("#budgets .budget-warning")
    expect(line).to_contain_text("90% of the budget.")
    expect(line.locator("meter")).to_have_attribute("value", "90")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="Actions for this chat").click()
    page.get_by_role("menuitem", name="Tokens and cost").click()
    expect(page.locator("#usage .budget")).to_contain_text("$0.000001 of $0.000001 this month")
