"""Pieces of streams, however they are cut: bytes of events, and text in which a key may stand."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chats.generations.answer import Answer, join_surrogates
from chats.generations.call_endings import ending_of
from chats.generations.frames import pick_frames
from chats.generations.masking import PieceMask
from llms.calls.events import Finish, Text
from llms.calls.sse import EventReader
from stores.records.event_frames import frame
from stores.records.secrets import mask_found

KEYS = ["sk-test-0123456789abcdefghijkl", "AIza" + "b3" * 17 + "c", "AKIA0123456789ABCDEF"]
words = st.sampled_from(
    [*KEYS, "s", "sk", "sk-", "task-1 ", " A", "AI ", "\\n", " ", "x", "é🐈", "-", "\n", "plain text "]
)


@st.composite
def cut(draw, whole):
    """Draw a text or bytes and pieces of it."""
    value = draw(whole)
    places = sorted(draw(st.lists(st.integers(0, len(value)), max_size=12)))
    edges = [0, *places, len(value)]
    return value, [value[start:end] for start, end in zip(edges, edges[1:], strict=False)]


@given(cut(st.lists(words, max_size=12).map("".join)))
def test_a_key_is_masked_wherever_the_text_is_cut(drawn):
    text, pieces = drawn
    mask = PieceMask()
    sent = [mask.take(piece) for piece in pieces] + [mask.rest()]
    assert "".join(sent) == mask_found(text)


@pytest.mark.parametrize("key", KEYS)
def test_no_part_of_a_key_goes_out_before_it_is_whole(key):
    mask = PieceMask()
    sent = [mask.take(character) for character in f"It is {key}."]
    assert "".join(sent) == f"It is bigagi-secret:{key[-4:]}."
    assert all(len(piece) <= 20 for piece in sent)


EVENTS = st.lists(
    st.one_of(
        st.text(st.characters(exclude_characters="\r\n\x85\u2028\u2029", exclude_categories=["Cs"]), max_size=8),
        st.just("é🐈"),
    ),
    max_size=6,
)


@given(EVENTS, st.sampled_from(["\n", "\r\n", "\r"]), st.data())
def test_events_are_read_however_their_bytes_are_cut(texts, end, data):
    lines = [f": comment{end}{end}event: x{end}data: {text}{end}{end}" for text in texts]
    content = "".join(lines).encode()
    _, pieces = data.draw(cut(st.just(content)))
    reader = EventReader()
    read = [found for piece in pieces for found in reader.feed(piece)] + list(reader.end())
    assert read == [text for text in texts if text.strip()]


def test_a_last_event_without_its_empty_line_is_read_and_a_mark_of_order_passed_over():
    reader = EventReader()
    assert list(reader.feed(b"\xef\xbb\xbfdata: a\n\nda")) == ["a"]
    assert list(reader.feed(b"ta:b")) == [] and list(reader.end()) == ["b"]


def test_halves_of_a_pair_become_one_character():
    answer = Answer({"generator": {}})
    for text in ("a\ud83d", "\udc08b", "\udfff"):
        answer.take(Text(text), 0.0)
    assert answer.visible_text() == "a🐈b\udfff"
    assert join_surrogates("\ud83d\ud83d\udc08") == "\ud83d🐈"


def test_rendered_blocks_are_left_out_for_who_did_not_ask_for_them():
    frames = [frame(1, "delta", {"text": "a\n\nb"}), frame(2, "html", {"html": "<p>"}), frame(3, "done", {})]
    text = b"".join(frames).decode()
    assert list(pick_frames(text, 0, html=True)) == [each.decode() for each in frames]
    assert list(pick_frames(text, 0, html=False)) == [frames[0].decode(), frames[2].decode()]
    assert list(pick_frames(text, 2, html=True)) == [frames[2].decode()]
    assert json.loads(frames[0].decode().split("data: ")[1]) == {"text": "a\n\nb"}


@pytest.mark.parametrize(
    ("texts", "finish", "stop_reason", "is_error"),
    [
        (["a"], "stop", "", False),
        (["a"], "length", "out-of-tokens", False),
        (["a"], "content_filter", "filter", False),
        ([], "stop", "issue", True),
        ([], "length", "out-of-tokens", True),
        ([], "content_filter", "filter", True),
    ],
)
def test_how_a_call_ended_in_big_agis_words(texts, finish, stop_reason, is_error):
    answer = Answer({"generator": {}})
    for text in texts:
        answer.take(Text(text), 0.0)
    answer.take(Finish(finish), 0.0)
    ending = ending_of(answer)
    assert (ending.stop_reason, ending.is_error) == (stop_reason, is_error)
    assert bool(ending.detail) == (finish != "stop" or is_error)
