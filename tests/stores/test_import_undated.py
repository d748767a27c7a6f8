"""Files with all chats do not say when they were written: what is in them is as old as their latest chat."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from stores.importers.items import FileFacts
from tests import generators
from tests.stores.import_cases import chat
from tests.stores.imports import dump, import_path, typed, undone, write_backup

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fast_imports")]

NOW = 1_795_000_000_000


def iso(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ('{"created":1795000000000,"updated":null}', iso(NOW)),
        ('{"created": 5, "messages": [{"updated" : 1795000000009}]}', iso(NOW + 9)),
        ('{"updated":1795000000000,"created":4102444800000}', iso(NOW)),
        (r'{"text":"{\"updated\":1795000000000}"}', ""),
        ('{"updated":17950000000000000000}', ""),
    ],
)
def test_the_time_of_a_file_is_the_latest_that_can_be_believed(text: str, at: str):
    facts = FileFacts()
    facts.note_time(text)
    facts.note_time('{"updated":3}' if at else "{}")
    assert facts.taken_at == at


def stores_of(name: str, *, home: list[str]) -> dict[str, Any]:
    service = {"id": "openai", "label": name, "vId": "openai", "setup": {"oaiHost": ""}}
    work = [uid for uid in ("soup", "cake") if uid not in home]
    folders = [
        {"id": "work", "title": f"Work {name}", "conversationIds": work},
        {"id": "home", "title": f"Home {name}", "conversationIds": home},
    ]
    return {
        "app-folders": {"state": {"folders": folders, "enableFolders": True}, "version": 0},
        "app-models": {"state": {"llms": [], "sources": [service]}, "version": 5},
    }


def test_files_with_and_without_a_time_come_in_any_order(tmp_path: Path):
    paths = [tmp_path / f"{at}.json" for at in range(4)]
    for path, name, at, home in (
        (paths[0], "early", 5, ["soup", "cake"]),
        (paths[1], "late", 9, ["soup"]),
    ):
        chats = [chat("soup", "Soup", "one", updated=NOW + at), chat("cake", "Cake", "cake")]
        generators.write_all_chats(path, chats, stores_of(name, home=home))
    for path, name, at in ((paths[2], "first", 1), (paths[3], "between", 7)):
        chats = [chat("soup", "Soup", "one", updated=NOW), chat("cake", "Cake", "cake")]
        write_backup(path, chats, stores=stores_of(name, home=["cake"]), taken_at=iso(NOW + at))
    for order in (paths, paths[::-1], [paths[1], paths[3], paths[0], paths[2]]):
        with undone():
            for path in order:
                import_path(path)
            folders = dump("app-folders")["state"]["folders"]
            assert typed(folders) == typed(stores_of("late", home=["soup"])["app-folders"]["state"]["folders"]), order
            assert dump("app-models")["state"]["sources"][0]["label"] == "late", order
