"""`manage.py migration_status`: all that is known of a run, in three shapes."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from stores.background.leases import next_end
from stores.importers.one_run import new_run
from stores.importers.run import Progress
from stores.models import MigrationRun
from tests.servers import manage
from tests.stores.imports import import_path, make_chats, write_backup

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fast_imports")]


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    return write_backup(tmp_path / "my | backup.json", make_chats(3, 4), stores={"app-ui": 5})


def status(*arguments: str) -> str:
    out = StringIO()
    call_command("migration_status", *arguments, stdout=out)
    return out.getvalue()


def test_its_json_has_everything(backup: Path):
    run = import_path(backup).run

    told = json.loads(status("--format", "json"))

    assert (told["id"], told["status"], told["phase"]) == (run.pk, "done", "verify")
    assert told["source"]["name"] == "my | backup.json"
    assert told["source"]["size"] == backup.stat().st_size
    assert len(told["source"]["sha256"]) == 64
    assert told["counts"]["conversation"]["created"] == 3
    assert told["counts"]["message"]["read"] == 12
    assert told["proof"].startswith("3 chats, 12 messages: all here, verified")
    assert told["certificate"]["differences"] == 0
    assert told["duration"] >= 0
    assert [phase["status"] for phase in told["phases"]] == ["complete"] * 11


def test_its_markdown_has_all_tables(backup: Path):
    import_path(backup)

    told = status("--format", "markdown")

    headings = [line for line in told.splitlines() if line.startswith("## ")]
    assert [heading[3:] for heading in headings] == [
        "Current Status: done",
        "State",
        "Progress Summary",
        "Notes for Next Iteration",
        "Error Log",
        "Completed Tasks",
    ]
    assert told.startswith("## Current Status: done\n")
    for word in ("running", "done", "error"):
        assert f"- `{word}`: " in told
    report = json.loads(status("--format", "json"))
    for name in ("status", "phase", "last_completed_task", "next_task", "blocked_by", "proof", "started_at"):
        assert f"| {name} | {report[name]} |" in told
    assert "my \\| backup.json" in told
    for phase in ("read", "snapshot", "chats", "verify"):
        assert f"| {phase} | complete |" in told


def test_the_table_fits_a_terminal(backup: Path):
    import_path(backup)

    told = status()

    assert "3 chats, 12 messages: all here, verified" in told
    assert max(map(len, told.splitlines())) <= 120


def test_a_run_is_told_by_its_number(backup: Path):
    first = import_path(backup).run
    second = import_path(backup).run

    assert json.loads(status("--format", "json"))["id"] == second.pk
    assert json.loads(status(str(first.pk), "--format", "json"))["id"] == first.pk


def test_a_run_whose_process_is_gone_is_an_error_at_the_next_look(backup: Path):
    run = import_path(backup).run
    MigrationRun.objects.update(status="running", finished_at=None)

    told = json.loads(status("--format", "json"))

    assert (told["id"], told["status"]) == (run.pk, "error")
    assert "Import the same file again" in told["blocked_by"]


@pytest.mark.parametrize("number", ["0", "-1", "999", str(10**30)])
def test_an_unknown_run_is_told_with_the_known_ones(backup: Path, number: str):
    run = import_path(backup).run

    with pytest.raises(CommandError, match=rf"no such import\. The latest are: {run.pk}\.") as caught:
        status("--", number)
    assert caught.value.returncode == 2


def test_where_nothing_was_imported_it_says_so():
    with pytest.raises(CommandError, match="There are no imports yet") as caught:
        status()
    assert caught.value.returncode == 2


def test_it_follows_a_run_until_it_ends(backup: Path, monkeypatch: pytest.MonkeyPatch):
    run = import_path(backup).run
    assert run is not None
    MigrationRun.objects.filter(pk=run.pk).update(
        status="running", phase="chats", owner="elsewhere:1:1", lease_until=next_end()
    )

    def end(seconds: float) -> None:
        MigrationRun.objects.filter(pk=run.pk).update(status="done", phase="verify")

    monkeypatch.setattr("stores.management.commands.migration_status.time.sleep", end)
    out, err = StringIO(), StringIO()
    call_command("migration_status", "--watch", "--format", "markdown", stdout=out, stderr=err)
    assert err.getvalue().startswith("chats: ")
    assert out.getvalue().startswith("## Current Status: done\n")


def test_the_next_task_is_the_one_after_the_current_one():
    progress = Progress(new_run(source_name="x"))
    progress.complete("read", "check", "snapshot")
    for phase, following in (("chats", "folders"), ("stores", "services"), ("verify", "")):
        progress.enter(phase)
        assert progress.run is not None and (progress.run.phase, progress.run.next_task) == (phase, following)


@pytest.mark.parametrize("arguments", [["abc"], ["--format", "xml"], ["1", "2"]])
def test_bad_arguments_are_refused(environment: dict[str, str], arguments: list[str]):
    done = manage("migration_status", *arguments, environment=environment)

    assert done.returncode == 2
    assert "error:" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_without_a_database_is_told_in_one_line(environment: dict[str, str]):
    done = manage("migration_status", environment=environment)

    assert done.returncode == 2
    assert done.stderr.startswith("CommandError: The database in")
    assert "Traceback" not in done.stderr


def test_a_run_whose_process_was_killed_says_so_in_its_error_log(backup: Path):
    run = import_path(backup).run
    assert run is not None
    MigrationRun.objects.filter(pk=run.pk).update(status="running", phase="chats")

    told = status("--format", "markdown")

    assert told.startswith("## Current Status: error\n")
    log = told.partition("## Error Log")[2].partition("##")[0]
    assert "chats" in log and "Import the same file again" in log
