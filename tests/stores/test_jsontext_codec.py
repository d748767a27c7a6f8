"""JSON text in and out: what Python's own reader finds in our text is what it found in the source."""

import json
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stores.records import jsontext
from tests.strategies import anything, equal_json, nested, reworded, to_text

not_json = [
    *("", " ", "[", '{"a"', "[1,]", '{"a":1,}', "[,1]", "[1 2]", "[1]]", "[}", "{]", '{"a"}', '{"a":}', "{1:2}", ":"),
    *("[01]", "[1.]", "[.5]", "[+1]", "[1e]", "[--1]", "[0x1]", "[\u0661]", "[\u00a01]", "[\x0b1]", "[NaN]"),
    *("[Infinity]", '["a\nb"]', '["\\x"]', '["\\u12"]', '"a', '"\\"', "nul", "[] []", "\ufeff[]", '{"a":1 "b":2}'),
]


@given(anything)
def test_it_gives_back_what_it_read(value):
    text = to_text(value)

    out = jsontext.encode(jsontext.decode(text))

    assert out.isascii()
    assert equal_json(json.loads(text), json.loads(out))
    assert jsontext.same(jsontext.decode(text), jsontext.decode(out))


@given(anything, st.integers())
def test_equal_values_have_one_canonical_text(value, seed):
    one, other = jsontext.decode(to_text(value)), jsontext.decode(to_text(reworded(value, seed)))

    assert jsontext.same(one, other)
    assert jsontext.canonical(one) == jsontext.canonical(other)
    assert jsontext.content_hash(one) == jsontext.content_hash(other)


@given(anything, anything)
@example(1, True)
@example(0, False)
@example([], {})
@example("1", 1)
@example(None, False)
@example(10**16, 10**16 + 1)
@example(math.inf, 10**400)
@example({"a": None}, {})
@example(["a", "b"], ["b", "a"])
@example("\ud83d\ude00", "😀")
def test_different_values_have_different_hashes(one, other):
    is_same = equal_json(json.loads(to_text(one)), json.loads(to_text(other)))
    ours = jsontext.decode(to_text(one)), jsontext.decode(to_text(other))

    assert jsontext.same(*ours) is is_same
    assert (jsontext.content_hash(ours[0]) == jsontext.content_hash(ours[1])) is is_same


@pytest.mark.parametrize("text", ["1e400", "-1e400", "[1e400,-1e999]", f"1{'0' * 400}", "1.0", "1e16", "1e300", "-0.0"])
def test_it_keeps_numbers_of_any_size(text):
    assert equal_json(json.loads(jsontext.encode(jsontext.decode(text))), json.loads(text))


def test_a_float_and_the_same_integer_are_one_value():
    assert jsontext.content_hash(jsontext.decode("1e22")) == jsontext.content_hash(jsontext.decode(str(10**22)))


@pytest.mark.parametrize("depth", [1, jsontext.MAX_DEPTH - 1, jsontext.MAX_DEPTH])
def test_it_reads_what_is_nested_up_to_its_limit(depth):
    value = jsontext.decode(to_text(nested(depth)))

    assert jsontext.decode(jsontext.encode(value)) == nested(depth)
    assert len(jsontext.content_hash(value)) == 32


@pytest.mark.parametrize("depth", [jsontext.MAX_DEPTH + 1, 10_000, 100_000])
def test_it_refuses_what_is_nested_deeper_and_still_knows_that_it_is_json(depth):
    text = "[" * depth + "]" * depth

    with pytest.raises(jsontext.UndecodableJSON) as caught:
        jsontext.decode(text)

    assert "nested" in caught.value.reason
    assert caught.value.is_json
    with pytest.raises(jsontext.UndecodableJSON) as caught:
        jsontext.decode(text[:-1])
    assert not caught.value.is_json


def test_brackets_inside_strings_are_no_levels():
    text = json.dumps(["[" * 1000, "{" * 1000, '"' + "[" * 500])

    assert jsontext.decode(text) == json.loads(text)
    assert jsontext.depth_of(text) == 1


@pytest.mark.parametrize("rest", ['"\\', '"', '"\\"', '"a",', "[],", "{", "é\ud800 ", "]"])
def test_text_that_is_too_deep_is_refused_in_time_that_grows_with_its_length(rest):
    # Where each of these quotes was looked at to the end of the text, it took hours.
    text = "[" * 300 + rest * 500_000

    with pytest.raises(jsontext.UndecodableJSON, match="nested deeper than 200 levels"):
        jsontext.decode(text)


@given(st.text(alphabet='[{]}"\\a,é\ud800'))
def test_the_depth_is_that_of_the_brackets_outside_strings(text):
    depth = deepest = 0
    is_in_string = is_escaped = False
    for character in text:
        if is_in_string:
            is_in_string = is_escaped or character != '"'
            is_escaped = character == "\\" and not is_escaped
        elif character == '"':
            is_in_string, is_escaped = True, False
        else:
            depth += (character in "[{") - (character in "]}")
            deepest = max(deepest, depth)

    assert jsontext.depth_of(text) == deepest


def test_it_refuses_an_integer_that_python_does_not_convert():
    with pytest.raises(jsontext.UndecodableJSON) as caught:
        jsontext.decode(f'{{"a": {"9" * 5000}}}')

    assert "4300 digits" in caught.value.reason
    assert caught.value.is_json
    with pytest.raises(jsontext.UndecodableJSON) as caught:
        jsontext.decode(f'{{"a": {"9" * 5000}')
    assert not caught.value.is_json


@pytest.mark.parametrize("text", not_json)
def test_it_refuses_what_is_no_json(text):
    with pytest.raises(jsontext.UndecodableJSON) as caught:
        jsontext.decode(text)

    assert not caught.value.is_json
    assert not jsontext.is_json_text(text)


@given(anything, st.data())
def test_it_knows_json_text_by_its_grammar(value, data):
    """Damaged by one character, text is JSON for us exactly if it is for Python, constants aside."""
    text = to_text(value)
    assert jsontext.is_json_text(text)
    at = data.draw(st.integers(0, len(text)))
    new = data.draw(
        st.sampled_from(["", "[", "]", "{", "}", ",", ":", '"', "\\", "0", "-", "e", ".", " ", "\n", "\x01", "t"])
    )

    damaged = text[:at] + new + text[at + data.draw(st.integers(0, 1)) :]

    try:
        json.loads(damaged)
    except ValueError:
        assert not jsontext.is_json_text(damaged)
    else:
        assert jsontext.is_json_text(damaged)


def test_text_that_looks_like_our_marks_for_infinity_is_kept():
    value = ["1e999", "-1e999", math.inf, {"+": "Infinity"}]

    assert equal_json(json.loads(jsontext.encode(value)), value)
