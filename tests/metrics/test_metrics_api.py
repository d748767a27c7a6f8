import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.api import make_baseline, read, read_problem, sign_in

pytestmark = pytest.mark.django_db

UNKNOWN = dict.fromkeys(
    [
        *("totalCosts", "totalSavings", "totalInputTokens", "totalOutputTokens", "usageCount", "freeUsages"),
        *("noPricingUsages", "noTokenUsages", "partialMessageUsages", "partialPriceUsages"),
        *("firstUsageDate", "lastUsageDate"),
    ]
)


def test_without_metrics_all_is_unknown():
    assert read(sign_in().get("/api/metrics")) == {"totals": UNKNOWN, "services": {}}


def test_totals_are_the_sums_over_the_services():
    first = {"totalCosts": 0.1, "totalSavings": -0.5, "usageCount": 2, "freeUsages": 1, "firstUsageDate": 20}
    second = {"totalCosts": 0.2, "usageCount": 3, "firstUsageDate": 10, "lastUsageDate": 40, "odd": ["kept"]}
    make_baseline("openai", **first)
    make_baseline("a/b", **second)
    metrics = read(sign_in().get("/api/metrics"))
    assert metrics["services"] == {"openai": first, "a/b": second}
    assert metrics["totals"] == UNKNOWN | {
        "totalCosts": pytest.approx(0.3),
        "totalSavings": -0.5,
        "usageCount": 5,
        "freeUsages": 1,
        "firstUsageDate": 10,
        "lastUsageDate": 40,
    }


def test_damaged_totals_are_shown_and_not_added_up():
    damaged = {"totalCosts": "much", "totalSavings": 10**400, "usageCount": True, "freeUsages": None}
    make_baseline("odd", **damaged)
    make_baseline("openai", totalCosts=0.5, totalSavings=0.25, usageCount=1, freeUsages=2)
    metrics = read(sign_in().get("/api/metrics"))
    assert metrics["services"]["odd"] == damaged
    assert metrics["totals"]["totalCosts"] == 0.5
    assert metrics["totals"]["totalSavings"] == 0.25
    assert metrics["totals"]["usageCount"] == 1
    assert metrics["totals"]["freeUsages"] == 2


def test_an_unknown_parameter_is_refused():
    read_problem(sign_in().get("/api/metrics?service=openai"), 400)


def test_the_number_of_queries_does_not_grow_with_the_rows():
    client = sign_in()
    counts = []
    for first, last in ((0, 3), (3, 60)):
        for number in range(first, last):
            make_baseline(f"s{number}")
        with CaptureQueriesContext(connection) as queries:
            assert len(read(client.get("/api/metrics"))["services"]) == last
        counts.append(len(queries))
    assert counts[0] == counts[1]
