"""The ledger in the admin: what its filters let through, and that they do not read all of it."""

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from metrics.admin.filters import read_span
from metrics.ledger.corrections import correct
from metrics.names import find_models, find_services, find_vendors
from tests.metrics.events import NOON, make_event

pytestmark = pytest.mark.django_db

EVENTS = "/admin/metrics/usageevent/"
DAY = 86_400_000


@pytest.fixture
def owner_client(client):
    client.force_login(get_user_model().objects.create_superuser("owner"))
    return client


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("when=2026-05-28..2026-05-28", [0, 1, 2, 3, 4]),
        ("when=2026-05-01..2026-05-27", [5]),
        ("when=2026-05-28..2026-05-01", [0, 1, 2, 3, 4, 5]),
        ("service=a%2Fb", [1]),
        ("model=m", [2]),
        ("vendor=v", [2]),
        ("outcome=failed", [3]),
        ("price=unpriced", [5]),
        ("price=free", [4]),
        ("price=priced", [0, 1, 2, 3]),
        ("taken-back=stands", [0, 1, 2, 3, 4, 5]),
        ("taken-back=taken-back", []),
        ("source__exact=import", [4]),
        ("source__exact=test", [6]),
        ("outcome=failed&source__exact=test", [6]),
    ],
)
def test_filters(owner_client, query, found):
    facts = [
        *({}, {"service": "a/b"}, {"model": "m", "vendor": "v"}, {"outcome": "timeout"}),
        {"source": "import", "cost_nano_usd": None, "cost_code": "free"},
        {"at": NOON - DAY, "cost_nano_usd": None, "cost_code": "no-pricing"},
        # A test's call is in no sum, and so in no list that does not ask for it.
        {"source": "test", "outcome": "timeout", "cost_nano_usd": None},
    ]
    keys = [make_event(**fact).pk for fact in facts]
    rows = owner_client.get(f"{EVENTS}?{query}").context["cl"].result_list
    assert sorted(row.pk for row in rows) == [keys[at] for at in found]


def test_a_call_leads_to_what_takes_it_back(owner_client):
    event = make_event()
    correction = correct(event)
    for query, key, other in (("taken-back", event.pk, correction.pk), ("correction", correction.pk, event.pk)):
        answer = owner_client.get(f"{EVENTS}?taken-back={query}")
        assert [row.pk for row in answer.context["cl"].result_list] == [key]
        assert f"/admin/metrics/usageevent/{other}/change/" in answer.text


@pytest.mark.parametrize("words", ["", "someday", "2026-05-01", "2026-13-01..2026-13-02", "0001-01-01..2026-01-01"])
def test_what_is_no_span_filters_nothing(words):
    assert read_span(words) is None


@pytest.mark.parametrize("word", ["today", "7", "30", "month", "last-month", "year"])
def test_named_spans_end_after_they_begin(word):
    first, last = read_span(word)
    assert first <= last


def test_names_are_found_without_reading_all_events():
    for at in range(30):
        make_event(service=f"s{at % 3}", model=f"m{at % 2}", vendor=f"v{at % 2}")
    with CaptureQueriesContext(connection) as queries:
        assert (find_services(), find_models(), find_vendors()) == (["s0", "s1", "s2"], ["m0", "m1"], ["v0", "v1"])
    assert "RECURSIVE" in queries[0]["sql"] and "usageevent" not in queries[2]["sql"]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {queries[0]['sql']}")
            plan = [row[3] for row in cursor.fetchall()]
        assert any("SEARCH metrics_usageevent USING COVERING INDEX metrics_event_service" in step for step in plan), (
            plan
        )
