"""An import is one entry of the journal, with a part for each record that it made or altered."""

import json
from pathlib import Path

import pytest

from stores.importers import record_writer
from stores.importers.importer import import_file
from stores.importers.options import Options
from stores.models import Change, ChangedRecord
from stores.records.jsontext import decode
from tests import generators
from tests.api import make_message, read_problem, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    path = tmp_path / "backup.json"
    generators.write_flash_backup(path, 7, 3, images=2, image_side=8)
    return path


def import_again(path: Path) -> Change | None:
    import_file(path, Options(actor="somebody"))
    return Change.objects.first()


def test_an_import_is_one_entry_with_a_part_a_record(backup: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(record_writer, "PAUSE", 0)
    change = import_again(backup)
    assert change is not None
    assert Change.objects.count() == 1
    assert (change.source, change.actor, change.action) == ("import", "somebody", "import")
    assert change.run is not None and change.summary == "backup.json"
    assert change.records.filter(kind="conversation", action="created").count() == 7
    assert change.records.filter(kind="asset", action="created").count() == 2
    assert change.record_count == change.records.count()
    assert not change.records.exclude(body=None).exists()
    assert {"app-chats", "Big-AGI"} <= set(change.stores.split())


def test_what_an_import_does_not_change_has_no_entry(backup: Path):
    first = import_again(backup)
    assert import_again(backup) == first and Change.objects.count() == 1


def test_what_an_import_alters_is_told_by_the_difference(tmp_path: Path):
    path = tmp_path / "chat.json"
    chat = {"id": "c", "systemPurposeId": "Generic", "messages": [make_message("m0")], "created": 1, "updated": 1}
    path.write_text(json.dumps(chat))
    import_again(path)
    chat |= {"messages": [make_message("m0"), make_message("m1", "More")], "updated": 2}
    path.write_text(json.dumps(chat))
    change = import_again(path)
    assert change is not None and Change.objects.count() == 2
    part = ChangedRecord.objects.get(change=change, kind="conversation")
    assert part.action == "updated" and part.body is not None
    assert "m1" in part.body and "m0" not in part.body
    assert isinstance(decode(part.body), list)


def test_an_import_is_not_undone_piece_by_piece(backup: Path):
    change = import_again(backup)
    assert change is not None
    answer = sign_in().post(f"/api/changes/{change.pk}/undo", "{}", content_type="application/json")
    problem = read_problem(answer, 409)
    assert f"undo run {change.run_id}" in problem["detail"] and problem["run"] == change.run_id
