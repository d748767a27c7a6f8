"""Services, models and assignments: what goes in comes out."""

import json

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from llms.bigagi import ASSIGNMENTS, MODELS, SERVICES
from stores.records.codecs import Unreadable
from tests.codecs import assert_came_back, read, table_round_trip
from tests.strategies import anything, assignments, equal_json, models, reworded, services

RIGHT = [(SERVICES, services), (MODELS, models), (ASSIGNMENTS, assignments)]
each = pytest.mark.parametrize(("collection", "right"), RIGHT, ids=["service", "model", "assignment"])


@each
@given(data=st.data())
def test_a_record_comes_back_or_is_refused_whole(collection, right, data):
    value = data.draw(st.one_of(right, right, right, anything))
    ours = read(value)
    uid = "primaryChat" if collection is ASSIGNMENTS else collection.identify(ours)
    if uid is None:
        return
    try:
        rows = collection.to_rows(ours, uid)
    except Unreadable:
        assert not isinstance(ours, dict)
    else:
        assert_came_back(value, table_round_trip(collection, rows))


@example({"id": "m", "initialParameters": None})
@example({"id": "m", "initialParameters": {}})
@example({"id": "m", "initialParameters": {"llmRef": None, "temperature": 0.5}})
@example({"id": "m", "pricing": [], "interfaces": None, "hidden": 1, "contextTokens": True, "pubDate": "x" * 21})
@example({"id": "m", "pricing": {"chat": {"input": [{"upTo": None, "price": 0.012594999999999999}], "_isFree": False}}})
@given(models)
def test_a_model_comes_back(value):
    assert_came_back(value, table_round_trip(MODELS, MODELS.to_rows(read(value), value["id"])))


@each
@given(data=st.data(), seed=st.integers())
def test_equal_records_have_equal_hashes(collection, right, data, seed):
    value = data.draw(right)

    one, other = collection.to_rows(read(value), "a"), collection.to_rows(read(reworded(value, seed)), "a")

    assert one.content_hash == other.content_hash


@each
@given(data=st.data())
def test_different_records_have_different_hashes(collection, right, data):
    one, other = data.draw(right), data.draw(right)
    assume(not equal_json(read(one), read(other)))

    assert collection.to_rows(read(one), "a").content_hash != collection.to_rows(read(other), "a").content_hash


def test_an_assignment_is_named_by_its_key_alone():
    value = {"id": "an id of its own", "mct": "model-parametric", "modelId": "openai-gpt"}

    rows = ASSIGNMENTS.to_rows(value, "primaryChat")

    assert rows.columns == {"model_uid": "openai-gpt"}
    assert table_round_trip(ASSIGNMENTS, rows) == value


def test_what_lists_filter_by_is_in_columns():
    value = {"id": "openai-gpt", "sId": "openai", "vId": "openai", "initialParameters": {"llmRef": "gpt", "a": 1}}

    rows = MODELS.to_rows(value, "openai-gpt")

    held = {name: got for name, got in rows.columns.items() if got is not None}
    assert held == {"service_uid": "openai", "vendor_id": "openai", "llm_ref": "gpt"}
    assert json.dumps(rows.extra) == '{"initialParameters": {"a": 1}}'
