from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores.records.codecs import is_id
from stores.records.ids import RESERVED, UnknownId, decode_id, encode_id, href
from tests.api import ODD_IDS


@given(st.text(min_size=1, max_size=200).filter(is_id))
def test_any_id_comes_back_from_its_segment(uid):
    segment = encode_id(uid)
    assert "/" not in unquote(segment)
    assert segment.isascii()
    assert decode_id(unquote(segment)) == uid


@pytest.mark.parametrize("uid", ODD_IDS)
def test_odd_ids_come_back(uid):
    assert decode_id(unquote(encode_id(uid))) == uid


@pytest.mark.parametrize("word", sorted(RESERVED))
def test_a_reserved_word_is_an_id_in_its_encoded_form_only(word):
    assert encode_id(word).startswith("~")
    with pytest.raises(UnknownId):
        decode_id(word)


@pytest.mark.parametrize("segment", ["~", "~!", "~a", "~_w", "~AA", "a\x00b", "x" * 201, "\ud800"])
def test_what_is_no_id_is_refused(segment):
    with pytest.raises(UnknownId):
        decode_id(segment)


def test_an_address_has_words_as_they_are_and_ids_encoded():
    assert href("chats", "a/b", "messages", "search") == "/api/chats/~YS9i/messages/~c2VhcmNo"
