"""`manage.py export_store`: the envelope on standard output, keys only on wish, one line for what it cannot."""

import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from stores.models import Store
from stores.records import secrets
from tests.servers import REPOSITORY, manage
from tests.stores.imports import import_path, make_chats, stores_of, typed, write_backup

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fast_imports")]

KEY = "hunter2-hunter2-hunter2"
MODELS = {"state": {"sources": [{"id": "openai", "setup": {"oaiKey": KEY}}], "llms": []}, "version": 5}
UI = {"state": {"text": "Grüße 😀 \ud800"}, "version": 3, "more": None}


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    stores = {"app-models": MODELS, "app-ui": UI, "joy-mode": "dark", "with space": 5}
    path = write_backup(tmp_path / "backup.json", make_chats(), stores=stores)
    import_path(path)
    return path


def export(*arguments: str) -> str:
    out = StringIO()
    call_command("export_store", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("name", ["app-chats", "app-models", "app-ui", "joy-mode", "with space"])
def test_it_writes_a_store_as_big_agi_keeps_it(backup: Path, name: str):
    out = export(name, "--with-secrets")

    assert out.isascii()
    assert out.endswith("\n")
    assert typed(json.loads(out)) == typed(stores_of(backup)[name])


def test_keys_are_markers_without_a_wish(backup: Path):
    out = export("app-models")

    assert KEY not in out
    assert json.loads(out)["state"]["sources"][0]["setup"]["oaiKey"] == f"{secrets.MARKER}ter2"


@pytest.mark.parametrize("name", ["", "app-nothing", "APP-UI", "\x00", "\udcff", "x" * 300, "Big-AGI", "../app-ui"])
@pytest.mark.parametrize("options", [[], ["--original"]])
def test_an_unknown_name_is_told_with_the_known_ones(backup: Path, name: str, options: list[str]):
    with pytest.raises(CommandError, match="There is no store .*: app-chats, app-models, app-ui, joy-mode") as caught:
        export(name, *options)

    assert caught.value.returncode == 1


def test_a_store_that_is_only_rows_is_known(tmp_path: Path):
    chat = make_chats(1)[0]
    path = tmp_path / "chat.agi.json"
    path.write_text(json.dumps(chat))
    import_path(path)
    assert not Store.objects.exists()

    assert json.loads(export("app-chats")) == {"state": {"conversations": [chat]}, "version": 4}
    with pytest.raises(CommandError, match="Existing stores: app-chats"):
        export("app-ui")


def test_where_nothing_is_none_is_known():
    with pytest.raises(CommandError, match="none yet"):
        export("app-ui")


def test_what_was_not_converted_has_no_original(backup: Path):
    with pytest.raises(CommandError, match="Leave out --original"):
        export("app-ui", "--original")


@pytest.mark.parametrize("is_there", [False, True], ids=["missing", "another"])
def test_without_the_right_key_all_else_goes_out_and_what_does_not_is_named(backup: Path, settings, is_there: bool):
    os.unlink(settings.KEY_FILE)
    if is_there:
        Path(settings.KEY_FILE).write_bytes(Fernet.generate_key())
        os.utime(settings.KEY_FILE, ns=(1, 1))

    out = StringIO()
    with pytest.raises(CommandError, match="1 secrets? could not be read.* in openai. The key file"):
        call_command("export_store", "app-models", "--with-secrets", stdout=out)
    # All else is written.
    shown = {**MODELS["state"]["sources"][0], "setup": {"oaiKey": f"{secrets.MARKER}ter2"}}
    assert json.loads(out.getvalue())["state"]["sources"] == [shown]

    assert json.loads(export("app-models"))["state"]["sources"][0]["setup"]["oaiKey"] == f"{secrets.MARKER}ter2"
    chats = json.loads(export("app-chats", "--with-secrets"))
    assert typed(chats) == typed(stores_of(backup)["app-chats"])


def test_a_folder_without_a_database_is_told_in_one_line(environment: dict[str, str]):
    done = manage("export_store", "app-ui", environment=environment)

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("CommandError: The database in")
    assert "Traceback" not in done.stderr


def test_it_ends_quietly_when_nobody_reads_on(environment: dict[str, str], tmp_path: Path):
    path = write_backup(tmp_path / "backup.json", make_chats(200, 10), stores={})
    assert manage("import_indexeddb", str(path), environment=environment).returncode == 0
    read, write = os.pipe()
    os.close(read)

    command = [sys.executable, "manage.py", "export_store", "app-chats"]
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, stdout=write, stderr=subprocess.PIPE)
    os.close(write)

    assert done.returncode == 1
    assert done.stderr == b""
