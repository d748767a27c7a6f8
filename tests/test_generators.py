"""The generated files: what all import tests and benchmarks stand on."""

import json
from pathlib import Path

import pytest

from tests import generators


@pytest.mark.parametrize("pretty", [False, True])
def test_it_lays_a_backup_out_as_json_stringify_does(tmp_path: Path, pretty: bool):
    path = tmp_path / "backup.json"
    generators.write_flash_backup(path, 12, 5, images=2, pretty=pretty)
    text = path.read_text(encoding="utf-8")
    assert text == generators.encode(json.loads(text), indent=2 if pretty else None)


def test_it_makes_the_same_bytes_each_time_and_others_for_another_seed(tmp_path: Path):
    paths = [tmp_path / name for name in ("first", "second", "third")]
    for path, seed in zip(paths, (1, 1, 2), strict=True):
        generators.write_flash_backup(path, 5, 5, seed=seed, images=1)
    first, second, third = (path.read_bytes() for path in paths)
    assert first == second != third


def test_its_kinds_of_fragments_are_those_of_the_facts(tmp_path: Path):
    chats = list(generators.make_conversations(200, 11, images=3))
    fragments = [
        fragment for chat in chats for message in chat["messages"] for fragment in message.get("fragments", [])
    ]
    kinds = {fragment["part"]["pt"] for fragment in fragments}
    assert kinds >= {"text", "doc", "ma", "error", "reference", "image_ref", "tool_invocation", "tool_response"}
    assert any("fragments" not in message for chat in chats for message in chat["messages"])


def test_a_chat_has_texts_of_about_two_kilobytes_a_message():
    texts = [len(json.dumps(chat, ensure_ascii=False)) / 21 for chat in generators.make_conversations(40)]
    assert 1500 < sum(texts) / len(texts) < 3000
