"""Series equal the sums of the ledger, however they are divided."""

import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from math import ceil
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from metrics.days import EARLIEST
from metrics.filters import EventFilterSet
from metrics.latency import PERCENTILES, find_percentiles
from metrics.ledger.keeping import keep_ledger
from metrics.models import UsageEvent
from metrics.models.events import NOT_ERRORS
from metrics.models.rollups import LATENCY_BOUNDS
from metrics.series import BY, LATENCIES, TOKENS, InvalidQuery, Query, read_series
from tests.bigagi_site.factories import make_conversation
from tests.metrics.events import make_event

pytestmark = [pytest.mark.django_db, pytest.mark.each_database]

BERLIN = ZoneInfo("Europe/Berlin")
START, END = date(2026, 3, 16), date(2026, 4, 12)
"""Four weeks around the night in which clocks are put forward."""
EDGES = (1, *LATENCY_BOUNDS, 10**12)


def ms(*moment: int, zone: ZoneInfo = BERLIN) -> int:
    return round(datetime(*moment, tzinfo=zone).timestamp() * 1000)


@pytest.fixture
def berlin(settings):
    settings.OWNER_TIME_ZONE = "Europe/Berlin"
    keep_ledger()


def fill(count: int = 400) -> list[UsageEvent]:
    chance = random.Random(3)
    make_conversation("chat-1", system_purpose_id="Developer")
    make_conversation("chat-2", system_purpose_id=None)
    edges = [
        *(ms(2026, 3, 29, hour, minute) for hour in (0, 1, 3, 23) for minute in (0, 59)),
        *(
            ms(2026, 3, 16),
            ms(2026, 3, 16) - 1,
            ms(2026, 4, 13) - 1,
            ms(2026, 4, 13),
            ms(2026, 4, 1),
            ms(2026, 4, 1) - 1,
        ),
    ]
    times = edges + [chance.randrange(ms(2026, 3, 14), ms(2026, 4, 15)) for _ in range(count)]
    for at in times:
        make_event(
            at=at,
            source=chance.choice(["chat", "import", "api", "test"]),
            service=chance.choice(["openai", "anthropic", ""]),
            vendor=chance.choice(["openai", "anthropic"]),
            model=chance.choice(["m-1", "m-2", "m-3"]),
            conversation=chance.choice(["chat-1", "chat-2", "gone", ""]),
            input_tokens=chance.choice([None, 5, 1000]),
            cache_read_tokens=chance.choice([None, 7]),
            reasoning_tokens=chance.choice([None, 3]),
            cost_nano_usd=chance.choice([None, 123, 456_789]),
            cost_code=chance.choice(["", "free"]),
            ms_to_first_token=chance.choice([None, round(chance.lognormvariate(6, 1))]),
            ms_total=round(chance.lognormvariate(8, 2)),
            outcome=chance.choice(["done", "", "error"]),
        )
    return [event for event in UsageEvent.objects.order_by("at") if event.source != "test"]


PERSONAS = {"chat-1": "Developer"}


def key_of(event: UsageEvent, by: str) -> str:
    if by == "persona":
        return PERSONAS.get(event.conversation, "")
    if by == "hour":
        return f"{datetime.fromtimestamp(event.at / 1000, UTC).astimezone(BERLIN).hour:02}"
    return "" if by == "all" else getattr(event, by)


def time_of(event: UsageEvent, per: str) -> str:
    local = datetime.fromtimestamp(event.at // 1000, UTC).astimezone(BERLIN)
    day = local.date()
    return {
        "hour": local.replace(minute=0, second=0).isoformat(timespec="minutes"),
        "day": str(day),
        "week": str(day - timedelta(days=day.weekday())),
        "month": str(day.replace(day=1)),
    }[per]


def expect(events: list[UsageEvent], by: str, per: str) -> dict[tuple[str, str], list[UsageEvent]]:
    groups = defaultdict(list)
    for event in events:
        if ms(2026, 3, 16) <= event.at < ms(2026, 4, 13):
            groups[time_of(event, per), key_of(event, by)].append(event)
    return groups


def check(point: dict, events: list[UsageEvent]) -> None:
    assert point["calls"] == len(events)
    assert point["errors"] == sum(event.outcome not in NOT_ERRORS for event in events)
    unpriced = [event for event in events if event.cost_nano_usd is None and event.cost_code != "free"]
    assert point["unpriced"] == len(unpriced)
    costs = sum(event.cost_nano_usd or 0 for event in events)
    assert point["cost_nano_usd"] == (None if len(unpriced) == len(events) else costs)
    for name in TOKENS:
        assert (point[name] or 0) == sum(getattr(event, name) or 0 for event in events)
    for name, column in (("to_first_token", "ms_to_first_token"), ("total", "ms_total")):
        known = sorted(value for event in events if (value := getattr(event, column)) is not None)
        for percent in PERCENTILES:
            found = point[f"ms_{name}_p{percent}"]
            if not known:
                assert found is None
                continue
            true = known[ceil(percent * len(known) / 100) - 1]
            bucket = sum(true >= bound for bound in LATENCY_BOUNDS)
            assert EDGES[bucket] <= found <= EDGES[bucket + 1]


@pytest.mark.parametrize("per", ["hour", "day", "week", "month"])
@pytest.mark.parametrize("by", BY)
def test_a_series_equals_the_sums_of_the_ledger(berlin, by, per):
    events = fill()
    groups = expect(events, by, per)
    with CaptureQueriesContext(connection) as queries:
        series = read_series(Query(START, END, by=by, per=per))
    assert len(queries) == 1
    points = {(point["at"], point["key"]): point for point in series.points()}
    assert points.keys() == groups.keys() and len(points) == len(series.rows)
    for place, point in points.items():
        check(point, groups[place])


@pytest.mark.parametrize(
    ("by", "filters", "table"),
    [
        ("all", {}, "metrics_usageday"),
        ("model", {}, "metrics_usageday"),
        ("all", {"model": "m-2"}, "metrics_usageday"),
        ("model", {"model": "m-2"}, "metrics_usageday"),
        ("service", {"service": ""}, "metrics_usageday"),
        ("service", {"model": "m-2"}, "metrics_usagedaydetail"),
        ("all", {"model": "m-2", "source": "chat", "vendor": "openai"}, "metrics_usagedaydetail"),
        ("hour", {"model": "m-2"}, "metrics_usagequarter"),
        ("persona", {"service": "openai"}, "metrics_usageevent"),
        ("conversation", {"source": "api", "model": "m-1"}, "metrics_usageevent"),
    ],
)
def test_filters_let_through_what_they_name(berlin, by, filters, table):
    events = [event for event in fill() if all(getattr(event, name) == value for name, value in filters.items())]
    groups = expect(events, by, "day")
    with CaptureQueriesContext(connection) as queries:
        series = read_series(Query(START, END, by=by, **filters))
    assert table in queries[0]["sql"]
    points = {(point["at"], point["key"]): point for point in series.points()}
    assert points.keys() == groups.keys()
    for place, point in points.items():
        check(point, groups[place])


def test_the_hour_that_comes_twice_is_two_hours(berlin):
    first = ms(2026, 10, 25, 1, 30) + 3_600_000
    make_event(at=first)
    make_event(at=first + 3_600_000)
    rows = read_series(Query(date(2026, 10, 25), date(2026, 10, 25), per="hour")).rows
    assert [row[0] for row in rows] == ["2026-10-25T02:00+02:00", "2026-10-25T02:00+01:00"]


def test_hours_begin_where_the_zone_has_them(settings):
    settings.OWNER_TIME_ZONE = "Asia/Kathmandu"
    keep_ledger()
    make_event(at=ms(2026, 5, 1, 12, 59, zone=ZoneInfo("Asia/Kathmandu")))
    rows = read_series(Query(date(2026, 5, 1), date(2026, 5, 1), per="hour")).rows
    assert rows[0][0] == "2026-05-01T12:00+05:45"


@pytest.mark.parametrize(
    ("zone", "day", "hour"),
    [("UTC", "1970-01-01", "00"), ("America/St_Johns", "1969-12-31", "20"), ("Asia/Kathmandu", "1970-01-01", "05")],
)
def test_calls_without_a_date_are_in_the_first_day(settings, zone, day, hour):
    settings.OWNER_TIME_ZONE = zone
    keep_ledger()
    event = make_event(at=0)
    for per, at in (("day", day), ("month", f"{day[:7]}-01"), ("hour", None)):
        end = EARLIEST + timedelta(days=1 if per == "hour" else 700)
        ((found, _, calls, *_),) = read_series(Query(EARLIEST, end, per=per)).rows
        assert calls == 1 and found == at if at else found.startswith(f"{day}T{hour}:")
    assert [row[1] for row in read_series(Query(EARLIEST, EARLIEST + timedelta(days=5), by="hour")).rows] == [hour]
    for start in ("0001-01-01", EARLIEST.isoformat()):
        assert list(EventFilterSet({"start": start}, UsageEvent.objects.all()).qs) == [event]


def test_what_no_call_told_is_unknown():
    make_event(input_tokens=None, output_tokens=None, cost_nano_usd=None, cost_code="no-tokens", ms_to_first_token=None)
    (point,) = read_series(Query(date(2026, 5, 1), date(2026, 6, 30))).points()
    assert point["unpriced"] == point["calls"] == 1
    assert [point[name] for name in (*TOKENS, "cost_nano_usd", "cost_reported_nano_usd")] == [None] * 7
    assert point["ms_to_first_token_p50"] is None and point["ms_total_p50"]


def test_a_free_call_costs_nothing():
    make_event(cost_nano_usd=None, cost_code="free")
    (point,) = read_series(Query(date(2026, 5, 1), date(2026, 6, 30))).points()
    assert (point["cost_nano_usd"], point["unpriced"]) == (0, 0)


def test_calls_taken_back_leave_no_row():
    event = make_event()
    make_event(calls=-1, corrects=event, input_tokens=-100, output_tokens=-20, cost_nano_usd=-450_000)
    for by in ("all", "hour", "conversation"):
        assert read_series(Query(date(2026, 5, 25), date(2026, 6, 20), by=by)).rows == []


def test_without_latencies_it_has_no_percentiles():
    make_event()
    series = read_series(Query(date(2026, 5, 1), date(2026, 6, 30), latencies=False))
    assert not set(LATENCIES) & set(series.columns) and len(series.rows[0]) == len(series.columns)


def test_the_last_bucket_has_no_upper_bound():
    histogram = [0] * len(LATENCY_BOUNDS) + [10]
    assert all(value >= LATENCY_BOUNDS[-1] for value in find_percentiles(histogram))


@pytest.mark.parametrize(
    ("facts", "parameter"),
    [
        ({"by": "colour"}, "by"),
        ({"per": "year"}, "per"),
        ({"source": "test"}, "source"),
        ({"start": date(2026, 2, 2), "end": date(2026, 2, 1)}, "end"),
        ({"by": "persona", "start": date(2026, 1, 1), "end": date(2026, 2, 1)}, "start"),
        ({"per": "hour", "start": date(2026, 1, 1), "end": date(2026, 2, 1)}, "start"),
        ({"start": date(2006, 1, 1), "end": date(2026, 2, 1)}, "start"),
        ({"start": date(1960, 1, 1)}, "start"),
    ],
)
def test_what_cannot_be_read_is_refused(facts, parameter):
    with pytest.raises(InvalidQuery) as refusal:
        Query(**({"start": START, "end": END} | facts))
    assert refusal.value.parameter == parameter
    Query(date(2026, 1, 1), date(2026, 1, 31), by="persona", per="hour")
