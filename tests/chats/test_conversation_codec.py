"""Conversations: what goes in comes out, damaged messages in their places."""

import json

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from chats.bigagi.conversation import CONVERSATION, CONVERSATIONS, conversation_to_json, conversation_to_rows
from chats.models import Conversation
from stores.records.codecs import Unreadable, is_id
from tests.chats.test_message_codec import message_trip
from tests.codecs import assert_came_back, damaged_members, read, stored, stored_extra
from tests.strategies import anything, conversations, equal_json, messages, odd_conversations, reworded


def conversation_trip(value, uid):
    rows = conversation_to_rows(value, uid)
    members = [(part.position, message_trip(value["messages"][part.position], part.uid)) for part in rows.parts]
    assert len({part.uid for part in rows.parts}) == len(rows.parts)
    members += damaged_members(rows.damaged)
    assert rows.counts["message"] == len(value["messages"]) == len(rows.parts) + len(rows.damaged)
    held = sum(len(part.fragments) + len(part.damaged) for part in rows.parts)
    assert rows.counts["fragment"] == held + sum(member.inside for member in rows.damaged)
    assert CONVERSATIONS.parts.count(value) == rows.counts
    columns, extra = stored(Conversation, rows.columns), stored_extra(rows.extra)
    return conversation_to_json(uid, columns, extra, reversed(members), has_derived_uid=rows.has_derived_uid)


@given(st.one_of(conversations, odd_conversations, anything))
@example({"id": "c", "messages": []})
@example(
    {"messages": [{"fragments": []}, {"fragments": []}, {"id": 5, "fragments": []}, {"id": None, "fragments": []}]}
)
@example({"id": 17, "messages": []})
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
def test_a_chat_with_an_id_that_cannot_be_used_goes_by_one_of_ours(uid):
    chat = {"id": uid, "messages": [{"id": "m", "fragments": []}], "created": 1}

    found = CONVERSATIONS.identify(chat)

    assert is_id(found)
    assert found != uid
    assert CONVERSATIONS.identify({**chat, "messages": [*chat["messages"], {"id": "n", "fragments": []}]}) == found
    assert CONVERSATIONS.identify([]) is None


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


def test_messages_without_an_id_of_their_own_can_be_told_apart_and_addressed():
    fragments = [{"ft": "content", "part": {"pt": "text", "text": "hello"}}]
    nameless = {"role": "user", "fragments": fragments}
    given_ids = [
        {"id": "m", "fragments": []},
        nameless,
        nameless,
        {"id": "m", "fragments": fragments},
        {"id": 5} | nameless,
    ]

    rows, again = (conversation_to_rows({"id": "c", "messages": given_ids}, "c") for _ in range(2))

    uids = [part.uid for part in rows.parts]
    assert uids[0] == "m"
    assert len(set(uids)) == 5
    assert all(map(is_id, uids))
    assert [part.has_derived_uid for part in rows.parts] == [False, True, True, True, True]
    assert uids == [part.uid for part in again.parts]
    # What stands before a message does not change the id it is addressed by.
    shorter = conversation_to_rows({"id": "c", "messages": given_ids[3:]}, "c")
    assert shorter.parts[1].uid == uids[4]
    assert rows.damaged == []


def test_a_message_that_is_no_object_is_kept_at_its_place():
    rows = conversation_to_rows({"id": "c", "messages": [{"id": "n", "fragments": []}, None]}, "c")

    (damaged,) = rows.damaged
    assert (damaged.position, json.loads(damaged.raw), damaged.pointer) == (1, None, "/messages/1")
    assert damaged.place == "chat c, message 1"


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
