"""The order of folders is that of the newest file, unless it was changed here."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chats.services.folders import create_folder, order_folders
from stores.importers.file_facts import Strategy
from stores.models import Change, ImportedRecord
from stores.records.journal.recorder import Origin
from tests.stores.imports import dump, import_path, undone, write_backup

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fast_imports")]

HERE = Origin(Change.Source.API, "")
NOW = 1_795_000_000


def bring(folder: Path, at: int, uids: str, **options: Any) -> Any:
    folders = [{"id": uid, "title": uid, "conversationIds": []} for uid in uids]
    stores = {"app-folders": {"state": {"folders": folders, "enableFolders": True}, "version": 0}}
    path = folder / f"{at}-{uids}.json"
    taken_at = datetime.fromtimestamp(NOW + at, UTC).isoformat()
    return import_path(write_backup(path, None, stores=stores, taken_at=taken_at), **options)


def order_here() -> str:
    return "".join(one["id"] for one in dump("app-folders")["state"]["folders"])


def test_the_order_of_the_newest_file_comes_first_in_whatever_order_files_come(tmp_path: Path):
    first, second, third = (1, "xabc"), (2, "yacb"), (3, "cba")
    for turn in ((first, second, third), (third, first, second), (second, third, first, first)):
        with undone():
            for at, uids in turn:
                bring(tmp_path, at, uids)
            assert order_here() == "cbayx", turn


def test_an_order_that_was_changed_here_stays(tmp_path: Path):
    bring(tmp_path, 1, "abc")
    order_folders(HERE, ["b", "a", "c"])
    for at, uids in ((1, "abc"), (2, "cab"), (3, "cbad")):
        bring(tmp_path, at, uids)
        assert order_here().startswith("bac")
    bring(tmp_path, 3, "cbad", strategy=Strategy.THEIRS)
    assert order_here() == "cbad"


def test_a_folder_that_was_made_here_stays_in_its_place(tmp_path: Path):
    bring(tmp_path, 1, "abc")
    create_folder(HERE, {"id": "m", "title": "mine"})
    bring(tmp_path, 2, "cabd")
    assert order_here() == "cabmd"


def test_an_order_from_before_files_were_asked_for_theirs_stays_where_a_person_made_it(tmp_path: Path):
    bring(tmp_path, 1, "abc")
    order_folders(HERE, ["b", "a", "c"])
    ImportedRecord.objects.filter(kind="folder").update(base=None)
    bring(tmp_path, 2, "acb")
    bring(tmp_path, 3, "cab")
    assert order_here() == "bac"


def test_a_new_order_is_one_change_that_can_be_told(tmp_path: Path):
    bring(tmp_path, 1, "abc")
    change = Change.objects.get(run=bring(tmp_path, 2, "bca").run)
    assert list(change.records.values_list("kind", flat=True)) == ["positions"]
    assert not Change.objects.filter(run=bring(tmp_path, 2, "bca").run).exists()
