"""Fragments and messages: what goes in comes out, whatever it is."""

import json

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from chats.bigagi.message import (
    TEXT_PATHS,
    fragment_to_json,
    fragment_to_row,
    message_to_json,
    message_to_row,
    why_damaged_fragment,
)
from chats.models import Fragment, Message
from stores.records import jsontext
from stores.records.codecs import Unreadable, is_storable
from tests.codecs import assert_came_back, damaged_members, read, stored, stored_extra
from tests.strategies import anything, equal_json, fragments, messages, nested, odd_messages, reworded


def fragment_trip(value):
    row = fragment_to_row(value, 0)
    text = {"pt": row.pt, "text": row.text, "part": row.part}
    back = stored(Fragment, row.columns | text)
    columns = {name: back[name] for name in row.columns}
    return fragment_to_json(columns, back["pt"], back["text"], back["part"], stored_extra(row.extra))


def message_trip(value, uid=""):
    row = message_to_row(value, 3, uid)
    assert row.position == 3
    parts = [(fragment.position, fragment_trip(value["fragments"][fragment.position])) for fragment in row.fragments]
    members = [*damaged_members(row.damaged), *parts]
    columns, extra = stored(Message, row.columns), stored_extra(row.extra)
    return message_to_json(row.uid, columns, extra, members, has_derived_uid=row.has_derived_uid)


def text_fragment(text, **part):
    return {"ft": "content", "fId": "f1", "part": {"pt": "text", "text": text, **part}}


@given(fragments)
@example({"ft": "content"})
@example({"ft": "content", "part": None})
@example({"ft": "content", "part": {}})
@example({"ft": "content", "part": {"pt": None, "text": "a"}})
@example({"ft": "content", "part": {"pt": "text"}})
@example({"ft": "content", "part": {"pt": "text", "text": None}})
@example({"ft": "content", "part": {"pt": "text", "text": ""}})
@example({"ft": "attachment", "part": {"pt": "doc"}})
@example({"ft": "attachment", "part": {"pt": "doc", "data": {}}})
@example({"ft": "attachment", "part": {"pt": "doc", "data": {"text": 1}}})
@example({"ft": "attachment", "part": {"pt": "doc", "data": "text"}})
@example({"ft": "content", "part": {"pt": "", "text": "a"}})
@example({"ft": "content", "part": nested(jsontext.MAX_DEPTH - 1)})
@example({"ft": None} | text_fragment("with\x00nul"))
def test_a_fragment_comes_back(value):
    value.setdefault("ft", "content")

    assert_came_back(value, fragment_trip(read(value)))


@pytest.mark.parametrize(("pt", "path"), TEXT_PATHS.items())
def test_the_text_that_people_read_is_in_its_column(pt, path):
    part = {"pt": pt, path[0]: "Hello"} if len(path) == 1 else {"pt": pt, path[0]: {path[1]: "Hello", "idt": "text"}}

    row = fragment_to_row({"ft": "content", "part": part}, 0)

    assert row.text == "Hello"
    assert "Hello" not in json.dumps(row.part)


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b", "\udfff"])
def test_text_that_no_database_takes_is_searched_by_its_likeness(text):
    row = fragment_to_row(text_fragment(text), 0)

    assert row.text == text.replace("\x00", "\ufffd").replace("\ud800", "\ufffd").replace("\udfff", "\ufffd")
    assert row.part == {"text": text}
    assert_came_back(text_fragment(text), fragment_trip(read(text_fragment(text))))


@pytest.mark.parametrize("value", [None, 5, "text", [], {}, {"ft": None}, {"fId": "x"}])
def test_a_fragment_without_its_type_is_damaged(value):
    assert why_damaged_fragment(value)
    row = message_to_row({"id": "m", "fragments": [text_fragment("before"), value]}, 0)
    assert [(member.position, json.loads(member.raw)) for member in row.damaged] == [(1, value)]


@given(st.one_of(messages, odd_messages, anything))
@example({"id": "m", "fragments": []})
@example({"id": "m", "fragments": [], "generator": {"aix": None, "metrics": None}})
@example({"id": "m", "fragments": [], "generator": {"aix": {}, "mgt": "x" * 21}})
@example({"id": "m", "fragments": [], "userFlags": ["a b"]})
@example({"id": "m", "fragments": [], "userFlags": [""]})
@example({"id": "m", "fragments": [], "userFlags": ["", ""]})
@example({"id": "m", "fragments": [], "userFlags": ["starred", 5]})
@example({"id": "m", "fragments": [], "userFlags": [f"flag-{at}" for at in range(200)]})
@example({"id": "m", "fragments": [], "tokenCount": 2**63, "created": 1.5, "updated": None})
@example({"id": "m", "fragments": [], "metadata": {}, "extra": None, "part": 1})
def test_a_message_comes_back_or_is_refused_whole(value):
    ours = read(value)
    try:
        out = message_trip(ours)
    except Unreadable as error:
        assert error.reason
        assert (
            not isinstance(ours, dict) or not isinstance(ours.get("fragments"), list) or not is_usable(ours.get("id"))
        )
    else:
        assert_came_back(value, out)


def is_usable(uid):
    return isinstance(uid, str) and 0 < len(uid) <= 200 and is_storable(uid)


@given(messages, st.integers())
def test_equal_messages_have_equal_hashes(value, seed):
    assert message_to_row(read(value), 0).content_hash == message_to_row(read(reworded(value, seed)), 5).content_hash


@given(messages, messages, st.sampled_from(["id", "role", "fragments", "generator", "userFlags", "new"]))
def test_different_messages_have_different_hashes(one, other, name):
    changed = one | {name: other.get(name, "other")}
    assume(not equal_json(json.loads(json.dumps(one)), json.loads(json.dumps(changed))))

    assert message_to_row(read(one), 0).content_hash != message_to_row(read(changed), 0).content_hash


def test_a_codec_leaves_what_it_is_given_as_it_was():
    value = {
        "id": "m",
        "fragments": [{"ft": "attachment", "part": {"pt": "doc", "data": {"text": "a"}}}],
        "generator": {"aix": {"vId": "openai"}},
    }
    before = json.dumps(value)

    message_trip(value)

    assert json.dumps(value) == before
