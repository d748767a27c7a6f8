"""Which runs are resumed, and in which words the others are refused."""

from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError

from chats.models import Conversation
from stores.background.leases import GRACE_MS, next_end
from stores.importers import importer, undoing, uploads
from stores.importers.importer import import_file
from stores.importers.incoming import Refused, open_incoming, reopen
from stores.importers.one_run import close_dead_runs
from stores.importers.options import Options
from stores.importers.resuming import NotResumable, check_resumable, find_broken_off, find_interrupted, find_upload
from stores.importers.run import RESUMED, Progress
from stores.models import MigrationRun
from tests.api import read_problem, sign_in
from tests.stores.imports import import_path, make_chats, write_backup

pytestmark = pytest.mark.django_db

OPTIONS = {"strategy": "merge", "restore_deleted": False, "recover": False, "actor": "somebody"}


def make_run(**columns: Any) -> MigrationRun:
    given = {"status": "error", "phases": [], "counts": {}, "errors": [], "notes": [], "pid": 1, "options": OPTIONS}
    given |= {"source_name": "backup.json", "source_sha256": "ab", "source_path": "folder/backup.json"}
    return MigrationRun.objects.create(**given | {"blocked_by": "The import was interrupted."} | columns)


def resume(run: MigrationRun) -> Any:
    return sign_in().post(f"/api/migrations/{run.pk}/resume", content_type="application/json")


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"status": "running", "owner": "elsewhere:1:1", "lease_until": 2**62}, "is running (process 1)"),
        ({"status": "done"}, "has finished"),
        ({"certificate": {"differences": 2}, "blocked_by": "The verification found differences."}, "found differences"),
        ({"certificate": {"is_cut": True}, "blocked_by": importer.CUT}, "Import a complete file"),
        ({"options": None}, "Import the same file again"),
        ({"source_path": ""}, "Import the same file again"),
        ({"purpose": "preview"}, "is a preview"),
        ({"purpose": "undo"}, "undo the same run again"),
    ],
)
def test_what_cannot_go_on_is_refused_in_words(data_dir, columns, words):
    run = make_run(**columns)
    with pytest.raises(NotResumable) as told:
        check_resumable(run)
    assert words in str(told.value)
    assert find_interrupted() == ([run] if run.purpose == "undo" else [])
    assert words in read_problem(resume(run), 409)["detail"]


def test_a_file_that_is_gone_is_told_apart(data_dir):
    run = make_run()
    problem = read_problem(resume(run), 410)
    assert problem["type"].endswith("#file-gone") and "Import the same file again" in problem["detail"]
    assert find_upload(None) == run
    with pytest.raises(NotResumable, match="There is no import 999"):
        find_upload(999)


def test_only_the_last_import_of_a_file_with_the_same_options_goes_on(data_dir):
    first = make_run()
    assert find_broken_off("ab", OPTIONS | {"actor": "another"}) == first
    assert find_broken_off("ab", OPTIONS | {"strategy": "theirs"}) is None
    assert find_broken_off("cd", OPTIONS) is None
    undo = make_run(purpose="undo", based_on=first, status="done")
    assert find_broken_off("ab", OPTIONS) is None, "it was taken back"
    undo.delete()
    make_run(status="done")
    assert find_broken_off("ab", OPTIONS) is None
    with pytest.raises(NotResumable, match="has imported the same file since"):
        check_resumable(first)


def test_what_ended_in_the_middle_goes_on_by_itself_and_what_was_stopped_does_not(data_dir):
    stopped = make_run(blocked_by="The import was stopped.")
    often = make_run(source_sha256="cd", resumed=3)
    running = make_run(
        source_sha256="ef", status="running", owner="elsewhere:1:1", lease_until=next_end() - GRACE_MS - 10_000
    )
    with pytest.raises(NotResumable, match="not kept any more"):
        uploads.reopen_upload(running)
    assert find_interrupted() == [running]
    assert find_upload(None) == running
    for run in (stopped, often):
        check_resumable(run)


def test_a_run_that_a_full_disk_broke_off_is_resumed_with_its_kept_file(
    fast_imports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    content = write_backup(tmp_path / "backup.json", make_chats(6)).read_bytes()
    upload = open_incoming("backup.json")
    upload.append(content)
    upload.close()
    with monkeypatch.context() as patch:
        patch.setattr(importer.RecordWriter, "write", full_disk)
        progress = uploads.import_here(upload, Options(actor="somebody"))
    run = progress.run
    assert run is not None and run.status == "error"
    assert "disk" in run.blocked_by and f"/api/migrations/{run.pk}/resume" in run.blocked_by
    assert find_interrupted() == [], "it would only fill the disk again"
    again = uploads.import_here(*uploads.reopen_upload(run))
    assert again.run == run and again.run.status == "done" and again.run.resumed == 1
    assert [note for note in again.notes if note.startswith(RESUMED)]
    assert again.errors == [] and again.outcomes["conversation"]["created"] == 6
    assert reopen(upload.key) is None and MigrationRun.objects.get().source_path == ""


def test_a_run_whose_end_cannot_be_stored_can_still_be_resumed(
    fast_imports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    upload = open_incoming("backup.json")
    upload.append(write_backup(tmp_path / "backup.json", make_chats(6)).read_bytes())
    upload.close()
    save = Progress.save

    def fail(progress: Progress) -> None:
        if progress.certificate is not None:
            raise OperationalError("database or disk is full")
        save(progress)

    with monkeypatch.context() as patch:
        patch.setattr(Progress, "save", fail)
        run = uploads.import_here(upload, Options()).run
    assert run is not None and run.status == "error"
    assert MigrationRun.objects.get().checkpoint
    again = uploads.import_here(*uploads.reopen_upload(run))
    assert again.run == run and again.run.status == "done" and again.outcomes["conversation"]["created"] == 6
    assert MigrationRun.objects.get().checkpoint is None


def test_the_same_file_sent_again_resumes_an_upload_and_takes_the_place_of_the_kept_one(
    fast_imports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = write_backup(tmp_path / "backup.json", make_chats(6))
    upload = open_incoming("backup.json")
    upload.append(path.read_bytes())
    upload.close()
    with monkeypatch.context() as patch:
        patch.setattr(importer.RecordWriter, "write", full_disk)
        uploads.import_here(upload, Options())
    progress = import_file(path, Options())
    assert progress.run is not None and (progress.run.status, progress.run.resumed) == ("done", 1)
    assert MigrationRun.objects.count() == 1
    assert reopen(upload.key) is None


def test_a_kept_file_that_was_changed_is_not_taken_for_the_one_that_came(fast_imports: Path, tmp_path: Path):
    run = make_run(source_sha256="0" * 64)
    path = write_backup(tmp_path / "backup.json", make_chats(1))
    with pytest.raises(Refused, match="has changed"):
        import_file(path, Options(resumes=run.pk))


def full_disk(*args: Any) -> None:
    raise OSError(28, "No space left on device")


class Killed(BaseException):
    """Stands for the end of the process."""


def test_an_undo_that_was_interrupted_goes_on_by_itself(
    fast_imports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    run = import_path(write_backup(tmp_path / "backup.json", make_chats(30))).run
    assert run is not None
    with monkeypatch.context() as patch:
        patch.setattr(undoing, "verify_undo", killed)
        with pytest.raises(Killed):
            undoing.undo_run(run.pk, undoing.Options())
    undo = MigrationRun.objects.get(purpose="undo")
    close_dead_runs()
    assert find_interrupted() == [undo]
    uploads._resume_one(undo)
    undo.refresh_from_db()
    assert (undo.status, undo.resumed) == ("done", 1)
    assert Conversation.objects.count() == 0
    assert find_interrupted() == []


def killed(*args: Any) -> None:
    raise Killed
