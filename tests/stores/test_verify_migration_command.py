"""`manage.py verify_migration`: what it prints, its exit status, and what it leaves alone."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from chats.models import Conversation, Fragment
from stores.importers import conditions
from stores.models import MigrationRun
from tests.servers import manage
from tests.stores.imports import everything_here, import_path, make_chats, write_backup

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fast_imports")]


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    path = write_backup(tmp_path / "backup.json", make_chats(3, 4), stores={"app-ui": {"state": {}, "version": 3}})
    import_path(path)
    return path


def verify(*arguments: Any) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("verify_migration", *map(str, arguments), stdout=out)
    except SystemExit as exit:
        return int(exit.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_it_says_in_one_line_that_all_is_here(backup: Path):
    status, told = verify(backup)

    assert status == 0
    (line,) = told.splitlines()
    assert line == "3 chats, 12 messages: all here, verified."


def test_it_names_what_differs_and_fails(backup: Path):
    fragment = Fragment.objects.filter(pt="text", message__position=1).first()
    Fragment.objects.filter(pk=fragment.pk).update(text="other")

    status, told = verify(backup)

    assert status == 1
    assert f"conversation {fragment.message.conversation.uid}: differs" in told
    (line,) = [line for line in told.splitlines() if line.endswith('"other" here')]
    assert line.lstrip().startswith(f"/messages/1/fragments/{fragment.position}/part/text: ")


def test_what_was_deleted_here_is_told(backup: Path):
    Conversation.objects.first().delete()

    status, told = verify(backup)

    assert status == 1
    assert "deleted here" in told
    assert "Here: 2 chats, 8 messages. Kept aside: 1 chat, 4 messages" in told


def test_its_json_is_for_programs(backup: Path):
    status, told = verify(backup, "--json")

    certificate = json.loads(told)
    assert status == 0
    assert certificate["counts"]["conversation"] == 3
    assert (certificate["differences"], certificate["records"]) == (0, [])


def test_it_writes_nothing(backup: Path):
    before = everything_here(), MigrationRun.objects.count()

    verify(backup)

    assert (everything_here(), MigrationRun.objects.count()) == before


def test_a_file_that_was_never_imported_is_missing(tmp_path: Path):
    path = write_backup(tmp_path / "backup.json", make_chats(2), stores={})

    status, told = verify(path)

    assert status == 1
    assert "Missing: 2 chats, 8 messages" in told


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "the file is empty"),
        (b"no JSON", "not JSON"),
        (b"[1]", "a JSON list"),
        (b'{"a": 1}', "not from big-AGI"),
        (b"\xff\xfe", "UTF-16"),
        (None, "does not exist"),
        ("folder", "is a folder"),
    ],
)
def test_what_is_no_file_of_big_agi_is_refused(tmp_path: Path, content: Any, told: str):
    path = tmp_path / "file.json"
    if content == "folder":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)

    with pytest.raises(CommandError, match=told) as caught:
        verify(path)

    assert caught.value.returncode == 2


def test_it_needs_no_room_on_the_disk(backup: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(conditions, "SPACE_FACTOR", 10**15)

    assert verify(backup)[0] == 0


def test_it_prints_names_that_no_terminal_takes(environment: dict[str, str], tmp_path: Path):
    stores = {"\ud800": 1, "app-ui": {"state": {"\udfff": 1}, "version": 3}}
    path = write_backup(tmp_path / "backup.json", None, stores=stores)
    assert manage("import_indexeddb", str(path), environment=environment).returncode == 1
    other = write_backup(tmp_path / "other.json", None, stores=stores | {"app-ui": {"state": {"\udfff": 2}}})

    for file in (path, other):
        done = manage("verify_migration", str(file), environment=environment)
        assert "Traceback" not in done.stderr
        assert done.returncode == 1
        assert "store \ufffd: quarantined" in done.stdout


def test_a_folder_without_a_database_is_told_in_one_line(environment: dict[str, str], tmp_path: Path):
    path = write_backup(tmp_path / "backup.json", make_chats(1), stores={})

    done = manage("verify_migration", str(path), environment=environment)

    assert done.returncode == 2
    assert done.stderr.startswith("CommandError: The database in")
    assert "Traceback" not in done.stderr
