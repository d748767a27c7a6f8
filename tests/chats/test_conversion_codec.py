"""Messages of before big-AGI's v4: converted by the facts, repeatably, and given back as they were on wish."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chats.bigagi.conversation import CONVERSATIONS
from chats.bigagi.conversion import convert_message, find_old_messages, is_old_message
from tests.codecs import read
from tests.strategies import anything, equal_json, members, messages, old_messages

OLD = {
    "id": "m1",
    "text": "Hello",
    "sender": "Bot",
    "avatar": None,
    "typing": False,
    "role": "assistant",
    "purposeId": "Generic",
    "originLLM": "gpt-4",
    "tokenCount": 3,
    "created": 1,
    "updated": None,
    "metadata": {"inReplyToText": "What?", "more": 1},
}


def convert(message, uid="c", at=0):
    return convert_message(read(message), uid, at)


def test_text_becomes_one_fragment():
    converted = convert(OLD)

    (fragment,) = converted["fragments"]
    assert fragment["ft"] == "content"
    assert fragment["part"] == {"pt": "text", "text": "Hello"}
    assert len(fragment["fId"]) == 8
    assert converted.keys().isdisjoint({"text", "sender", "avatar", "typing", "originLLM"})


def test_what_is_not_old_in_it_stays():
    converted = convert(OLD | {"userFlags": ["starred"], "unknown": [1]})

    assert {name: converted[name] for name in ("id", "role", "purposeId", "tokenCount", "created", "updated")} == {
        "id": "m1",
        "role": "assistant",
        "purposeId": "Generic",
        "tokenCount": 3,
        "created": 1,
        "updated": None,
    }
    assert (converted["userFlags"], converted["unknown"]) == (["starred"], [1])


def test_the_model_becomes_a_named_generator():
    assert convert(OLD)["generator"] == {"mgt": "named", "name": "gpt-4"}
    assert convert(OLD | {"generator": {"mgt": "named", "name": "newer"}})["generator"]["name"] == "newer"
    assert "generator" not in convert({"id": "m", "text": "", "originLLM": ""})
    assert "generator" not in convert({"id": "m", "text": "", "originLLM": 5})


def test_the_reply_becomes_a_reference():
    reference = {"mrt": "dmsg", "mText": "What?", "mRole": "assistant"}

    assert convert(OLD)["metadata"] == {"more": 1, "inReferenceTo": [reference]}
    kept = convert(OLD | {"metadata": {"inReplyToText": "What?", "inReferenceTo": []}})
    assert kept["metadata"] == {"inReferenceTo": []}
    assert convert(OLD | {"metadata": None})["metadata"] is None
    assert "metadata" not in convert({"id": "m", "text": ""})


def test_ids_that_are_missing_are_derived_from_the_place():
    old = {name: value for name, value in OLD.items() if name != "id"}

    assert convert(old) == convert(old)
    assert len(convert(old)["id"]) == 21
    made = [convert(old, uid, at) for uid in ("c", "d") for at in (0, 1)]
    assert len({message["id"] for message in made}) == 4
    assert len({message["fragments"][0]["fId"] for message in made}) == 4


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (OLD, True),
        ({"text": ""}, True),
        ({"text": None}, False),
        ({"text": "a", "fragments": []}, False),
        ({"text": "a", "fragments": None}, False),
        ({"fragments": []}, False),
        ({}, False),
        (None, False),
        ("text", False),
    ],
)
def test_a_message_is_old_that_has_its_text_and_no_fragments(message, expected):
    assert is_old_message(message) is expected


def test_a_chat_of_old_and_new_messages_changes_only_the_old():
    new = {"id": "m2", "fragments": [{"ft": "content", "part": {"pt": "text", "text": "new"}}]}
    chat = {"id": "c", "messages": [OLD, new, None, OLD, {"text": "without id"}, OLD | {"id": 5}]}

    converted, originals = CONVERSATIONS.convert(chat, "c")

    assert find_old_messages(chat["messages"]) == [0, 3, 4, 5]
    assert [converted["messages"][at] for at in (1, 2)] == [new, None]
    # Ids stay as they are, also one that is there twice or is no text.
    assert [converted["messages"][at]["id"] for at in (0, 3, 5)] == ["m1", "m1", 5]
    derived = converted["messages"][4]["id"]
    assert [(kind, old) for kind, _, old in originals] == [("message", chat["messages"][at]) for at in (0, 3, 4, 5)]
    assert [place for _, place, _ in originals[:3]] == ["c/m1", "c/m1", f"c/{derived}"]
    assert CONVERSATIONS.parts.count(chat) == CONVERSATIONS.parts.count(converted) == {"message": 6, "fragment": 5}


@given(st.one_of(members(st.one_of(old_messages, messages)), anything))
def test_a_conversion_is_done_once(value):
    chat = read({"id": "c", "messages": value})
    before = json.dumps(chat)

    converted, originals = CONVERSATIONS.convert(chat, "c")
    again, nothing = CONVERSATIONS.convert(converted, "c")

    assert json.dumps(chat) == before
    assert nothing == []
    assert equal_json(again, converted)
    assert bool(originals) is (converted is not chat)
