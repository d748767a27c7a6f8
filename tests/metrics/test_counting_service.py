"""Totals are what the reconciliation says, and since counting began anew what is later."""

import random
from collections.abc import Iterator

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from metrics.budgets import OVER, find_budget, read_budgets, set_budget
from metrics.counting import read_totals, start_counting
from metrics.models import Budget, CountingStart, OtherBaseline, UsageEvent
from metrics.reconciliation import Amounts, reconcile
from stores.records.journal.recorder import Origin
from stores.records.undoing import undo
from tests.api import make_baseline
from tests.metrics.events import NOON, make_event

pytestmark = pytest.mark.django_db

ORIGIN = Origin("api", "owner")
QUARTER, DAY = 900_000, 86_400_000


def amounts_of(events: list[UsageEvent]) -> Amounts:
    return sum(
        (
            Amounts(
                event.calls,
                event.cost_nano_usd or 0,
                (event.input_tokens or 0) + (event.cache_read_tokens or 0) + (event.cache_write_tokens or 0),
                (event.output_tokens or 0) + (event.reasoning_tokens or 0),
            )
            for event in events
        ),
        Amounts(),
    )


def fill() -> list[UsageEvent]:
    chance = random.Random(8)
    edges = [NOON + step for step in (-QUARTER, -1, 0, 1, QUARTER, DAY, -DAY)]
    times = edges + [NOON + chance.randrange(-3 * DAY, 3 * DAY) for _ in range(150)]
    return [
        make_event(
            at=at,
            source=chance.choice(["chat", "api", "import", "import", "test"]),
            service=chance.choice(["a", "b", "c", ""]),
            cost_nano_usd=chance.choice([None, 5, 70]),
            cache_read_tokens=chance.choice([None, 11]),
        )
        for at in times
    ]


def make_baselines() -> None:
    make_baseline("a", usageCount=40, totalCosts=0.25, totalInputTokens=5000, lastUsageDate=NOON + 1)
    make_baseline("b", usageCount=7, totalCosts=0.5)
    make_baseline("unused", usageCount=2, totalCosts=1.5, lastUsageDate=NOON)
    OtherBaseline.objects.create(service="a", device="other", data={"usageCount": 3, "lastUsageDate": NOON - DAY})


def test_totals_are_those_of_the_reconciliation() -> None:
    fill()
    make_baselines()
    totals = read_totals().all_time
    reports = reconcile()
    assert {report.service: report.total for report in reports} == {
        service: total.amounts for service, total in totals.items()
    }
    assert {report.service: report.own + report.later for report in reports} == {
        service: total.added for service, total in totals.items()
    }


@pytest.mark.parametrize("at", [NOON - DAY, NOON - 1, NOON, NOON + 1, NOON + 2, NOON + QUARTER, NOON + DAY])
def test_since_a_start_they_are_what_is_later(at: int) -> None:
    events = [event for event in fill() if event.source != "test"]
    make_baselines()
    start_counting(ORIGIN, at)
    since = read_totals().since
    assert since is not None
    for service in ("a", "b", "c", "", "unused"):
        assert since[service].amounts == amounts_of([e for e in events if e.service == service and e.at >= at])


def test_what_is_counted_later_by_a_browser_counts() -> None:
    baseline = make_baseline("a", usageCount=40, totalCosts=0.25)
    start_counting(ORIGIN)
    baseline.usage_count, baseline.total_costs = 42, 0.75
    baseline.save()
    totals = read_totals()
    assert totals.all_time["a"].amounts == Amounts(42, 750_000_000)
    assert totals.since is not None and totals.since["a"].amounts == Amounts(2, 500_000_000)


def since_of(service: str) -> Amounts:
    since = read_totals().since
    assert since is not None
    return since[service].amounts


def test_calls_that_a_browser_tells_of_later_but_were_made_before_do_not_count() -> None:
    baseline = make_baseline("a", usageCount=7, totalCosts=7.0, lastUsageDate=NOON)
    for later in (DAY, 2 * DAY):
        make_event(service="a", source="import", at=NOON + later, cost_nano_usd=10**9)
    start_counting(ORIGIN, NOON + 3 * DAY)
    assert read_totals().all_time["a"].amounts.calls == 9 and since_of("a") == Amounts()
    # The browser's next backup has counted these two as well, and then one more since.
    baseline.usage_count, baseline.total_costs, baseline.last_usage = 9, 9.0, NOON + 2 * DAY
    baseline.save()
    assert read_totals().all_time["a"].amounts.calls == 9 and since_of("a") == Amounts()
    baseline.usage_count, baseline.total_costs, baseline.last_usage = 10, 10.0, NOON + 4 * DAY
    baseline.save()
    assert since_of("a").calls == 1 and since_of("a").cost_nano_usd == 10**9
    # Its message does not count once more.
    make_event(service="a", source="import", at=NOON + 4 * DAY, cost_nano_usd=10**9)
    assert (since_of("a").calls, since_of("a").cost_nano_usd) == (1, 10**9)


@pytest.mark.parametrize(("first", "calls"), [(-60, 0), (60, 20)])
def test_of_a_browser_that_comes_later_counts_what_it_began_later(first: int, calls: int) -> None:
    make_event(service="a", at=NOON - DAY)
    start_counting(ORIGIN, NOON)
    make_baseline("a", usageCount=20, firstUsageDate=NOON + first, lastUsageDate=NOON + DAY)
    assert since_of("a").calls == calls


@pytest.mark.parametrize("newest", ["one", "two"])
def test_two_browsers_with_the_same_first_call_are_told_apart_by_name(newest: str) -> None:
    counts = {"one": 10, "two": 50}
    baseline = make_baseline("a", usageCount=counts[newest], firstUsageDate=NOON)
    baseline.device = newest
    baseline.save()
    other = next(name for name in counts if name != newest)
    data = {"usageCount": counts[other], "firstUsageDate": NOON}
    OtherBaseline.objects.create(service="a", device=other, data=data)
    start_counting(ORIGIN, NOON + DAY)
    assert read_totals().all_time["a"].amounts.calls == 60 and since_of("a") == Amounts()


def test_of_a_browser_that_comes_later_its_messages_count_at_least() -> None:
    start_counting(ORIGIN, NOON)
    make_baseline("a", usageCount=20, firstUsageDate=NOON - DAY, lastUsageDate=NOON + DAY)
    for at in (NOON - 5, NOON, NOON + 5):
        make_event(service="a", source="import", at=at)
    assert since_of("a").calls == 2 and read_totals().all_time["a"].amounts.calls == 20


def test_a_start_can_be_undone_and_that_too() -> None:
    make_event()
    start, change = start_counting(ORIGIN)
    since = read_totals().since
    assert change.action == "reset count" and since is not None
    assert {total.amounts for total in since.values()} == {Amounts()}
    undone = undo(ORIGIN, change.pk)
    assert undone is not None and read_totals().since is None
    undo(ORIGIN, undone.pk)
    assert read_totals().start == start
    assert CountingStart.objects.count() == 1


def test_the_statements_are_as_many_whatever_there_is() -> None:
    counts = []
    for number in range(3):
        for service in range(number * 30, number * 30 + 30):
            make_baseline(f"s{service}", lastUsageDate=NOON)
            make_event(service=f"s{service}")
        if number == 0:
            start_counting(ORIGIN, NOON - DAY)
        with CaptureQueriesContext(connection) as queries:
            read_totals()
        counts.append(len(queries))
    assert len(set(counts)) == 1 and counts[0] <= 12


# --- budgets ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def june() -> Iterator[None]:
    with time_machine.travel(NOON / 1000, tick=False):
        yield


def test_a_budget_counts_the_months_calls(june: None) -> None:
    make_event(service="a", cost_nano_usd=700)
    make_event(service="b", cost_nano_usd=100)
    make_event(service="a", cost_nano_usd=None, cost_code="no-pricing")
    make_event(service="a", cost_nano_usd=10_000, at=NOON - 40 * DAY)
    make_event(service="a", cost_nano_usd=10_000, source="test")
    set_budget(ORIGIN, "a", 1000)
    set_budget(ORIGIN, "", 1000)
    whole, one = read_budgets()
    assert (whole.service, whole.spent_nano_usd, whole.share, whole.state) == ("", 800, 0.8, "warning")
    assert (one.service, one.spent_nano_usd, one.unpriced, one.state) == ("a", 700, 1, "ok")
    make_event(service="a", cost_nano_usd=301)
    assert [budget.state for budget in read_budgets()] == [OVER, OVER]


def test_the_newest_budget_is_in_force_until_it_is_undone(june: None) -> None:
    first = set_budget(ORIGIN, "a", 1000)
    assert set_budget(ORIGIN, "a", 1000) is None
    set_budget(ORIGIN, "a", 2000)
    removal = set_budget(ORIGIN, "a", None)
    assert read_budgets() == [] and set_budget(ORIGIN, "a", None) is None
    assert removal is not None and first is not None
    undo(ORIGIN, removal.pk)
    found = find_budget("a")
    assert found is not None and found.nano_usd == 2000
    undo(ORIGIN, first.pk)
    found = find_budget("a")
    assert found is not None and found.nano_usd == 2000
    assert Budget.objects.count() == 3


def test_no_money_at_all_is_a_budget(june: None) -> None:
    set_budget(ORIGIN, "", 0)
    assert [(budget.share, budget.state, budget.percent) for budget in read_budgets()] == [(None, "ok", 0)]
    make_event(cost_nano_usd=1)
    assert [(budget.state, budget.percent) for budget in read_budgets()] == [(OVER, 100)]


def test_budgets_are_read_by_one_statement() -> None:
    for number in range(20):
        set_budget(ORIGIN, f"s{number}", 5)
    with CaptureQueriesContext(connection) as queries:
        assert len(read_budgets()) == 20
    assert len(queries) == 1
