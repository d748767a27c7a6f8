"""What people try to import: by the command and as an upload, what is said is what can be seen here then."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from chats.models import Conversation
from stores.importers.report import proof
from stores.models import MigrationRun, Quarantine, Revision
from tests.api import sign_in
from tests.servers import REPOSITORY
from tests.stores.import_cases import NAMES, Case, chat, flash, make_cases
from tests.stores.imports import chats_here, dump, stores_of, typed
from tests.stores.shown import assert_sentence_is_true, getter, shown_chats
from tests.stores.test_import_command import run_import
from tests.stores.test_upload_api import wait


@pytest.fixture(params=NAMES)
def case(request: pytest.FixtureRequest) -> Case:
    # The name keeps the records of one case apart from those of the others, where they share a database.
    return make_cases(f"c{NAMES.index(request.param)}")[request.param]


@pytest.mark.django_db
def test_the_command_says_what_can_be_seen(case: Case, tmp_path: Path, fast_imports: Path):
    path = tmp_path / "file.json"
    path.write_bytes(case.content)

    status, out, err = run_import(path, *(["--recover"] if case.recovers else []))

    assert status == case.status, out + err
    told = err if status == 2 else out
    assert all(words in told for words in case.says), told
    get = getter(sign_in())
    assert shown_chats(get) == case.shows
    if status == 2:
        assert not MigrationRun.objects.exists()
        return
    run = MigrationRun.objects.get()
    assert_sentence_is_true(get, run)
    assert run_verify(path) == (status if not case.recovers else 0), proof(run)


def run_verify(path: Path) -> int:
    from io import StringIO

    from django.core.management import call_command

    try:
        call_command("verify_migration", str(path), stdout=StringIO())
    except SystemExit as exit:
        return int(exit.code or 0)
    return 0


def test_an_upload_says_the_same(case: Case, server: Any):
    client = server.sign_in()
    before = shown_chats(lambda address: client.get(address).json())
    query = "filename=file.json" + ("&recover=true" if case.recovers else "")

    answer = client.post(f"/api/migrations?{query}", case.content, headers={"Content-Type": "application/octet-stream"})

    if case.status == 2:
        problem = answer.json()
        assert (answer.status, problem["type"]) == (400, "/api/docs/troubleshooting#not-a-backup"), problem
        assert all(words in problem["detail"] for words in case.says), problem
        assert "uploads" not in problem["detail"]
        return
    assert answer.status == 202, answer.text
    run = wait(client, answer.headers["Location"])
    told = client.get(run["report_href"]).json()["proof"]
    assert all(words in told for words in case.says), told
    shown = shown_chats(lambda address: client.get(address).json())
    assert {title: texts for title, texts in shown.items() if title not in before} == case.shows


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name",
    [
        "messages without a usable id",
        "a message id twice",
        "a number for a chat's id",
        "a chat id twice",
        "a chat without an id",
    ],
)
def test_what_got_an_id_of_ours_is_written_out_as_it_came(name: str, tmp_path: Path, fast_imports: Path):
    path = tmp_path / "file.json"
    path.write_bytes(make_cases("x")[name].content)
    assert run_import(path)[0] == 0
    value = json.loads(path.read_bytes())

    expected = stores_of(path)["app-chats"]["state"]["conversations"] if "storage" in value else [value]
    assert typed(chats_here()) == typed(expected)
    assert not Quarantine.objects.exists()
    assert run_import(path)[0] == 0
    assert Conversation.objects.count() == len(expected)


@pytest.mark.django_db
def test_the_twin_of_a_chat_is_named(tmp_path: Path, fast_imports: Path):
    path = tmp_path / "file.json"
    path.write_bytes(make_cases("x")["a chat id twice"].content)
    assert "“x Twin” has the id of another chat" in run_import(path)[1]


@pytest.mark.django_db
def test_the_recovery_copy_can_be_written_out(tmp_path: Path, fast_imports: Path):
    path = tmp_path / "file.json"
    path.write_bytes(make_cases("x")["a recovery copy"].content)
    assert "1 chat in it is nowhere else" in run_import(path)[1]

    entries = json.loads(path.read_bytes())["storage"]["indexedDB"]["keyval-store"]["keyval"]
    assert typed(dump("app-chats-v3")) == typed(json.loads(entries[1]["value"]))
    assert run_import(path, "--recover")[0] == 0
    assert run_import(path)[0] == 0
    assert Conversation.objects.count() == 2
    assert Revision.objects.filter(uid="app-chats-v3").count() == 1


@pytest.mark.django_db
def test_a_chat_in_the_copy_that_was_deleted_here_is_not_lost(tmp_path: Path, fast_imports: Path):
    path = tmp_path / "file.json"
    path.write_bytes(flash([chat("a", "A", "one"), chat("b", "B", "two")], copy=[chat("b", "B", "two")]))
    assert run_import(path)[0] == 0
    client = sign_in()
    assert client.delete("/api/chats/b").status_code == 204

    status, out, _ = run_import(path)

    assert status == 1
    assert "Kept aside: 1 chat, 1 message" in out
    assert "--recover" not in out.splitlines()[-2]


def test_a_pipe_a_name_that_is_no_text_and_an_archive_are_read(environment: dict[str, str], tmp_path: Path):
    content = make_cases("x")["one chat"].content

    def execute(*arguments: Any, **options: Any) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, str(REPOSITORY / "manage.py"), "import_indexeddb", *arguments]
        return subprocess.run(command, env=environment, cwd=REPOSITORY, capture_output=True, timeout=120, **options)

    piped = execute("-", input=content)
    assert piped.returncode == 0, piped.stderr
    odd = os.fsencode(tmp_path) + b"/chat-\xff.json"
    Path(os.fsdecode(odd)).write_bytes(content)
    named = execute(odd, stdin=subprocess.DEVNULL)
    assert named.returncode == 0, named.stderr
    missing = execute(os.fsencode(tmp_path) + b"/none-\xff.json", stdin=subprocess.DEVNULL)
    assert missing.returncode == 2
    for finished in (piped, named, missing):
        assert b"Traceback" not in finished.stderr
        assert re.search(rb"all here|does not exist", finished.stdout + finished.stderr)
    assert not list(Path(environment["BIGAGI_DATA_DIR"]).glob("uploads/*/*"))
