"""Conversations: what goes in comes out, damaged messages in their places."""

import json

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from chats.bigagi.conversation import CONVERSATION, CONVERSATIONS, conversation_to_json, conversation_to_rows
from chats.models import Conversation
from stores.codecs import Unreadable
from tests.chats.test_message_codec import message_trip
from tests.codecs import assert_came_back, damaged_members, read, stored, stored_extra
from tests.strategies import anything, conversations, equal_json, messages, odd_conversations, reworded


def conversation_trip(value, uid):
    rows = conversation_to_rows(value, uid)
    members = [(part.position, message_trip(value["messages"][part.position])) for part in rows.parts]
    members += damaged_members(rows.damaged)
    assert rows.counts["message"] == len(value["messages"]) == len(rows.parts) + len(rows.damaged)
    held = sum(len(part.fragments) + len(part.damaged) for part in rows.parts)
    assert rows.counts["fragment"] == held + sum(member.inside for member in rows.damaged)
    assert CONVERSATIONS.count_parts(value) == rows.counts
    return conversation_to_json(uid, stored(Conversation, rows.columns), stored_extra(rows.extra), reversed(members))


@given(st.one_of(conversations, odd_conversations, anything))
@example({"id": "c", "messages": []})
@example({"id": "c", "messages": [None, [], 5, {"id": "m"}, {"fragments": []}]})
@example({"id": "c", "messages": [{"id": "m", "fragments": [], "a": 1}, {"id": "m", "fragments": [], "a": 2}]})
@example({"id": "c", "messages": [], "updated": None, "isArchived": 1, "tokenCount": 1e400, "userTitle": "\ud800"})
def test_a_conversation_comes_back_or_is_refused_whole(value):
    ours = read(value)
    uid = CONVERSATIONS.identify(ours)
    if uid is None:
        return
    try:
        out = conversation_trip(ours, uid)
    except Unreadable as error:
        assert error.reason
        assert not isinstance(ours.get("messages"), list)
    else:
        assert_came_back(value, out)


@pytest.mark.parametrize("uid", ["", None, 5, "x" * 201, "a\x00", "\ud800", ["a"], {}])
def test_an_id_that_cannot_be_used_is_none(uid):
    assert CONVERSATIONS.identify({"id": uid, "messages": []}) is None


@pytest.mark.parametrize("value", [None, 5, "text", [], {"id": "c"}, {"id": "c", "messages": None}])
def test_what_is_no_conversation_is_refused(value):
    with pytest.raises(Unreadable):
        conversation_to_rows(value, "c")


@given(conversations, st.integers())
def test_equal_conversations_have_equal_hashes(value, seed):
    one, other = (conversation_to_rows(read(made), "c") for made in (value, reworded(value, seed)))

    assert one.content_hash == other.content_hash


@given(conversations, messages, st.sampled_from(["message", "dropped", "title", "updated", "swapped"]))
def test_different_conversations_have_different_hashes(value, message, change):
    changed = value | {"messages": list(value["messages"])}
    if change == "message":
        changed["messages"].append(message)
    elif change == "dropped":
        assume(changed["messages"])
        changed["messages"].pop()
    elif change == "swapped":
        changed["messages"].reverse()
    else:
        changed[{"title": "userTitle", "updated": "updated"}[change]] = "another"
    assume(not equal_json(read(value), read(changed)))

    assert conversation_to_rows(read(value), "c").content_hash != conversation_to_rows(read(changed), "c").content_hash


def test_a_second_message_with_the_same_id_is_kept_at_its_place():
    twice = [{"id": "m", "fragments": [], "at": 0}, {"id": "n", "fragments": []}, {"id": "m", "fragments": [], "at": 2}]

    rows = conversation_to_rows({"id": "c", "messages": twice}, "c")

    assert [part.uid for part in rows.parts] == ["m", "n"]
    (damaged,) = rows.damaged
    assert (damaged.position, damaged.uid, json.loads(damaged.raw)) == (2, "m", twice[2])
    assert damaged.place == "chat c, message 2"


def test_what_people_filter_by_is_in_columns():
    value = {"id": "c", "messages": [], "userTitle": "Mine", "isArchived": True, "created": 1.0, "unknown": [1]}

    rows = conversation_to_rows(read(value), "c")

    assert {name: got for name, got in rows.columns.items() if got is not None} == {
        "user_title": "Mine",
        "is_archived": True,
        "created": 1,
    }
    assert rows.extra == {"unknown": [1]}
    assert set(rows.columns) == set(CONVERSATION.names)


def test_messages_go_out_by_position_however_they_come():
    out = conversation_to_json("x", dict.fromkeys(CONVERSATION.names), None, [(2, {"id": "c"}), (0, {"id": "a"})])

    assert out == {"id": "x", "messages": [{"id": "a"}, {"id": "c"}]}
