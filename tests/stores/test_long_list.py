"""An app's own long list is imported, verified, dumped, journaled and undone, by the one file that says what it is."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from stores.importers.importer import import_file
from stores.importers.options import Options
from stores.importers.report import proof
from stores.models import Change, ChangedRecord, MigrationRun
from stores.records import editing, registry
from stores.records.dump import dump_collection
from stores.records.journal.recorder import Origin, record_change
from stores.records.secrets import reveal
from stores.records.undoing import undo
from tests.generators import encode, make_conversations, write_backup


@pytest.fixture
def pins(transactional_db: None, settings: Any, tmp_path: Path) -> Iterator[Any]:
    """Register the list, with its table, for one test."""
    settings.DATA_DIR = tmp_path / "data"
    settings.ASSETS_DIR = settings.DATA_DIR / "assets"
    settings.BACKUPS_DIR = settings.DATA_DIR / "backups"
    from tests.stores import pins

    with connection.schema_editor() as editor:
        editor.create_model(pins.Pin)
    registry.register(pins.PIN_BOARD)
    try:
        yield pins
    finally:
        del registry._specs["Pin-Board"]
        with connection.schema_editor() as editor:
            editor.delete_model(pins.Pin)
        apps.all_models["workspace"].pop("pin", None)
        apps.clear_cache()


def write(path: Path, entries: list[str]) -> Path:
    """Write a backup of one chat, with these entries in the table."""
    write_backup(path, list(make_conversations(1, 2)))
    databases = '"indexedDB":{'
    table = f'"Pin-Board":{{"pins":[{",".join(entries)}]}},'
    path.write_text(path.read_text().replace(databases, databases + table, 1))
    return path


def entry(record: dict[str, Any]) -> str:
    return encode({"key": record["id"], "value": record})


def dumped(pins: Any) -> Any:
    return json.loads("".join(dump_collection(pins.PINS, reveal, [])))


def test_it_is_imported_verified_dumped_journaled_and_undone(pins: Any, tmp_path: Path):
    records = [{"id": f"p{number}", "title": f"Pin {number}", "at": [number, None]} for number in range(450)]
    path = write(tmp_path / "backup.json", list(map(entry, records)))

    progress = import_file(path, Options())

    assert progress.counts["pin"]["created"] == 450
    assert progress.phases["workspace"]["done"] == 450
    assert progress.run and proof(progress.run) == "1 chat, 2 messages, 450 pins: all here, verified."
    assert "The file has no pins." not in progress.notes
    assert dumped(pins) == records
    assert ChangedRecord.objects.filter(kind="pin", action=ChangedRecord.Action.CREATED).count() == 450

    # Again, with one that went on: all else is known by its digest.
    changed = {**records[7], "title": "Seven"}
    again = import_file(write(path, list(map(entry, [*records[:7], changed, *records[8:]]))), Options())
    assert (again.counts["pin"]["unchanged"], again.outcome("created")) == (449, 0)
    assert again.counts["pin"]["updated"] + again.counts["pin"]["skipped"] == 1
    assert again.run and "450 pins" in proof(again.run)

    with record_change(Origin(Change.Source.API, "owner"), "edit") as written:
        row = editing.find_for_write(pins.PINS, "p3")
        editing.replace(written, pins.PINS, row, {"id": "p3", "title": "Three", "new": True})
    assert dumped(pins)[3] == {"id": "p3", "title": "Three", "new": True}
    assert written.change
    undo(Origin(Change.Source.API, "owner"), written.change.pk)
    assert dumped(pins)[3] == records[3]


def test_what_is_damaged_in_it_is_told_and_touches_nothing_else(pins: Any, tmp_path: Path):
    good = [{"id": name, "title": name} for name in "abc"]
    entries = [
        entry(good[0]),
        '{"key":"x","value":{"id":"x","title":tru}}',
        entry(good[1]),
        '{"key":"y"}',
        entry(good[2]),
    ]

    progress = import_file(write(tmp_path / "backup.json", entries), Options())

    assert dumped(pins)[0] == good[0]
    assert [record for record in dumped(pins) if record in good] == good
    assert progress.counts["pin"]["quarantined"] == 2
    assert progress.run and "Damaged: 2 pins" in proof(progress.run)
    assert progress.run.status == MigrationRun.Status.DONE
    assert any("Pin-Board/pins, entry 1" in error["place"] for error in progress.errors)


def test_a_backup_without_it_says_so(pins: Any, tmp_path: Path):
    path = tmp_path / "backup.json"
    write_backup(path, list(make_conversations(1, 2)))
    assert "The file has no pins." in import_file(path, Options()).notes
