"""Events out of bytes, however they are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llms.calls.sse import EventReader

texts = st.lists(
    st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\r\n"), min_size=1), max_size=5
)


def read(pieces):
    reader = EventReader()
    return [data for piece in pieces for data in reader.feed(piece)] + list(reader.end())


def cut(content, places):
    edges = [0, *sorted(place % (len(content) + 1) for place in places), len(content)]
    return [content[one:other] for one, other in zip(edges, edges[1:], strict=False)]


@given(texts, st.sampled_from(["\n", "\r\n", "\r"]), st.lists(st.integers(0, 10**6), max_size=20), st.booleans())
def test_events_are_the_same_wherever_bytes_are_cut(datas, ending, places, has_comments):
    lines = []
    for data in datas:
        lines += [": still here", ""] * has_comments + [f"data: {data}", "event: x" * has_comments, ""]
    content = "".join(line + ending for line in lines).encode()
    expected = read([content])
    assert read(cut(content, places)) == expected
    assert read([bytes([byte]) for byte in content]) == expected
    if not has_comments:
        assert [data for data in expected if data] == [data for data in datas if data]


@pytest.mark.parametrize(
    ("content", "events"),
    [
        (b"data: a\n\ndata: b\n\n", ["a", "b"]),
        (b"data:a\n\n", ["a"]),
        (b"data: a\ndata: b\n\n", ["a\nb"]),
        (b": comment\n\nid: 5\nevent: x\ndata: a\n\n", ["a"]),
        # No empty line at the end, nor [DONE].
        (b"data: a\n\ndata: b", ["a", "b"]),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", ["a", "b"]),
        (b"\n\n\n", []),
        (b"data: \xff\n\n", ["\ufffd"]),
        ("data: é工🐈\n\n".encode(), ["é工🐈"]),
        # Beside the standard.
        (b'event: error\ndata: {"a": 1}\n\ndata: b\n\n', ['{"error": {"a": 1}}', "b"]),
        (b"event: error\ndata: gone\n\n", ['{"error": "gone"}']),
        (b'error: {"a": 1}\n\ndata: [DONE]\n\n', ['{"error": {"a": 1}}', "[DONE]"]),
        (b'data: a\n\n{"b":\n 1}\n\ndata: [DONE]\n\n', ["a", '{"b":\n 1}', "[DONE]"]),
        (b'{"a": 1}\n{"b": 2}\n', ['{"a": 1}', '{"b": 2}']),
        (b'data: {"a": 1}\ndata: {"b": 2}\ndata: [DONE]\n', ['{"a": 1}', '{"b": 2}', "[DONE]"]),
        (b'data: {"a":\ndata: {"b": 2}\ndata: }\n\n', ['{"a":\n{"b": 2}\n}']),
        (b"data:\n\ndata: a\n\ndata: \n\ndata:", ["a"]),
    ],
)
def test_what_providers_send(content, events):
    assert read([content]) == events
    assert read([bytes([byte]) for byte in content]) == events
