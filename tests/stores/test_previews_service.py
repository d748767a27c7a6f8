"""A preview tells what the import then does, record by record, and writes nothing but itself."""

import json
from pathlib import Path
from typing import Any

import pytest

from stores.importers.previews import NotRunnable, expected_seconds, forget_preview
from stores.importers.run import TWICE
from stores.models import Change, MigrationRun, RunRecord, Secret
from tests.api import read, read_problem, sign_in
from tests.stores.imports import (
    continued,
    decided_in,
    everything_here,
    import_path,
    make_chats,
    preview_path,
    write_backup,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fast_imports")]

KEY = "sk-proj-abcdefghijklmnop1234"
STORES = {"app-ui": {"state": {"centerMode": "full"}, "version": 3}}


@pytest.fixture
def both(tmp_path: Path) -> Path:
    """Return a file that has each chat otherwise than it is here: new, equal, continued, continued on both sides, and
    damaged; and a service with a key."""
    chats = make_chats(5)
    write_backup(tmp_path / "first.json", chats[:4], stores=STORES)
    import_path(tmp_path / "first.json")
    here = continued(chats[2], "and on here")
    write_backup(tmp_path / "here.json", [here])
    import_path(tmp_path / "here.json")
    changed: list[Any] = [
        chats[0],
        continued(chats[1]),
        continued(chats[2], f"and there, with {KEY}"),
        chats[4],
        {"odd": 1},
    ]
    path = write_backup(
        tmp_path / "both.json", changed, stores={"app-ui": {"state": {"centerMode": "narrow"}, "version": 3}}
    )
    return path


def test_the_lists_of_a_preview_are_those_of_the_import(both: Path):
    before, changes, secrets = everything_here(), Change.objects.count(), Secret.objects.count()
    previewed = preview_path(both)
    assert (everything_here(), Change.objects.count(), Secret.objects.count()) == (before, changes, secrets)
    told = decided_in(previewed.run)
    imported = import_path(both)
    assert told == decided_in(imported.run) and len(told) > 4
    assert previewed.counts == imported.counts
    outcomes = {outcome for _, _, _, outcome, *_ in told}
    assert outcomes >= {"created", "updated", "unchanged", "merged"}, outcomes
    client = sign_in()
    for run in (previewed.run, imported.run):
        assert run is not None
        for kind, counts in run.counts.items():
            if kind in ("message", "fragment", "file"):
                continue
            for outcome in ("created", "updated", "merged", "unchanged", "skipped"):
                page = read(
                    client.get(f"/api/migrations/{run.pk}/records?kind={kind}&outcome={outcome}&branch=0&count=1")
                )
                twice = counts["reasons"].get(TWICE, 0) if outcome == "unchanged" else 0
                assert page["count"] == counts[outcome] - twice, (kind, outcome)
        conflicting = read(client.get(f"/api/migrations/{run.pk}/records?conflicting=1&count=1"))["count"]
        assert conflicting == sum(counts["conflicting"] for counts in run.counts.values()) > 0
        assert any("cannot be" in one["message"] or "quarantined" in one["message"] for one in run.errors)
        assert "The file contains 1 API key in plain text" in " ".join(run.notes)
    assert expected_seconds(previewed.run) is not None and expected_seconds(imported.run) is None


def test_a_record_shows_its_difference_without_secrets(both: Path):
    client = sign_in()
    previewed = preview_path(both).run
    imported = import_path(both).run
    assert previewed and imported
    shown: dict[int, dict[str, Any]] = {}
    for run in (previewed, imported):
        for record in read(client.get(f"/api/migrations/{run.pk}/records"))["results"]:
            whole = read(client.get(record["href"]))
            assert record.items() <= whole.items()
            assert KEY not in json.dumps(whole) and "-ref:" not in json.dumps(whole)
            shown.setdefault(run.pk, {})[whole["kind"], whole["uid"], whole["outcome"]] = whole
    assert shown[previewed.pk].keys() == shown[imported.pk].keys()
    for key, whole in shown[imported.pk].items():
        told = shown[previewed.pk][key]
        if key[2] in ("updated", "merged"):
            assert told["tells"] == whole["tells"] == "changes"
            assert json.dumps(told["difference"])[:200] == json.dumps(whole["difference"])[:200], key
        if key[2] in ("created", "unchanged"):
            assert told["difference"] is None
    [rule] = [rule for one in shown[imported.pk].values() for rule in one["rules"] or {} if "branch" in rule]
    for run in (previewed, imported):
        found = read(client.get(f"/api/migrations/{run.pk}/records", {"rule": rule}))["results"]
        assert [one["kind"] for one in found] == ["conversation"]
        # A part of a rule's name is no rule.
        assert read(client.get(f"/api/migrations/{run.pk}/records", {"rule": rule[:-2]}))["results"] == []


def test_what_the_file_has_otherwise_is_shown_where_ours_stays(both: Path, tmp_path: Path):
    client = sign_in()
    imported = import_path(both, strategy="ours").run
    assert imported
    aside = read(client.get(f"/api/migrations/{imported.pk}/records?kept_aside=1&outcome=skipped"))["results"]
    assert aside
    for record in aside:
        whole = read(client.get(record["href"]))
        assert whole["tells"] == "otherwise" and whole["difference"], whole


def test_a_list_takes_its_own_filters_alone(both: Path):
    client = sign_in()
    run = preview_path(both).run
    assert run
    for query in ("outcome=odd", "conflicting=perhaps", "colour=red"):
        read_problem(client.get(f"/api/migrations/{run.pk}/records?{query}"), 400)
    read_problem(client.get("/api/migrations/999/records"), 404)
    other = import_path(both).run
    assert other
    first = RunRecord.objects.filter(run=run).order_by("pk")[0]
    read_problem(client.get(f"/api/migrations/{other.pk}/records/{first.pk}"), 404)
    read(client.get(f"/api/migrations/{run.pk}/records/{first.pk}"))
    assert [one["id"] for one in read(client.get("/api/migrations?purpose=preview"))["results"]] == [run.pk]
    page = read(client.get(f"/api/migrations/{run.pk}/records?page_size=2"))
    assert len(page["results"]) == 2 and page["next"]


def test_real_files_are_previewed_as_they_are_imported(real_data: Path):
    for path in sorted((real_data / "exports").glob("*.json")):
        previewed = preview_path(path)
        imported = import_path(path)
        assert decided_in(previewed.run) == decided_in(imported.run), path.name
        assert previewed.counts == imported.counts


@pytest.mark.django_db
def test_a_preview_stays_while_its_import_runs():
    facts = {"phases": [], "counts": {}, "errors": [], "notes": [], "pid": 1}
    preview = MigrationRun.objects.create(purpose="preview", status="done", **facts)
    run = MigrationRun.objects.create(based_on=preview, status="running", **facts)
    with pytest.raises(NotRunnable, match=f"Run {run.pk} is carrying it out now"):
        forget_preview(preview)
    MigrationRun.objects.filter(pk=run.pk).update(status="done")
    forget_preview(preview)
    assert not MigrationRun.objects.filter(purpose="preview").exists()
