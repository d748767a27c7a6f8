"""Old versions of `app-models`, brought to version 5 by the facts (`bigagi-format.md` § 9)."""

import json

import pytest
from hypothesis import given

from llms.bigagi import APP_MODELS
from llms.conversion import STEPS
from stores.records.registry import convert
from tests.codecs import read
from tests.strategies import anything, members, models, objects

MODEL = {
    "id": "openai-gpt-4",
    "contextTokens": 8191,
    "tags": ["stream"],
    "interfaces": ["old"],
    "pricing": {"chatIn": 10, "chatOut": 30, "more": 1},
    "options": {"llmRef": "gpt-4", "llmTemperature": 0.5},
}


def step(version: int, model: dict) -> dict:
    (changed,) = STEPS[version]({"llms": [model]})["llms"]
    return changed


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        (8192, 4096),
        (8191, 4096),
        (8193, 4097),
        (1, 1),
        (10**400, 5 * 10**399),
        (0, None),
        (None, None),
        ("8192", None),
        (True, None),
    ],
)
def test_version_1_adds_half_of_the_context_for_the_answer(context, expected):
    assert step(1, {"id": "m", "contextTokens": context})["maxOutputTokens"] == expected


def test_version_1_leaves_what_is_set():
    assert step(1, {"id": "m", "contextTokens": 8192, "maxOutputTokens": 5})["maxOutputTokens"] == 5
    assert step(1, {"id": "m"}) == {"id": "m", "maxOutputTokens": None}


def test_version_2_drops_tags_and_sets_the_interface():
    assert step(2, MODEL).keys() == MODEL.keys() - {"tags"}
    assert step(2, MODEL)["interfaces"] == ["oai-chat"]


@pytest.mark.parametrize(
    ("pricing", "expected"),
    [
        ({"chatIn": 10, "chatOut": 30, "more": 1}, {"more": 1, "chat": {"input": 10, "output": 30}}),
        ({"chatIn": 10}, {"chat": {"input": 10}}),
        ({"chat": {"input": 1}}, {"chat": {"input": 1}}),
        ({}, {}),
        (None, None),
        ("free", "free"),
    ],
)
def test_version_3_nests_prices(pricing, expected):
    assert step(3, {"id": "m", "pricing": pricing})["pricing"] == expected


def test_version_4_splits_options():
    changed = step(4, MODEL)

    assert "options" not in changed
    assert (changed["initialParameters"], changed["userParameters"]) == (MODEL["options"], {})
    assert step(4, {"id": "m"}) == {"id": "m"}


def test_version_5_empties_assignments():
    assert STEPS[5]({"modelAssignments": {"x": 1}, "chatLLMId": "a"}) == {"modelAssignments": {}, "chatLLMId": "a"}


@pytest.mark.parametrize("version", range(5))
def test_each_version_gets_the_steps_that_it_lacks(version):
    state, reached = convert(APP_MODELS, {"llms": [MODEL], "sources": []}, version)

    (model,) = state["llms"]
    assert reached == 5
    assert state["modelAssignments"] == {}
    assert ("maxOutputTokens" in model) is (version < 1)
    assert ("tags" in model) is (version >= 2)
    assert ("chatIn" in model["pricing"]) is (version >= 3)
    assert ("options" in model) is (version >= 4)


@given(objects({"llms": members(models), "sources": anything, "modelAssignments": anything}))
def test_odd_states_are_converted_without_a_fault(value):
    state = read(value)
    before = json.dumps(state)

    converted, version = convert(APP_MODELS, state, 0)

    assert version == 5
    assert json.dumps(state) == before
    held = state.get("llms")
    if isinstance(held, list):
        assert len(converted["llms"]) == len(held)


@pytest.mark.parametrize("state", [None, [], 5, "text"])
@pytest.mark.parametrize("version", [None, 0, 4])
def test_a_state_that_is_none_stays_as_it_is(state, version):
    assert convert(APP_MODELS, state, version) == (state, version)


@pytest.mark.parametrize("version", [5, 6, -1])
def test_other_versions_stay_as_they_are(version):
    state = {"llms": [MODEL]}

    assert convert(APP_MODELS, state, version) == (state, version)
