"""An import is taken back as a whole: by a run, from the journal, with all that it brought."""

import json
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from chats.assets import path_of
from chats.bigagi.folder import FOLDERS
from chats.models import Asset, Conversation, Folder
from chats.services.conversations import delete_chat, patch_chat
from metrics.models import UsageEvent
from stores.importers import importer, undoing
from stores.importers.one_run import AlreadyRunning
from stores.importers.undoing import Options, resume_undo, undo_run
from stores.importers.undoing_plan import survey
from stores.models import Change, ChangedRecord, MigrationRun, Revision, RunRecord
from stores.records.errors import Conflict
from stores.records.journal.lists import write_positions
from stores.records.journal.recorder import Origin
from stores.records.undoing import undo as undo_change
from tests import generators
from tests.api import read_problem, sign_in
from tests.stores.imports import continued, counts_of, everything_here, import_path, make_chats, write_backup
from tests.stores.undone_runs import read_sums, read_tables, undo

pytestmark = [pytest.mark.django_db, pytest.mark.each_database, pytest.mark.usefixtures("fast_imports")]

BY = Origin(Change.Source.API, "somebody")


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    chats = make_chats(4, messages=4, images=1)
    stores = generators.make_stores(1, [chat["id"] for chat in chats], models=3)
    return write_backup(tmp_path / "backup.json", chats, stores=stores, assets=[generators.make_asset(1, 0)])


def uids() -> list[str]:
    return list(Conversation.objects.order_by("position", "pk").values_list("uid", flat=True))


def rename(uid: str, title: str) -> Change:
    change = patch_chat(BY, uid, {"userTitle": title}).change
    assert change is not None
    return change


# --- back and forth ---


def test_undoing_all_imports_leads_back_to_the_start_and_redoing_to_the_end(backup: Path, tmp_path: Path):
    chats = make_chats(4, messages=4, images=1)
    later = [continued(chats[0]), chats[1], continued(chats[2], "more"), make_chats(1, seed=9)[0]]
    second = write_backup(tmp_path / "2.json", later, stores=generators.make_stores(2, [], models=6))
    states, runs = [read_tables()], []
    for path in (backup, second):
        runs.append(import_path(path).run)
        states.append(read_tables())
    undos = []
    for run, before in zip(reversed(runs), reversed(states[:-1]), strict=True):
        undos.append(undo(run))
        assert read_tables() == before
    for run, after in zip(reversed(undos), states[1:], strict=True):
        undo(run)
        assert read_tables() == after


def test_an_undone_file_is_imported_anew_with_its_calls(backup: Path):
    first = import_path(backup)
    sums, tables = read_sums(), read_tables()
    assert UsageEvent.objects.filter(source="import").count() >= 3
    undo(first)
    assert not any(read_sums().values())
    again = import_path(backup)
    assert again.outcomes == first.outcomes and read_sums() == sums
    undo(again)
    assert not any(read_sums().values())
    third = import_path(backup)
    assert third.run is not None
    for name, rows in read_tables().items():
        assert name in ("ImportedRecord", "Revision", "Quarantine") or rows == tables[name], name


def test_a_call_that_another_chat_tells_of_stays_until_that_is_taken_back_too(tmp_path: Path):
    chat = make_chats(1, messages=4)[0]
    copy = chat | {"id": "copy", "autoTitle": "The same calls"}
    first = import_path(write_backup(tmp_path / "1.json", [chat])).run
    sums = read_sums()
    second = import_path(write_backup(tmp_path / "2.json", [copy])).run
    assert read_sums() == sums
    undo(first)
    assert uids() == ["copy"] and read_sums() == sums
    undo(second)
    assert not any(read_sums().values())


def test_the_bytes_of_images_are_kept_for_the_way_back(backup: Path, fast_imports: Path, monkeypatch: Any):
    run = import_path(backup).run
    (sha256,) = Asset.objects.values_list("sha256", flat=True)
    by = undo(run)
    assert not Asset.objects.exists()
    monkeypatch.setattr("chats.orphaned_files.LEFT_OVER_AFTER", -1)
    from chats.orphaned_files import delete_unnamed

    assert delete_unnamed() == 0
    undo(by)
    assert Asset.objects.get().sha256 == sha256 and path_of(sha256).exists()


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["flash-with-images", "all-chats.agi", "chat-images.agi"])
def test_a_real_file_is_undone_among_other_data(name: str, real_data: Path, backup: Path):
    import_path(backup)
    exported, tables = everything_here(), read_tables()
    run = import_path(real_data / "exports" / f"{name}.json").run
    there = everything_here()
    assert there != exported
    by = undo(run)
    assert everything_here() == exported and read_tables() == tables
    call_command("check_data", stdout=(told := StringIO()))
    assert "undamaged" in told.getvalue(), told.getvalue()
    undo(by)
    assert everything_here() == there


# --- changed since ---


def test_what_was_changed_since_is_listed_and_kept(backup: Path):
    run = import_path(backup).run
    changed, deleted, *rest = uids()
    change = rename(changed, "Mine now")
    delete_chat(BY, deleted)
    by = undo(run)
    assert uids() == [changed]
    kept = {one["id"]: one["reason"] for one in by.certificate["records"]}
    assert kept.keys() == {changed, deleted}
    assert kept[changed] == f"changed since by change {change.pk} ({change.action})"
    assert kept[deleted].startswith("deleted since by change")
    assert by.certificate["proof"].startswith("2 chats, 1 image and ")
    assert by.certificate["proof"].endswith(
        "verified. 2 chats kept, because they were changed since (see the certificate for each)."
    )
    # Imported again, both are as somebody made them here.
    again = import_path(backup)
    assert counts_of(again)["created"] == 2 and changed in uids() and deleted not in uids()


def test_with_force_it_is_taken_back_too_and_kept_as_a_revision(backup: Path):
    start = read_tables()
    run = import_path(backup).run
    changed, deleted, *_ = uids()
    rename(changed, "Mine now")
    delete_chat(BY, deleted)
    now = read_tables()
    by = undo(run, force=True)
    assert uids() == []
    (kept,) = Revision.objects.filter(run=by)
    assert (kept.kind, kept.uid) == ("conversation", changed) and json.loads(kept.body)["userTitle"] == "Mine now"
    kept.delete()
    assert read_tables() == start
    undo(by)
    assert read_tables() == now


def test_what_was_changed_and_changed_back_is_as_the_import_left_it(backup: Path):
    run = import_path(backup).run
    change = rename(uids()[0], "For a while")
    undo_change(BY, change.pk)
    assert not undo(run).certificate["kept"] and uids() == []


def test_what_a_later_import_brought_again_is_changed_since_until_that_is_undone(backup: Path, tmp_path: Path):
    chats = make_chats(4, messages=4, images=1)
    first = import_path(backup).run
    second = import_path(write_backup(tmp_path / "2.json", [continued(chats[0])])).run
    by = undo(first)
    assert uids() == [chats[0]["id"]] and by.certificate["kept"]["conversation"] == 1
    undo(by)
    undo(second)
    assert not undo(first).certificate["kept"] and uids() == []


def test_an_order_that_an_import_took_over_goes_back_unless_it_was_changed_since(tmp_path: Path):
    def listed(*titles: str) -> dict[str, Any]:
        folders = [{"id": title, "title": title, "conversationIds": []} for title in titles]
        return {"app-folders": {"state": {"folders": folders, "enableFolders": True}, "version": 0}}

    def order() -> list[str]:
        return list(Folder.objects.order_by("position", "pk").values_list("uid", flat=True))

    import_path(write_backup(tmp_path / "1.json", None, stores=listed("a", "b", "c"), taken_at="2026-08-01T10:00:00Z"))
    second = write_backup(tmp_path / "2.json", None, stores=listed("c", "b", "a"), taken_at="2026-08-02T10:00:00Z")
    run = import_path(second).run
    assert order() == ["c", "b", "a"]
    assert run is not None and not survey(run).kept
    by = undo(run)
    assert order() == ["a", "b", "c"]
    undo(by)
    assert order() == ["c", "b", "a"]
    write_positions(FOLDERS, {"c": 77})
    kept = undo(run).certificate
    assert order() == ["b", "a", "c"] and kept["records"][0]["reason"] == "moved since"


def test_what_was_purged_since_is_listed_and_kept(tmp_path: Path):
    chats = make_chats(2)
    import_path(write_backup(tmp_path / "1.json", chats))
    run = import_path(write_backup(tmp_path / "2.json", [continued(chats[0]), continued(chats[1])])).run
    delete_chat(BY, chats[0]["id"], purge=True)
    ChangedRecord.objects.filter(uid=chats[1]["id"], change__run=run).update(body=None)
    by = undo(run, force=True)
    reasons = {one["id"]: one["reason"] for one in by.certificate["records"]}
    assert reasons == dict.fromkeys((chat["id"] for chat in chats), "what undo needs of it was permanently deleted")
    assert not RunRecord.objects.filter(run=run, uid=chats[0]["id"]).exclude(name="").exists()


# --- refusals ---


def test_what_cannot_be_undone_says_why(backup: Path):
    run = import_path(backup).run
    assert run is not None
    by = undo(run)
    with pytest.raises(Conflict, match=f"This import was already undone by run {by.pk}. Undo that run to bring it"):
        undo(run)
    again = undo(by)
    with pytest.raises(Conflict, match=f"already undone by run {again.pk}"):
        undo(by)
    preview = MigrationRun.objects.create(
        purpose="preview", status="done", phases=[], counts={}, errors=[], notes=[], pid=1, source_name="f"
    )
    with pytest.raises(Conflict, match="A preview changes nothing"):
        undo(preview)
    Change.objects.filter(run=run).delete()
    with pytest.raises(Conflict, match="journal's entry of run \\d+ was deleted"):
        undo(run)
    MigrationRun.objects.filter(pk=preview.pk).update(status="running", owner="elsewhere", lease_until=10**15)
    with pytest.raises(AlreadyRunning, match="another import is running"):
        undo(run)
    assert uids() != []


def test_its_notes_name_the_backup_as_the_second_net(backup: Path, monkeypatch: Any, tmp_path: Path):
    import_path(backup)
    monkeypatch.setattr(importer, "create_backup", lambda reason: SimpleNamespace(path=tmp_path))
    run = import_path(write_backup(tmp_path / "2.json", make_chats(1, seed=7))).run
    (note,) = undo(run).notes
    assert note == (
        "This was done from the journal, so that what came later stays. "
        f"The second net is the backup made before the import: {tmp_path}."
    )


# --- interrupted ---


def test_an_undo_that_breaks_off_anywhere_is_completed_by_another_call(backup: Path, monkeypatch: Any):
    start = read_tables()
    run = import_path(backup).run
    assert run is not None
    monkeypatch.setattr(undoing, "FIRST_BATCH", 2)
    monkeypatch.setattr(undoing, "BATCH_RECORDS", 2)
    hold, left = undoing.hold, [0]

    def break_off(pk: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError("gone")
        hold(pk)

    monkeypatch.setattr(undoing, "hold", break_off)
    broken, rounds = None, 0
    while broken is None or broken.status == "error":
        assert broken is None or "Undo the same run again to complete it" in broken.blocked_by
        left[0] = 4 + rounds
        broken = resume_undo(broken).run if broken and rounds % 2 else undo_run(run.pk, Options()).run
        rounds += 1
        assert rounds < 50
    assert broken is not None and rounds > 3 and MigrationRun.objects.count() == 2
    assert read_tables() == start
    assert Change.objects.filter(run=broken).count() == 1
    whole = {kind: counts["read"] for kind, counts in broken.counts.items()}
    assert sum(whole.values()) == RunRecord.objects.filter(run=broken).count()


# --- by which it is asked for ---


def test_the_command_undoes_and_says_what_was_kept(backup: Path):
    run = import_path(backup).run
    assert run is not None
    out = StringIO()
    rename(uids()[0], "Mine")
    with pytest.raises(SystemExit) as ended:
        call_command("undo_migration", str(run.pk), stdout=out)
    assert ended.value.code == 1
    assert "kept. changed since by change" in out.getvalue() and "To bring it back: manage.py undo" in out.getvalue()
    by = MigrationRun.objects.latest("pk")
    call_command("undo_migration", str(by.pk), stdout=out)
    assert "brought back, verified." in out.getvalue()
    call_command("undo_migration", str(run.pk), "--force", "--json", stdout=(told := StringIO()))
    report = json.loads(told.getvalue())
    assert (report["purpose"], report["based_on"], report["status"]) == ("undo", run.pk, "done")
    call_command("migration_status", str(report["id"]), "--format", "markdown", stdout=out)
    assert "| calls | complete |" in out.getvalue()
    with pytest.raises(CommandError, match="There is no run 999999999") as refused:
        call_command("undo_migration", "999999999")
    assert refused.value.returncode == 2


def test_the_api_undoes_in_the_background(backup: Path, monkeypatch: Any):
    run = import_path(backup).run
    assert run is not None
    _run_at_once(monkeypatch)
    client = sign_in()
    shown = client.get(f"/api/migrations/{run.pk}").json()
    assert (shown["purpose"], shown["undo_href"], shown["undone_by"]) == (
        *("import", f"/api/migrations/{run.pk}/undo", None),
    )
    rename(uids()[0], "Mine")
    answer = client.post(shown["undo_href"], content_type="application/json")
    assert answer.status_code == 202, answer.content
    by = client.get(answer["Location"]).json()
    assert (by["purpose"], by["based_on"], by["status"]) == ("undo", run.pk, "done")
    assert by["certificate"]["kept"] == {"conversation": 1} and len(uids()) == 1
    assert client.get(f"/api/migrations/{run.pk}").json()["undo_href"] is None
    problem = read_problem(client.post(shown["undo_href"], content_type="application/json"), 409)
    assert problem["undone_by"] == by["id"] and "already undone" in problem["detail"]
    client.post(by["undo_href"], content_type="application/json")
    forced = client.post(shown["undo_href"], json.dumps({"force": True}), content_type="application/json")
    assert forced.status_code == 202 and uids() == []
    for wrong in ('{"force": 5}', '{"forced": true}', "[]"):
        read_problem(client.post(by["undo_href"], wrong, content_type="application/json"), 400)
    assert client.post("/api/migrations/999999999/undo", content_type="application/json").status_code == 404


def test_the_admin_asks_before_it_undoes(backup: Path, monkeypatch: Any):
    run = import_path(backup).run
    assert run is not None
    _run_at_once(monkeypatch)
    client = sign_in(username="owner", is_superuser=True)
    page = reverse("admin:stores_migrationrun_undo", args=(run.pk,))
    assert page in client.get(reverse("admin:stores_migrationrun_change", args=(run.pk,))).content.decode()
    change = Change.objects.get(run=run)
    assert page in client.get(reverse("admin:stores_change_change", args=(change.pk,))).content.decode()
    renamed = rename(uids()[0], "Mine")
    asked = client.get(page).content.decode()
    assert "3 chats, 1 image and" in asked and f"changed since by change {renamed.pk}" in asked and "Mine" not in uids()
    done = client.post(reverse("admin:stores_migrationrun_act", args=(run.pk, "undo")), follow=True).content.decode()
    assert "1 chat kept, because it was changed since" in done and "Bring the import back" in done
    refused = client.get(page, follow=True).content.decode()
    assert "This import was already undone by run" in refused


def _run_at_once(monkeypatch: Any) -> None:
    """Let threads that undo work in the test's own, and so on its connection."""
    from stores.importers import undoing_start

    class AtOnce:
        def __init__(self, target: Any, args: Any, **kwargs: Any) -> None:
            self.start = lambda: target(*args)

    monkeypatch.setattr(undoing_start, "threading", SimpleNamespace(Thread=AtOnce))
    monkeypatch.setattr(undoing_start.connections, "close_all", lambda: None)
