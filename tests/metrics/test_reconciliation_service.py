"""What big-AGI counted, less what messages tell of, is the gap; more than counted is an alarm."""

import math
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from metrics.models import UsageBaseline
from metrics.reconciliation import (
    Amounts,
    DeviceCount,
    amounts_of_baseline,
    float_tolerance,
    nano_of_dollars,
    reconcile,
    weigh,
)
from tests.api import make_baseline
from tests.codecs import read
from tests.metrics.events import NOON, make_event
from tests.strategies import anything, baselines

counts = st.builds(Amounts, *[st.integers(0, 10**9)] * 4)


@given(st.one_of(baselines, anything))
def test_damaged_totals_count_as_nothing(value):
    for amount in vars(amounts_of_baseline(read(value))).values():
        assert type(amount) is int and 0 <= amount < 2**53


@given(st.floats(0, 10**6))
@example(0.012594999999999999)
def test_dollars_become_nano_dollars_by_their_digits(value):
    assert abs(nano_of_dollars(value) - Fraction(repr(value)) * 10**9) <= Fraction(1, 2)


@pytest.mark.parametrize("value", [None, True, "1", -0.01, math.inf, math.nan, 10**400, [1]])
def test_what_is_no_amount_is_none(value):
    assert nano_of_dollars(value) is None


@given(st.lists(counts, max_size=3), counts, counts, counts)
def test_the_parts_add_up(counted, own, explained, later):
    devices = tuple(DeviceCount(f"d{at}", at == 0, one, 5) for at, one in enumerate(counted))
    report = weigh("openai", devices, own, explained, later)

    for name in vars(own):
        whole = sum(getattr(one, name) for one in counted)
        assert getattr(report.counted, name) == whole == getattr(report.explained, name) + getattr(report.gap, name)
        assert getattr(report.total, name) == whole + getattr(own, name) + getattr(later, name)
    is_more = report.gap.calls < 0 or report.gap.cost_nano_usd < -report.tolerance_nano_usd
    assert bool(report.alarms) == (is_more and bool(devices))


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=60))
def test_big_agis_own_rounding_is_no_alarm_and_a_ten_thousandth_cent_is(costs):
    # What big-AGI does: cents of four places, as dollars, added to a double.
    total, exact = 0.0, 0
    for ten_thousandths in costs:
        total += (ten_thousandths / 10_000) / 100
        exact += ten_thousandths * 1000
    counted = amounts_of_baseline({"totalCosts": total, "usageCount": len(costs)})
    devices = (DeviceCount("", True, counted, 5),)

    assert abs(counted.cost_nano_usd - exact) <= float_tolerance(counted) < 1000
    calls = len(costs)
    assert weigh("openai", devices, Amounts(), Amounts(calls, exact), Amounts()).alarms == ()
    more = weigh("openai", devices, Amounts(), Amounts(calls, exact + 1000), Amounts())
    assert len(more.alarms) == 1 and "Messages account for $" in more.alarms[0]
    assert len(weigh("openai", devices, Amounts(), Amounts(calls + 1, exact), Amounts()).alarms) == 1


LAST = NOON + 60_000
TOTALS = {"totalCosts": 0.01, "totalInputTokens": 1000, "totalOutputTokens": 200, "usageCount": 4}
TOTALS |= {"firstUsageDate": 1, "lastUsageDate": LAST}
CALL = {"source": "import", "cost_nano_usd": 2_000_000}


@pytest.mark.django_db
def test_messages_are_taken_apart_where_the_browser_stopped_counting():
    make_baseline(**TOTALS)
    for at in (1, LAST - 1, LAST):
        make_event(at=at, **CALL)
    for at in (LAST + 1, LAST + 900_000, LAST + 10**10):
        make_event(at=at, **CALL)
    make_event(at=5, source="chat", cost_nano_usd=7)
    taken_back = make_event(at=LAST + 5, source="api", cost_nano_usd=11)
    make_event(at=LAST + 5, source="api", cost_nano_usd=-11, calls=-1, corrects=taken_back, **minus(100, 20))
    make_event(at=5, source="test", cost_nano_usd=10**9)
    [report] = reconcile()

    assert report.counted == Amounts(4, 10_000_000, 1000, 200)
    assert report.explained == Amounts(3, 6_000_000, 300, 60)
    assert report.gap == Amounts(1, 4_000_000, 700, 140)
    assert report.later == Amounts(3, 6_000_000, 300, 60)
    assert report.own == Amounts(1, 7, 100, 20)
    assert report.total == Amounts(8, 16_000_007, 1400, 280)
    assert report.alarms == () and report.explanation.startswith("1 call for $0.004 without a message here")


def minus(given_tokens: int, out: int) -> dict[str, int]:
    return {"input_tokens": -given_tokens, "output_tokens": -out}


@pytest.mark.django_db
def test_messages_of_more_than_was_counted_are_an_alarm():
    make_baseline(**TOTALS | {"usageCount": 1})
    for at in (1, 2):
        make_event(at=at, source="import", cost_nano_usd=5_000_001)
    [report] = reconcile()

    assert report.gap.calls == -1 and report.gap.cost_nano_usd == -2 and report.tolerance_nano_usd == 1
    assert [alarm.split(",")[0] for alarm in report.alarms] == [
        "Messages account for 2 calls",
        "Messages account for $0.010000002",
    ]


@pytest.mark.django_db
def test_without_totals_all_messages_are_added():
    make_event(at=5, **CALL)
    make_event(at=LAST, source="import", service="", cost_nano_usd=None)
    make_baseline("groq")
    make_baseline("xai", usageCount=0)
    make_event(at=5, service="xai", **CALL)
    reports = {report.service: report for report in reconcile()}

    assert list(reports) == ["", "groq", "openai", "xai"]
    assert reports["openai"].later == reports["openai"].total == Amounts(1, 2_000_000, 100, 20)
    assert reports[""].total == Amounts(1, 0, 100, 20)
    assert reports["xai"].total.calls == 1 and "No browser totals" in reports["xai"].explanation
    assert reports["groq"].total.calls == 1 and reports["groq"].counted_until is None


@pytest.mark.django_db
def test_totals_without_a_date_are_taken_for_those_of_all_messages():
    make_baseline(**TOTALS | {"lastUsageDate": "yesterday"})
    make_event(at=LAST + 10**9, **CALL)
    [report] = reconcile()

    assert (report.explained.calls, report.later.calls, report.total.calls) == (1, 0, 4)


@pytest.mark.django_db
def test_reading_takes_a_few_queries_however_many_services(django_assert_max_num_queries):
    for at in range(20):
        make_baseline(f"s{at}", **TOTALS)
        make_event(service=f"s{at}", **CALL)
    assert UsageBaseline.objects.count() == 20
    with django_assert_max_num_queries(6 + 2 * 20):
        assert len(reconcile()) == 20
