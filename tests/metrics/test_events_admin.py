"""The ledger in the admin: what its filters let through, and that they do not read all of it."""

import re

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
        ("when=2026-05-01..2026-05-27", [5, 7]),
        ("when=2026-05-28..2026-05-01", [0, 1, 2, 3, 4, 5, 7]),
        (f"when={NOON - DAY}..", [0, 1, 2, 3, 4, 5]),
        (f"when={NOON - DAY + 1}..", [0, 1, 2, 3, 4]),
        (f"when=..{NOON - DAY}", [5, 7]),
        (f"when=..{NOON - DAY - 1}", [7]),
        ("when=9999999999999999..", []),
        ("service=a%2Fb", [1]),
        ("service=", [7]),
        ("model=", [7]),
        ("vendor=", [7]),
        ("conversation=two+words", [7]),
        ("conversation=Two+words", []),
        ("conversation=", [0, 1, 2, 3, 4, 5]),
        ("model=m", [2]),
        ("vendor=v", [2]),
        ("outcome=failed", [3]),
        ("price=unpriced", [5]),
        ("price=free", [4]),
        ("price=priced", [0, 1, 2, 3, 7]),
        ("taken-back=stands", [0, 1, 2, 3, 4, 5, 7]),
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
        {"at": NOON - 2 * DAY, "service": "", "model": "", "vendor": "", "conversation": "two words"},
    ]
    keys = [make_event(**fact).pk for fact in facts]
    rows = owner_client.get(f"{EVENTS}?{query}").context["cl"].result_list
    assert sorted(row.pk for row in rows) == [keys[at] for at in found]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("when=1780000200000..", "From 2026-05-28 20:30:00 UTC"),
        ("when=..9999999999999999", "Until 9999999999999999"),
        ("when=2026-05-28..2026-05-28", "2026-05-28"),
        ("service=", "no service"),
        ("conversation=a%3Cb", "a<b"),
    ],
)
def test_what_a_link_asks_for_is_among_the_choices(owner_client, query, told):
    make_event(service="")
    shown = owner_client.get(f"{EVENTS}?{query}").context["cl"]
    [choice] = [
        choice
        for spec in shown.filter_specs
        for choice in spec.choices(shown)
        if query.partition("=")[0] in spec.expected_parameters() and choice["selected"]
    ]
    assert choice["display"] == told


@pytest.mark.parametrize("words", ["..", "1..2", "-1..", "1.5..", "12345678901234567..", "x..", "..٣", "1…"])
def test_what_is_no_time_filters_nothing_and_is_no_choice(owner_client, words):
    event = make_event()
    shown = owner_client.get(EVENTS, {"when": words}).context["cl"]
    assert [row.pk for row in shown.result_list] == [event.pk] and shown.has_active_filters
    assert not any(choice["selected"] for choice in shown.filter_specs[0].choices(shown))


def test_a_call_stands_by_its_last_event(owner_client):
    def standing() -> list[int]:
        rows = owner_client.get(f"{EVENTS}?taken-back=stands").context["cl"].result_list
        return [row.pk for row in rows]

    event = make_event()
    assert standing() == [event.pk]
    correction = correct(event)
    assert standing() == []
    again = correct(correction)
    assert standing() == [again.pk]


def test_what_stands_is_listed_in_the_order_of_an_index(owner_client):
    with CaptureQueriesContext(connection) as queries:
        owner_client.get(f"{EVENTS}?taken-back=stands")
    [statement] = [query["sql"] for query in queries if re.search(r"EXISTS.*ORDER BY", query["sql"])]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}")
            plan = [row[3] for row in cursor.fetchall()]
        assert "SCAN metrics_usageevent USING INDEX metrics_event_at" in plan, plan
        assert not any("TEMP B-TREE" in step for step in plan), plan


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


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        (
            {
                **{"vendor": "moonshot", "input_tokens": 20, "cache_read_tokens": 80, "output_tokens": 20},
                "raw_usage": {"prompt_tokens": 100, "completion_tokens": 20, "cached_tokens": 80},
            },
            ["Moonshot AI, &quot;Chat API&quot;", "prompt_tokens 100, cached_tokens 80", "the others are subtracted"],
        ),
        (
            {
                **{"vendor": "openai", "input_tokens": 9, "output_tokens": 7, "estimated": True},
                "raw_usage": {"prompt_tokens": 9, "completion_tokens": -1},
            },
            ["estimated: it was not reported"],
        ),
        (
            {"vendor": "openai", "input_tokens": 9, "output_tokens": 7, "raw_usage": {"completion_tokens": 0}},
            ["completion_tokens 0", "estimated: the reported count is impossible"],
        ),
    ],
)
def test_a_call_shows_what_was_told_and_what_was_taken(owner_client, fact, words):
    page = owner_client.get(f"{EVENTS}{make_event(**fact).pk}/change/").content.decode()
    assert all(word in page for word in words), words


@pytest.mark.parametrize(
    "fact",
    [
        {"source": "import", "vendor": "openai", "raw_usage": {"TIn": 5}},
        {"vendor": "bigagi", "raw_usage": {"demo": True}, "cost_nano_usd": None, "cost_code": "free"},
    ],
)
def test_what_no_provider_told_has_no_table(owner_client, fact):
    page = owner_client.get(f"{EVENTS}{make_event(**fact).pk}/change/").content.decode()
    assert "Read after" not in page
    assert ("free" in page) == (fact.get("cost_code") == "free")
