"""The reader finds in any text what `json` finds, however the text is cut into pieces."""

import io
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores.importers.independent_reader import CannotReread, TextCursor
from stores.importers.items import CutItem, RecordItem, StoreItem
from stores.importers.parser import Parser
from stores.importers.scanner import Cut, Malformed, Scanner
from stores.importers.source import ANY_QUOTE, StringReader, read_text
from tests import generators
from tests.stores.imports import assets_of, stores_of, typed

SIZES = st.integers(1, 40)
ODD = st.sampled_from('"\\/\b\f\n\r\t\x00\ud83d\udc08é漢')
TEXTS = st.text(st.one_of(st.characters(), ODD, st.characters(categories=["Cs"])))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
INDENTS = st.sampled_from((None, 0, 2))


def pieces_of(text: str, size: int) -> Any:
    """Return a reader that gives the text in pieces of this size."""
    pieces: Iterator[str] = iter([text[at : at + size] for at in range(0, len(text), size)])
    return lambda: next(pieces, "")


@given(text=TEXTS, size=SIZES, is_ascii=st.booleans())
def test_a_string_is_unescaped_as_json_does(text: str, size: int, is_ascii: bool):
    encoded = json.dumps(text, ensure_ascii=is_ascii)[1:] + ', "behind": 1}'
    reader = StringReader("", pieces_of(encoded, size), ANY_QUOTE)
    assert "".join(reader.pieces()) == text
    assert reader.is_closed
    read_on = pieces_of(encoded, size)
    whole = StringReader("", read_on, ANY_QUOTE)
    list(whole.pieces())
    rest = whole.rest
    while more := read_on():
        rest += more
    assert rest == ', "behind": 1}'


@given(text=TEXTS, size=SIZES, is_ascii=st.booleans())
def test_the_rereader_unescapes_as_json_does(text: str, size: int, is_ascii: bool):
    if not is_ascii:
        # A lone surrogate cannot stand in UTF-8, only as an escape.
        text = text.encode("utf-8", "ignore").decode()
    reread = TextCursor(pieces_of(json.dumps(text, ensure_ascii=is_ascii) + " , 1", size))
    assert "".join(reread.inside_string()) == text
    assert reread.next() == ","


@pytest.mark.parametrize(
    "text", ['{"a": 1 "b": 2}', '{"a": 1,}', "{1: 2}", '{"a" 1}', "[1 2]", "[1,]", "[1, 2", '["a" "b"]', "[,1]"]
)
def test_the_rereader_takes_nothing_for_json_that_is_none(text: str):
    reread = TextCursor(pieces_of(text, 3))
    with pytest.raises(CannotReread):
        for _ in reread.members() if text[0] == "{" else reread.elements():
            reread.value()


@given(text=TEXTS, size=SIZES, cut=st.integers(0, 30))
def test_a_string_that_is_cut_gives_what_was_there(text: str, size: int, cut: int):
    encoded = json.dumps(text)[1:-1]
    reader = StringReader("", pieces_of(encoded[: max(0, len(encoded) - cut)], size), ANY_QUOTE)
    read = "".join(reader.pieces())
    assert not reader.is_closed
    assert text.startswith(read[:-6]) or "\\" in read


@given(value=VALUES, size=SIZES, indent=INDENTS)
def test_a_value_ends_where_json_says(value: Any, size: int, indent: int | None):
    text = json.dumps(value, indent=indent)
    scanner = Scanner(pieces_of(f"  {text} , 1]", size))
    assert scanner.raw_value() == text
    assert scanner.peek() == ","


@given(value=st.dictionaries(TEXTS, VALUES, max_size=5), size=SIZES, indent=INDENTS)
def test_members_are_those_of_json(value: dict[str, Any], size: int, indent: int | None):
    scanner = Scanner(pieces_of(json.dumps(value, indent=indent), size))
    found = {key: json.loads(scanner.raw_value()) for key in scanner.members()}
    assert typed(found) == typed(value)
    assert scanner.peek() == ""


@given(value=VALUES, size=SIZES, data=st.data())
def test_a_cut_value_raises_and_stays(value: Any, size: int, data: st.DataObject):
    text = json.dumps([value])
    place = data.draw(st.integers(1, len(text) - 1))
    scanner = Scanner(pieces_of(text[:place], size))
    with pytest.raises(Cut):
        scanner.raw_value()
    assert scanner.buffer[scanner.at :] == text[:place]


@given(content=st.binary(max_size=60))
def test_any_bytes_come_as_text_and_back(content: bytes):
    read = read_text(io.BytesIO(content))
    text = "".join(iter(read, ""))
    without_mark = content.removeprefix(b"\xef\xbb\xbf")
    assert text.encode("utf-8", "surrogateescape") == without_mark


@given(text=st.text('{}[],:"\\ u0a1', max_size=40), size=SIZES)
def test_no_text_makes_the_scanner_fail_in_another_way(text: str, size: int):
    scanner = Scanner(pieces_of(text, size))
    try:
        while scanner.peek():
            scanner.raw_value()
    except Malformed:
        pass


def parse(content: bytes, folder: Path) -> tuple[Parser, list[Any]]:
    parser = Parser(io.BytesIO(content), "flash-backup", lambda count: None, lambda kind, key: False, folder)
    return parser, list(parser.items())


@pytest.mark.parametrize("pretty", [False, True])
def test_a_backup_is_taken_apart_into_what_json_has(tmp_path: Path, pretty: bool):
    path = tmp_path / "backup.json"
    generators.write_flash_backup(path, 60, 3, images=2, pretty=pretty)
    parser, items = parse(path.read_bytes(), tmp_path / "scratch")
    stores, assets = stores_of(path), assets_of(path)
    chats = [item.value for item in items if isinstance(item, RecordItem) and item.kind == "conversation"]
    assert typed(chats) == typed(stores.pop("app-chats")["state"]["conversations"])
    found = {item.name: item.value for item in items if isinstance(item, StoreItem) and not item.is_left_over}
    assert typed(found) == typed(stores)
    images = [item for item in items if isinstance(item, RecordItem) and item.kind == "asset"]
    for item, asset in zip(images, assets, strict=True):
        assert item.bytes_file is not None
        assert item.bytes_file.read_text() == asset["data"]["base64"]
        assert item.value["data"] == {"base64": "", "mimeType": "image/png"}
    assert parser.facts.has_settings and parser.facts.has_chats and parser.facts.tables == {"asset"}
    assert parser.facts.taken_at == generators.TAKEN_AT


def test_the_parsers_memory_does_not_grow_with_the_file(tmp_path: Path):
    peaks = []
    for chats in (60, 300):
        path = tmp_path / f"{chats}.json"
        generators.write_flash_backup(path, chats, 21)
        with path.open("rb") as file:
            parser = Parser(file, "flash-backup", lambda count: None, lambda kind, key: False, tmp_path)
            tracemalloc.start()
            for _ in parser.items():
                pass
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


def test_a_key_behind_its_value_is_found_too(tmp_path: Path):
    chats = {"state": {"conversations": [generators.make_conversation(1, 0, 2)]}, "version": 4}
    entry = {"value": json.dumps(chats), "key": "app-chats"}
    backup = {"storage": {"localStorage": {}, "indexedDB": {"keyval-store": {"keyval": [entry]}}}}
    _, items = parse(json.dumps(backup).encode(), tmp_path)
    assert [item.kind for item in items if isinstance(item, RecordItem)] == ["conversation"]


def test_chats_that_are_no_string_are_chats_too(tmp_path: Path):
    chats = {"state": {"conversations": [generators.make_conversation(1, 0, 2)]}, "version": 4}
    entry = {"key": "app-chats", "value": chats}
    backup = {"storage": {"localStorage": {}, "indexedDB": {"keyval-store": {"keyval": [entry]}}}}
    _, items = parse(json.dumps(backup).encode(), tmp_path)
    assert [item.kind for item in items if isinstance(item, RecordItem)] == ["conversation"]
    assert not [item for item in items if isinstance(item, CutItem)]
