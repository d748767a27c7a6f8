"""A store's envelope: whatever the browser holds under a name comes back."""

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from stores.models import Store
from stores.records.envelope import Envelope, close_envelope, envelope_of, open_envelope
from stores.records.opaque_stores import OPAQUE_STORES
from tests.codecs import assert_came_back, read, stored, stored_extra
from tests.strategies import anything, envelopes, equal_json, reworded, texts

values = st.one_of(envelopes({"theme": texts, "list": anything}), anything)


def store_trip(value):
    rows = OPAQUE_STORES.to_rows(value, "app-any")
    columns = stored(Store, rows.columns)
    return close_envelope(envelope_of(Store(name="app-any", extra=stored_extra(rows.extra), **columns)))


@given(values)
@example({"state": None, "version": 4})
@example({"state": {}, "version": None})
@example({"state": {}, "version": 1.5})
@example({"state": {}, "version": True})
@example({"state": {}, "version": 2**63})
@example({"state": {}, "version": -(2**63)})
@example({"state": []})
@example({"version": 3})
@example({})
@example(None)
@example("a bare string")
@example({"state": {"state": {}, "version": 1}, "version": 2.0, "extra": None, "shape": "value", "data": 1})
def test_a_store_comes_back(value):
    assert_came_back(value, store_trip(read(value)))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"state": {"a": 1}, "version": 3, "more": 0}, Envelope("envelope", {"a": 1}, 3, {"more": 0})),
        ({"state": 5}, Envelope("envelope", 5, None, {})),
        ({"state": {}, "version": "3"}, Envelope("envelope", {}, None, {"version": "3"})),
        ({"version": 3}, Envelope("value", {"version": 3}, None, {})),
        (7, Envelope("value", 7, None, {})),
    ],
)
def test_it_takes_an_envelope_apart(value, expected):
    assert open_envelope(value) == expected


@given(values, st.integers())
def test_equal_stores_have_equal_hashes(value, seed):
    one, other = (OPAQUE_STORES.to_rows(read(made), "app-any") for made in (value, reworded(value, seed)))

    assert one.content_hash == other.content_hash


@given(values, values)
@example({"state": {}}, {"state": {}, "version": 0})
@example({"state": {}, "version": None}, {"state": {}})
def test_different_stores_have_different_hashes(one, other):
    assume(not equal_json(read(one), read(other)))

    first, second = (OPAQUE_STORES.to_rows(read(made), "app-any") for made in (one, other))

    assert first.content_hash != second.content_hash
