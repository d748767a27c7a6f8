import pytest

from stores.background.leases import GRACE_MS, next_end
from stores.models import MigrationRun
from tests.api import read, read_problem, sign_in

pytestmark = pytest.mark.django_db


def make_run(**kwargs):
    given = {"source_name": "backup.agi.json", "phases": [], "counts": {}, "errors": [], "notes": [], "pid": 1}
    return MigrationRun.objects.create(**given | {"status": "done"} | kwargs)


def test_runs_are_listed_the_newest_first_without_their_logs():
    client = sign_in()
    first, second = make_run(errors=[{"message": "m"}]), make_run(status="error")
    page = read(client.get("/api/migrations"))
    assert [run["id"] for run in page["results"]] == [second.pk, first.pk]
    assert "errors" not in page["results"][0]
    assert page["results"][1]["href"] == f"/api/migrations/{first.pk}"
    assert [run["id"] for run in read(client.get("/api/migrations?status=error"))["results"]] == [second.pk]
    read_problem(client.get("/api/migrations?status=odd"), 400)


def test_a_run_is_told_whole():
    run = make_run(notes=["made without images"], certificate={"states": {}}, counts={"store": {"read": 1}})
    told = read(sign_in().get(f"/api/migrations/{run.pk}"))
    assert told["notes"] == ["made without images"]
    assert told["certificate"] == {"states": {}}
    assert told["counts"] == {"store": {"read": 1}}
    assert told["report_href"] == f"/api/migrations/{run.pk}/report"


def test_the_report_comes_as_json_or_markdown():
    client = sign_in()
    run = make_run()
    assert read(client.get(f"/api/migrations/{run.pk}/report"))["proof"]
    assert read(client.get(f"/api/migrations/{run.pk}/report?format=json"))["source"]["name"] == "backup.agi.json"
    markdown = client.get(f"/api/migrations/{run.pk}/report?format=markdown")
    assert markdown["Content-Type"] == "text/markdown; charset=utf-8"
    assert markdown.content.decode().startswith("## Current Status: done\n")
    for query in ("format=xml", "colour=red"):
        read_problem(client.get(f"/api/migrations/{run.pk}/report?{query}"), 400)


def test_a_run_whose_process_is_gone_is_shown_as_failed_and_nothing_is_written():
    client = sign_in()
    # Of a server on another machine, where process numbers say nothing here.
    gone = make_run(status="running", owner="elsewhere:1:1", lease_until=next_end() - 10_000 - GRACE_MS)
    alive = make_run(status="running", owner="elsewhere:1:1", lease_until=next_end())
    shown = {run["id"]: run["status"] for run in read(client.get("/api/migrations"))["results"]}
    assert shown == {gone.pk: "error", alive.pk: "running"}
    assert read(client.get(f"/api/migrations/{gone.pk}/report"))["status"] == "error"
    assert "Import the same file again" in read(client.get(f"/api/migrations/{gone.pk}"))["blocked_by"]
    assert MigrationRun.objects.filter(status="running").count() == 2


@pytest.mark.parametrize("number", ["0", "999999999999999999", "99999999999999999999999", "-1", "x"])
def test_an_unknown_run_is_not_found(number):
    client = sign_in()
    read_problem(client.get(f"/api/migrations/{number}"), 404)
    read_problem(client.get(f"/api/migrations/{number}/report"), 404)
