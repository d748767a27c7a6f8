"""Assets: bytes become files, and text that is no canonical base64 stays as it is."""

import base64
import hashlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chats.assets import NotBase64, StoredBytes, store_base64, uuid_of
from chats.bigagi.asset import ASSETS, stored_bytes, with_base64
from stores.records.codecs import Unreadable
from tests.codecs import assert_came_back, read, stored, stored_extra
from tests.strategies import anything, assets, reworded


def asset_trip(value, uid):
    """Return the asset's JSON, and its base64 text as its bytes give it."""
    attached = ASSETS.files.attach_text(value)
    held = stored_bytes(attached)
    rows = ASSETS.to_rows(attached, uid)
    columns = stored(ASSETS.model, rows.columns)
    out = ASSETS.to_json(uid, columns, stored_extra(rows.extra))
    assert columns["sha256"] == (held.sha256 if held else None)
    if held is None:
        return out
    text = value["data"]["base64"]
    plain = base64.b64decode(text)
    assert (
        (hashlib.sha256(plain).hexdigest(), len(plain))
        == (held.sha256, held.size)
        == (columns["sha256"], columns["size"])
    )
    return with_base64({"data": {}} | out, base64.b64encode(plain).decode())


@given(st.one_of(assets, anything))
@example({"id": "a", "data": None})
@example({"id": "a", "data": {"base64": ""}})
@example({"id": "a", "data": {"base64": None}})
@example({"id": "a", "data": {"base64": "QR=="}})
@example({"id": "a", "data": {"base64": "QQ==", "mimeType": 5}})
@example({"id": "a", "data": {"base64": "QQ=="}, "metadata": {"width": 1.5}})
@example({"id": "a", "sha256": "x", "size": 4, "data": {"base64": "QQ==", "url": "x"}})
def test_an_asset_comes_back_or_is_refused_whole(value):
    ours = read(value)
    uid = ASSETS.identify(ours)
    if uid is not None:
        assert_came_back(value, asset_trip(ours, uid))


@pytest.mark.parametrize("value", [None, 5, [], "text"])
def test_what_is_no_asset_is_refused(value):
    with pytest.raises(Unreadable):
        ASSETS.to_rows(value, "a")


@given(st.binary(max_size=64), st.integers(1, 9))
def test_canonical_base64_is_bytes_in_whatever_pieces_it_comes(plain, size):
    text = base64.b64encode(plain).decode()
    pieces = [text[at : at + size] for at in range(0, len(text), size)]

    assert store_base64(pieces, writes=False) == StoredBytes(hashlib.sha256(plain).hexdigest(), len(plain))


@pytest.mark.parametrize(
    "text", ["QQ", "QR==", "QQ==QQ==", "Q Q=", "QQ==\n", "Q-_=", "====", "é", "\ud800", "data:,QQ=="]
)
@pytest.mark.parametrize("size", [1, 3, 4, 100])
def test_text_that_bytes_would_not_give_back_is_refused(text, size):
    with pytest.raises(NotBase64):
        store_base64([text[at : at + size] for at in range(0, len(text), size)], writes=False)


@given(assets, st.integers())
def test_equal_assets_have_equal_hashes(value, seed):
    one, other = (ASSETS.files.attach_text(read(made)) for made in (value, reworded(value, seed)))

    assert ASSETS.to_rows(one, "a").content_hash == ASSETS.to_rows(other, "a").content_hash


def test_assets_with_different_bytes_have_different_hashes():
    one, other = (ASSETS.files.attach_text({"id": "a", "data": {"base64": text}}) for text in ("QQ==", "Qg=="))

    assert ASSETS.to_rows(one, "a").content_hash != ASSETS.to_rows(other, "a").content_hash


def test_an_id_gives_the_uuid_that_big_agi_derives():
    # Worked by hand from the rule: characters XORed in at i mod 16, then the marks of version and variant.
    assert uuid_of("") == "00000000-0000-4000-8000-000000000000"
    assert uuid_of("abcdefgh") == "61626364-6566-4768-8000-000000000000"
    assert uuid_of("0123456789abcdef0") == "00313233-3435-4637-b839-616263646566"
