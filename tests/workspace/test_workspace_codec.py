"""Workspaces and live files: what goes in comes out."""

import json

from hypothesis import assume, example, given
from hypothesis import strategies as st

from stores.records.codecs import Unreadable
from tests.codecs import assert_came_back, read, table_round_trip
from tests.strategies import anything, equal_json, live_files, reworded, workspaces
from workspace.bigagi import LIVE_FILES, WORKSPACES


@given(st.one_of(workspaces, anything))
@example([])
@example(["a", "a", None, "", "x" * 201, {"id": "a"}, ["a"], 5])
def test_a_workspace_comes_back_or_is_refused_whole(value):
    ours = read(value)
    try:
        rows = WORKSPACES.to_rows(ours, "chat")
    except Unreadable:
        assert not isinstance(ours, list)
    else:
        assert_came_back(value, table_round_trip(WORKSPACES, rows))


def test_a_file_that_is_assigned_twice_is_kept_at_its_place():
    rows = WORKSPACES.to_rows(["b", "a", "b"], "chat")

    assert rows.parts == [(0, "b"), (1, "a")]
    assert [(member.position, json.loads(member.raw)) for member in rows.damaged] == [(2, "b")]


@given(st.one_of(live_files, anything))
@example({"id": "another than its key", "content": None, "size": -1})
@example({"content": "a\x00b", "name": "\ud800", "type": "x" * 201, "fsHandle": {}, "size": 1e400})
def test_a_live_file_comes_back_or_is_refused_whole(value):
    ours = read(value)
    try:
        rows = LIVE_FILES.to_rows(ours, "file")
    except Unreadable:
        assert not isinstance(ours, dict)
    else:
        assert_came_back(value, table_round_trip(LIVE_FILES, rows))


@given(st.one_of(live_files, workspaces), st.integers())
def test_equal_records_have_equal_hashes(value, seed):
    collection = LIVE_FILES if isinstance(value, dict) else WORKSPACES

    one, other = collection.to_rows(read(value), "a"), collection.to_rows(read(reworded(value, seed)), "a")

    assert one.content_hash == other.content_hash


@given(st.one_of(st.tuples(live_files, live_files), st.tuples(workspaces, workspaces)))
def test_different_records_have_different_hashes(pair):
    one, other = map(read, pair)
    assume(not equal_json(one, other))
    collection = LIVE_FILES if isinstance(one, dict) else WORKSPACES

    assert collection.to_rows(one, "a").content_hash != collection.to_rows(other, "a").content_hash
