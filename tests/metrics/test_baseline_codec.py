"""Totals of services, as a browser counted them: what goes in comes out, money to the last digit."""

import json

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from metrics.bigagi import BASELINES
from stores.records.codecs import Unreadable
from tests.codecs import assert_came_back, read, table_round_trip
from tests.strategies import anything, baselines, equal_json, reworded


@given(st.one_of(baselines, anything))
@example({"totalCosts": 0.012594999999999999, "totalSavings": -0.5, "usageCount": 3})
@example({"totalCosts": 1e400, "totalSavings": 10**400})
@example({"totalCosts": 2**53 + 1, "totalSavings": -(2**53) - 1})
@example({"totalCosts": 1e22, "totalSavings": -0.0})
@example({"totalCosts": True, "totalSavings": "1", "usageCount": 1.5, "firstUsageDate": 2**63})
@example({"totalCosts": 2, "totalInputTokens": 2.0})
def test_totals_come_back_or_are_refused_whole(value):
    ours = read(value)
    try:
        rows = BASELINES.to_rows(ours, "openai")
    except Unreadable:
        assert not isinstance(ours, dict)
    else:
        assert_came_back(value, table_round_trip(BASELINES, rows))


@pytest.mark.parametrize("cost", ["0.012594999999999999", "1e-300", "5e-324", "1.7976931348623157e308", "123456.7"])
def test_money_is_kept_to_the_last_digit(cost):
    rows = BASELINES.to_rows(read({"totalCosts": json.loads(cost)}), "openai")

    assert table_round_trip(BASELINES, rows)["totalCosts"] == float(cost)


@given(baselines, st.integers())
def test_equal_totals_have_equal_hashes(value, seed):
    one, other = BASELINES.to_rows(read(value), "a"), BASELINES.to_rows(read(reworded(value, seed)), "a")

    assert one.content_hash == other.content_hash


@given(baselines, baselines)
def test_different_totals_have_different_hashes(one, other):
    assume(not equal_json(read(one), read(other)))

    assert BASELINES.to_rows(read(one), "a").content_hash != BASELINES.to_rows(read(other), "a").content_hash
