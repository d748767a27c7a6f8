"""`manage.py import_indexeddb`: what it prints, its exit status, and what it leaves alone."""

import hashlib
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from chats.models import Conversation
from stores.importers import importer
from stores.models import MigrationRun, Store
from tests import generators
from tests.servers import execute, manage
from tests.stores.imports import (
    assert_all_here,
    chats_here,
    continued,
    dump,
    everything_here,
    make_chats,
    stores_of,
    typed,
    write_backup,
)

pytestmark = [pytest.mark.django_db]

OUTCOMES = ("created", "updated", "unchanged", "skipped", "quarantined")


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    path = tmp_path / "backup.json"
    generators.write_flash_backup(path, 6, 5, images=2)
    return path


def run_import(*arguments: Any) -> tuple[int, str, str]:
    """Run the command; return its exit status and what it printed on both channels."""
    out, err = StringIO(), StringIO()
    try:
        call_command("import_indexeddb", *map(str, arguments), stdout=out, stderr=err)
    except SystemExit as exit:
        return int(exit.code or 0), out.getvalue(), err.getvalue()
    except CommandError as error:
        return error.returncode, out.getvalue(), err.getvalue() + str(error)
    return 0, out.getvalue(), err.getvalue()


def counts_in(told: str) -> dict[str, Any]:
    return {kind: [counts[outcome] for outcome in OUTCOMES] for kind, counts in json.loads(told)["counts"].items()}


# --- real files ---


REAL = [
    *("flash.json", "flash-compact.json", "flash-with-images.json", "flash-with-images-no-settings.json"),
    *("all-chats.agi.json", "chat-flags.agi.json", "chat-images.agi.json", "chat-persona.agi.json"),
]


@pytest.mark.real_data
@pytest.mark.usefixtures("fast_imports")
@pytest.mark.parametrize("name", REAL)
def test_a_file_of_big_agi_comes_in_whole(real_data: Path, name: str):
    path = real_data / "exports" / name
    status, told, _ = run_import(path)
    assert status == 0
    assert "all here, verified" in told
    content = json.loads(path.read_bytes())
    if "storage" in content:
        assert_all_here(path)
    elif "conversations" in content:
        assert typed(chats_here()) == typed(content["conversations"])
        assert typed(dump("app-models")["state"]["sources"]) == typed(content["models"]["sources"])
        assert typed(dump("app-folders")["state"]) == typed(content["folders"])
    else:
        assert typed(chats_here()) == typed([content])


@pytest.mark.real_data
@pytest.mark.usefixtures("fast_imports")
def test_the_counts_of_a_file_of_big_agi_are_those_of_its_description(real_data: Path):
    status, told, _ = run_import("--json", real_data / "exports" / "flash-with-images.json")
    created = {kind: counts[0] for kind, counts in counts_in(told).items()}
    expected = {"conversation": 12, "message": 60, "fragment": 75, "service": 3, "model": 29, "folder": 2, "asset": 4}
    assert status == 0
    assert {kind: created[kind] for kind in expected} == expected


@pytest.mark.real_data
@pytest.mark.usefixtures("fast_imports")
def test_all_files_of_big_agi_can_come_over_each_other(real_data: Path):
    paths = [real_data / "exports" / name for name in REAL]
    for order in (paths, paths[::-1]):
        assert run_import(*order)[0] == 0
    assert Conversation.objects.count() == 12
    ids = {chat["id"]: chat for chat in stores_of(paths[2])["app-chats"]["state"]["conversations"]}
    assert typed({chat["id"]: chat for chat in chats_here()}) == typed(ids)


# --- the report ---


@pytest.mark.usefixtures("fast_imports")
def test_the_report_ends_with_a_sentence_of_proof(backup: Path):
    status, told, errors = run_import(backup)
    assert status == 0 and errors == ""
    assert "6 chats, 30 messages, 2 images: all here, verified." in told
    assert "Keep the data in the browser" in told
    assert "API keys in plain text" in told


@pytest.mark.usefixtures("fast_imports")
def test_it_says_when_a_file_was_made_without_images(tmp_path: Path):
    told = run_import(write_backup(tmp_path / "backup.json", make_chats(1), stores=generators.make_stores(1, [])))[1]
    assert "Include Binary Images" in told and "no settings" not in told
    told = run_import(write_backup(tmp_path / "bare.json", make_chats(1)))[1]
    assert "no settings" in told


@pytest.mark.usefixtures("fast_imports")
def test_the_json_report_is_one_value_for_programs(backup: Path):
    status, told, _ = run_import("--json", backup)
    report = json.loads(told)
    assert status == 0
    assert report["status"] == "done" and report["certificate"]["differences"] == 0
    assert report["source"]["sha256"] == hashlib.sha256(backup.read_bytes()).hexdigest()
    assert report["source"]["size"] == backup.stat().st_size
    assert [phase["status"] for phase in report["phases"]] == ["complete"] * 11
    for counts in report["counts"].values():
        assert counts["read"] == sum(counts[outcome] for outcome in OUTCOMES)


@pytest.mark.usefixtures("fast_imports")
def test_the_run_keeps_the_certificate_and_tells_it(backup: Path):
    run_import(backup)
    out = StringIO()
    call_command("migration_status", "--format", "json", stdout=out)
    assert json.loads(out.getvalue())["certificate"]["counts"]["message"] == 30
    out = StringIO()
    call_command("migration_status", "--format", "markdown", stdout=out)
    for title in ("Current Status: done", "State", "Progress Summary", "Error Log", "Completed Tasks"):
        assert f"## {title}" in out.getvalue()
    assert "6 chats, 30 messages, 2 images: all here, verified." in out.getvalue()


@pytest.mark.usefixtures("fast_imports")
def test_several_files_come_in_one_after_the_other(tmp_path: Path):
    chats = make_chats(4)
    paths = [tmp_path / "first.json", tmp_path / "second.json"]
    write_backup(paths[0], chats[2:])
    write_backup(paths[1], [*chats[:2], continued(chats[2])])
    status, told, _ = run_import(*paths)
    assert status == 0 and told.count("verified") == 2
    assert typed(chats_here()) == typed([chats[0], chats[1], continued(chats[2]), chats[3]])


@pytest.mark.usefixtures("fast_imports")
def test_the_json_of_several_files_is_a_list(tmp_path: Path):
    paths = [write_backup(tmp_path / f"{at}.json", [chat]) for at, chat in enumerate(make_chats(2))]
    reports = json.loads(run_import("--json", *paths)[1])
    assert [report["source"]["name"] for report in reports] == ["0.json", "1.json"]


@pytest.mark.usefixtures("fast_imports")
def test_one_refused_file_among_several_does_not_hold_the_others_up(tmp_path: Path):
    chats = make_chats(2)
    first, second = (write_backup(tmp_path / f"{at}.json", [chat]) for at, chat in enumerate(chats))
    notes = tmp_path / "notes.md"
    notes.write_text("# Notes")
    status, told, errors = run_import(first, notes, second)
    assert status == 2
    assert told.count("verified") == 2 and "notes.md" in errors
    assert Conversation.objects.count() == 2


@pytest.mark.usefixtures("fast_imports")
def test_damage_gives_status_one(tmp_path: Path):
    chats = make_chats(2)
    chats[1]["messages"].append("no message")
    status, told, _ = run_import(write_backup(tmp_path / "backup.json", chats))
    assert status == 1
    assert "quarantine" in told and f"chat {chats[1]['id']}, message 4" in told


# --- dry runs ---


def files_of(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.usefixtures("fast_imports")
def test_a_dry_run_tells_the_same_counts_and_writes_nothing(backup: Path, tmp_path: Path, settings):
    chats = list(generators.make_conversations(6, 5, images=2))
    chats[0]["messages"].append(None)
    second = write_backup(tmp_path / "second.json", [*make_chats(1, seed=5), continued(chats[1]), *chats])
    for path in (backup, second):
        before, files = everything_here(), _without_locks(files_of(settings.DATA_DIR))
        runs = MigrationRun.objects.count()
        dry_status, dry, _ = run_import("--dry-run", "--json", path)
        assert everything_here() == before
        assert _without_locks(files_of(settings.DATA_DIR)) == files
        assert MigrationRun.objects.count() == runs
        status, told, _ = run_import("--json", path)
        assert counts_in(told) == counts_in(dry)
        assert status == dry_status == (path == second)


def test_a_dry_run_leaves_every_byte_as_it_was(backup: Path, started: dict[str, str]):
    if started.get("DATABASE_URL"):
        pytest.skip("PostgreSQL's files are not ours to compare")
    assert manage("import_indexeddb", str(backup), environment=started).returncode == 0
    execute(started, "PRAGMA wal_checkpoint(TRUNCATE)")
    chats = [continued(chat) for chat in generators.make_conversations(6, 5)]
    newer = write_backup(backup.with_name("newer.json"), chats, assets=[generators.make_asset(7, 1)])
    folder = Path(started["BIGAGI_DATA_DIR"])
    before = _without_locks(files_of(folder))
    done = manage("import_indexeddb", "--dry-run", str(newer), environment=started)
    assert done.returncode == 0, done.stderr
    assert "Dry run, nothing was written. The file has 6 chats" in done.stdout
    assert _without_locks(files_of(folder)) == before


def _without_locks(files: dict[str, str]) -> dict[str, str]:
    # SQLite makes an empty log and an index of it for whoever reads; the first to need a key makes one.
    passing = (".lock", "-wal", "-shm", "secrets.key")
    return {name: digest for name, digest in files.items() if not name.endswith(passing)}


# --- as a process ---


def test_progress_is_quiet_where_there_is_no_terminal(backup: Path, started: dict[str, str]):
    done = manage("import_indexeddb", str(backup), environment=started)
    assert done.returncode == 0
    assert done.stderr == ""
    assert "\x1b" not in done.stdout


def test_a_second_file_backs_up_what_is_here(backup: Path, started: dict[str, str]):
    for _ in range(2):
        assert manage("import_indexeddb", str(backup), environment=started).returncode == 0
    backups = list(Path(started["BIGAGI_DATA_DIR"], "backups").glob("*-before-import"))
    assert len(backups) == 1


# --- refusals ---


def refused(path: Any) -> str:
    """Import what must be refused: one clear line, nothing written, no run."""
    status, told, errors = run_import(path)
    assert status == 2 and told == ""
    assert len(errors.strip().splitlines()) == 1 and str(path) in errors
    assert not MigrationRun.objects.exists() and not Store.objects.exists()
    return errors


@pytest.mark.usefixtures("fast_imports")
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b" \n\t ", "empty"),
        (b"# A chat\n\nin Markdown", "looks like Markdown"),
        (b"[1, 2]", "a JSON list"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "not JSON"),
        (b'{"mapping": {}, "title": "of another program"}', "ChatGPT"),
        (b"{}", "not from big-AGI"),
        (b'{"a" 1}', "is not"),
        (b"{" * 100_000, "is not"),
        (b"\xff\xfe{\x00", "is not"),
    ],
)
def test_what_is_no_file_of_big_agi_is_refused(tmp_path: Path, content: bytes, reason: str):
    path = tmp_path / "strange.json"
    path.write_bytes(content)
    assert reason in refused(path)


@pytest.mark.usefixtures("fast_imports")
def test_a_folder_is_refused(tmp_path: Path):
    assert "folder" in refused(tmp_path)


@pytest.mark.usefixtures("fast_imports")
def test_a_file_that_is_not_there_is_refused(tmp_path: Path):
    assert "does not exist" in refused(tmp_path / "gone.json")


@pytest.mark.usefixtures("fast_imports")
def test_a_file_without_permission_is_refused(backup: Path, monkeypatch: pytest.MonkeyPatch):
    # Root may read everything, so the refusal is made here.
    opened = Path.open

    def refuse(path: Path, *args: Any, **kwargs: Any) -> Any:
        if path == backup:
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refuse)
    assert "permission denied" in refused(backup)


@pytest.mark.usefixtures("fast_imports")
def test_too_little_disk_space_is_refused(backup: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importer.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 1000})())
    status, _, errors = run_import(backup)
    assert status == 2 and "free disk space" in errors
    assert not MigrationRun.objects.exists()
