"""Folders: order, dangling and damaged ids come back."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chats.bigagi.folder import FOLDERS
from stores.records.codecs import Unreadable
from tests.codecs import assert_came_back, read, table_round_trip
from tests.strategies import anything, folders, reworded


@given(st.one_of(folders, anything))
@example({"id": "f", "conversationIds": ["a", "a", None, "x" * 201, "", {"id": "a"}, "b"]})
@example({"id": "f", "conversationIds": []})
def test_a_folder_comes_back_or_is_refused_whole(value):
    ours = read(value)
    uid = FOLDERS.identify(ours)
    if uid is None:
        return
    try:
        rows = FOLDERS.to_rows(ours, uid)
    except Unreadable:
        assert not isinstance(ours.get("conversationIds"), list)
    else:
        assert_came_back(value, table_round_trip(FOLDERS, rows))


@pytest.mark.parametrize("value", [None, [], {"id": "f"}, {"id": "f", "conversationIds": {}}])
def test_what_is_no_folder_is_refused(value):
    with pytest.raises(Unreadable):
        FOLDERS.to_rows(value, "f")


def test_an_id_that_is_listed_twice_is_kept_at_its_place():
    rows = FOLDERS.to_rows({"id": "f", "conversationIds": ["b", "a", "b", 7]}, "f")

    assert rows.parts == [(0, "b"), (1, "a")]
    assert [(member.position, json.loads(member.raw)) for member in rows.damaged] == [(2, "b"), (3, 7)]


@given(folders, st.integers())
def test_equal_folders_have_equal_hashes(value, seed):
    one, other = FOLDERS.to_rows(read(value), "f"), FOLDERS.to_rows(read(reworded(value, seed)), "f")

    assert one.content_hash == other.content_hash


@given(folders)
def test_different_folders_have_different_hashes(value):
    changed = value | {"conversationIds": [*value["conversationIds"], "one more"]}

    assert FOLDERS.to_rows(read(value), "f").content_hash != FOLDERS.to_rows(read(changed), "f").content_hash
