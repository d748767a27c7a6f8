"""Differences lead from either value to the other, and are small where little was changed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores.records import jsontext
from stores.records.journal.delta import diff, patch, unpatch
from tests import strategies

json_values = strategies.anything


@given(json_values, json_values)
def test_a_difference_leads_there_and_back(before, after):
    # As everything comes in: halves of a pair that meet are one character.
    before, after = (jsontext.decode(jsontext.encode(value)) for value in (before, after))
    delta = jsontext.decode(jsontext.encode(diff(before, after)))
    assert jsontext.same(patch(before, delta), after)
    assert jsontext.same(unpatch(after, delta), before)


@given(st.lists(st.sampled_from("abcdefg"), max_size=12), st.lists(st.sampled_from("abcdefg"), max_size=12), st.data())
def test_lists_of_records_are_matched_by_their_ids(one, other, data):
    texts = st.text("xy ", max_size=60)
    before = [{"id": uid, "text": data.draw(texts)} for uid in one]
    after = [{"id": uid, "text": data.draw(texts)} for uid in other]
    delta = diff(before, after)
    assert jsontext.same(patch(before, delta), after)
    assert jsontext.same(unpatch(after, delta), before)


def test_equal_values_have_no_difference():
    assert diff({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}) == []


def test_what_is_given_is_not_changed():
    before, after = {"a": [1, {"b": [2, 3]}], "c": "x" * 50}, {"a": [{"b": [3]}, 4], "c": "x" * 49}
    copies = jsontext.encode(before), jsontext.encode(after)
    delta = diff(before, after)
    told = jsontext.encode(delta)
    for _ in range(2):
        assert patch(before, delta) == after
        assert unpatch(after, delta) == before
    assert (jsontext.encode(before), jsontext.encode(after), jsontext.encode(delta)) == (*copies, told)


@given(st.text("ab\ud83d\ude00😀", max_size=90), st.text("ab\ud83d\ude00😀", max_size=90), st.integers(0, 90))
def test_texts_of_halves_of_pairs_come_back(one, other, at):
    before, after = (jsontext.decode(jsontext.encode(text)) for text in (one, one[:at] + other + one[at:]))
    delta = jsontext.decode(jsontext.encode(diff(before, after)))
    assert patch(before, delta) == after and unpatch(after, delta) == before


def test_a_long_list_of_few_different_members_takes_no_time_to_match(monkeypatch):
    monkeypatch.setattr("stores.records.journal.delta.SequenceMatcher", None)
    before, after = [at * at % 7 % 2 for at in range(2000)], [at * at % 11 % 2 for at in range(2000)]
    delta = diff(before, after)
    assert patch(before, delta) == after and unpatch(after, delta) == before


def test_a_word_in_a_long_text_is_told_as_a_word():
    long = "lorem ipsum " * 1000
    before = {"messages": [{"id": str(at), "text": f"{at} {long}"} for at in range(20)]}
    after = {"messages": [dict(message) for message in before["messages"]]}
    after["messages"][7]["text"] = after["messages"][7]["text"].replace("lorem", "LOREM", 1)
    after["messages"].append({"id": "new", "text": "x"})
    delta = diff(before, after)
    assert len(jsontext.encode(delta)) < 200
    assert patch(before, delta) == after and unpatch(after, delta) == before


@pytest.mark.parametrize(
    ("value", "delta"),
    [
        ({"a": 1}, [[["a"], "set", [2], [3]]]),
        ({}, [[["a", "b"], "set", [2], [3]]]),
        ([1], [[[], "splice", 0, [2], []]]),
        ({"a": "text"}, [[["a"], "text", 0, "other", ""]]),
        ([1], [[[4], "set", [1], [2]]]),
    ],
)
def test_a_difference_of_another_value_is_refused(value, delta):
    with pytest.raises(ValueError, match=r"differs|there is no"):
        patch(value, delta)


def test_a_reference_to_a_secret_is_never_cut_in_two():
    one, other = (f"key: bigagi-secret:ref:{digit * 32} and so on" for digit in "ab")
    delta = diff({"note": one}, {"note": other})
    assert delta == [[["note"], "set", [one], [other]]]
    assert unpatch(patch({"note": one}, delta), delta) == {"note": one}
