"""Truncated files, damaged records, and disks that fill up in the middle."""

import errno
import json
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError

from chats import assets as asset_files
from chats.models import Asset, Conversation
from stores.backups.creation import BackupError
from stores.importers import importer
from stores.importers.importer import import_file
from stores.importers.options import Options
from stores.importers.report import proof
from stores.management.commands.import_indexeddb import is_clean
from stores.models import MigrationRun, Quarantine
from stores.records.dump import dump_store
from stores.records.registry import collection_of
from stores.records.table_collections import TableCollection
from tests import generators
from tests.stores.imports import (
    assert_all_here,
    assets_here,
    chats_here,
    dump,
    everything_here,
    import_path,
    make_chats,
    stores_of,
    typed,
    write_backup,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fast_imports")]


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    path = tmp_path / "backup.json"
    generators.write_flash_backup(path, 6, 5, images=3, image_side=16)
    return path


def cut_at(path: Path, mark: str, occurrence: int = 0, after: int = 0) -> tuple[Path, bytes]:
    """Write the file up to a place; return that file and the rest."""
    content = path.read_bytes()
    place = -1
    for _ in range(occurrence + 1):
        place = content.index(mark.encode(), place + 1)
    place += after
    target = path.with_name("cut.json")
    target.write_bytes(content[:place])
    return target, content[place:]


def in_chats(uid: str) -> str:
    """Return how a chat with this id begins inside the chats' string."""
    return f'{{\\"id\\":\\"{uid}'


# --- truncated ---


def test_all_that_is_complete_before_the_cut_is_imported(backup: Path):
    stores = stores_of(backup)
    chats = stores["app-chats"]["state"]["conversations"]
    path, _ = cut_at(backup, in_chats(chats[4]["id"]), after=300)
    progress = import_path(path)
    assert typed(chats_here()) == typed(chats[:4])
    assert len(assets_here()) == 3
    for name in stores:
        if name != "app-chats":
            assert typed(dump(name)) == typed(stores[name])
    assert not is_clean(progress)


def test_the_report_says_where_it_breaks_off_and_what_is_missing(backup: Path):
    chats = stores_of(backup)["app-chats"]["state"]["conversations"]
    path, _ = cut_at(backup, in_chats(chats[4]["id"]), after=300)
    progress = import_path(path)
    [told] = [error["message"] for error in progress.errors if "cut or damaged" in error["message"]]
    assert "chat 4" in told and "missing from the file" in told


def test_the_proof_does_not_say_that_all_of_a_cut_file_is_here(backup: Path):
    path, _ = cut_at(backup, "app-chats", after=3000)
    run = import_path(path).run
    assert run is not None
    assert "all here, verified" not in proof(run)
    assert (run.status, run.blocked_by) == (MigrationRun.Status.ERROR, importer.CUT)
    assert "The file is cut" in proof(run)
    whole = import_path(backup).run
    assert whole is not None
    assert "all here, verified" in proof(whole)


def test_the_cut_record_is_kept_as_raw_text_with_its_place(backup: Path):
    chats = stores_of(backup)["app-chats"]["state"]["conversations"]
    path, _ = cut_at(backup, in_chats(chats[4]["id"]), after=300)
    import_path(path)
    (kept,) = Quarantine.objects.all()
    assert chats[4]["id"] in kept.raw and not kept.is_json
    assert "chat 4" in kept.place


def test_a_cut_file_imported_twice_keeps_its_rest_once(backup: Path):
    path, _ = cut_at(backup, "app-chats", after=3000)
    import_path(path)
    before = everything_here()
    import_path(path)
    assert everything_here() == before


def test_the_whole_file_completes_what_a_cut_one_began(backup: Path):
    expected = stores_of(backup)["app-chats"]["state"]["conversations"]
    path, _ = cut_at(backup, in_chats(expected[3]["id"]), after=300)
    import_path(path)
    assert 0 < Conversation.objects.count() < 6
    import_path(backup)
    here = {chat["id"]: chat for chat in chats_here()}
    assert typed(here) == typed({chat["id"]: chat for chat in expected})


@pytest.mark.parametrize(
    ("mark", "occurrence", "after"),
    [
        ('"storage"', 0, 12),
        ('"app-models"', 0, 40),
        ('"app-models"', 0, 12),
        ('"indexedDB"', 0, 5),
        ('"largeAssets"', 0, 14),
        ('"base64"', 1, 30),
        ('"base64"', 2, 4),
        ('"keyval-store"', 0, 3),
        ('"app-chats"', 0, 12),
        ("conversations", 0, 4),
        ('\\"version\\":4', 0, 3),
        ('\\"version\\":4', 0, 13),
    ],
)
def test_a_file_can_break_off_anywhere(backup: Path, mark: str, occurrence: int, after: int):
    path, _ = cut_at(backup, mark, occurrence, after)
    progress = import_path(path)
    assert not is_clean(progress)
    assert any("cut or damaged" in error["message"] for error in progress.errors)
    scratch = importer.settings.DATA_DIR / "scratch"
    assert not scratch.exists()


def test_a_cut_export_of_all_chats_gives_its_whole_chats(tmp_path: Path):
    chats = make_chats(4)
    path = tmp_path / "all.json"
    generators.write_all_chats(path, chats, generators.make_stores(1, []))
    cut, _ = cut_at(path, chats[2]["id"], after=100)
    import_path(cut)
    assert typed(chats_here()) == typed([generators.carried_by_exports(chat) for chat in chats[:2]])


# --- damaged records ---


def test_a_damaged_record_is_quarantined_and_the_rest_goes_on(tmp_path: Path):
    chats = make_chats(4)
    odd = [
        chats[0],
        None,
        {"no": "id", "messages": []},
        chats[1] | {"messages": "none"},
        chats[2],
        chats[2] | {"autoTitle": "the same id again"},
        {"id": "x" * 300, "messages": []},
        chats[3],
    ]
    path = write_backup(tmp_path / "odd.json", odd)
    progress = import_path(path)
    assert progress.outcomes["conversation"]["created"] == 6
    assert progress.outcomes["conversation"]["quarantined"] == 2
    assert typed(json.loads("".join(dump_store("app-chats")))) == typed(stores_of(path)["app-chats"])
    assert {row.position - progress.run.position_base for row in Quarantine.objects.all()} == {1, 3}  # type: ignore[union-attr]
    before = everything_here()
    import_path(path)
    assert everything_here() == before


def test_what_is_too_deep_is_kept_and_comes_out_again(tmp_path: Path):
    chats = make_chats(3)
    path = write_backup(tmp_path / "deep.json", [chats[0], chats[1] | {"deep": "HOLE"}, chats[2]])
    deep = "[" * 10_000 + "]" * 10_000
    path.write_text(path.read_text(encoding="utf-8").replace('\\"HOLE\\"', deep), encoding="utf-8")
    import_path(path)
    (kept,) = Quarantine.objects.all()
    assert kept.is_json and deep in kept.raw
    text = "".join(dump_store("app-chats"))
    assert deep in text
    assert text.index(chats[0]["id"]) < text.index(deep) < text.index(chats[2]["id"])


def test_what_is_damaged_inside_a_chat_stands_in_its_place_again(tmp_path: Path):
    chats = make_chats(2)
    chats[0]["messages"].insert(1, 17)
    chats[0]["messages"][2]["fragments"].insert(0, {"part": {"pt": "text", "text": "no ft"}})
    chats[1]["messages"].append(chats[1]["messages"][0])
    path = write_backup(tmp_path / "odd.json", chats)
    progress = import_path(path)
    assert progress.outcomes["message"]["quarantined"] == 1
    assert typed(chats_here()) == typed(chats)
    assert {row.kind for row in Quarantine.objects.all()} == {"message", "fragment"}


# --- a full disk ---


class FullDisk(OSError):
    def __init__(self) -> None:
        super().__init__(errno.ENOSPC, "No space left on device")


def fail_on_call(number: int, real: Any, error: Exception) -> Any:
    """Return the function, failing once at its call of that number and working again later."""
    calls = 0

    def call(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number:
            raise error
        return real(*args, **kwargs)

    return call


@pytest.mark.parametrize("error", [OperationalError("database or disk is full"), FullDisk()])
def test_a_disk_that_fills_up_leaves_what_was_committed(
    backup: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
):
    conversations = type(collection_of("conversation"))
    monkeypatch.setattr("stores.importers.record_importer.BATCH_RECORDS", 2)
    monkeypatch.setattr(conversations, "insert", fail_on_call(2, conversations.insert, error))
    progress = import_file(backup, Options())
    assert progress.run is not None
    assert progress.run.status == MigrationRun.Status.ERROR
    assert progress.run.blocked_by.startswith("The disk is full. What was imported until then is stored.")
    assert "Import the same file again to resume it." in progress.run.blocked_by
    assert Conversation.objects.count() == 2 and Asset.objects.count() == 3
    assert not is_clean(progress)

    import_path(backup)
    assert_all_here(backup)


def test_a_disk_that_fills_up_while_an_image_is_written(backup: Path, monkeypatch: pytest.MonkeyPatch, data_dir: Path):
    monkeypatch.setattr(asset_files.os, "fsync", fail_on_call(2, asset_files.os.fsync, FullDisk()))
    progress = import_file(backup, Options())
    assert progress.run is not None and progress.run.status == MigrationRun.Status.ERROR
    assert "The disk is full" in progress.run.blocked_by
    assert list(data_dir.glob("assets/incoming-*")) == []
    import_path(backup)
    assert_all_here(backup)


def test_a_disk_that_is_full_for_the_runs_own_row_too(backup: Path, monkeypatch: pytest.MonkeyPatch):
    full = OperationalError("database or disk is full")
    monkeypatch.setattr(TableCollection, "insert", fail_on_call(1, TableCollection.insert, full))
    with monkeypatch.context() as patched:
        patched.setattr(MigrationRun, "save", fail_on_call(8, MigrationRun.save, full))
        progress = import_file(backup, Options())
    assert not is_clean(progress)
    import_path(backup)
    assert MigrationRun.objects.filter(status=MigrationRun.Status.RUNNING).count() == 0
    assert_all_here(backup)


def test_a_backup_that_cannot_be_made_stops_the_import_before_it_writes(backup: Path, monkeypatch: pytest.MonkeyPatch):
    import_path(backup)
    before = everything_here()

    def fail(reason: str) -> Any:
        raise BackupError("The backup was not made: No space left on device")

    monkeypatch.setattr(importer, "create_backup", fail)
    progress = import_file(write_backup(backup.with_name("second.json"), make_chats(2, seed=3)), Options())
    assert progress.run is not None
    assert progress.run.status == MigrationRun.Status.ERROR
    assert "No space left" in progress.run.blocked_by
    assert everything_here() == before


def test_leftovers_of_a_killed_writer_are_deleted_when_they_are_old(backup: Path, data_dir: Path):
    import os

    folder = data_dir / "assets"
    folder.mkdir()
    old, young = folder / "incoming-old", folder / "incoming-young"
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    import_path(backup)
    assert not old.exists() and young.exists()
