"""Where a record comes from: the files and browsers that brought or changed it, by the API, the admin and filters."""

import pytest

from chats.models import Conversation
from stores.models import ImportedRecord, MigrationRun, RunRecord
from tests.api import read, read_problem, sign_in
from tests.stores.imports import continued, import_path, make_chats, preview_path, write_backup

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fast_imports")]


def device(name):
    return {"app-device": {"state": {"localDeviceId": name}, "version": 1}}


@pytest.fixture
def runs(tmp_path):
    """Import a chat out of one browser, what followed there, and what followed in another one instead."""
    chats = make_chats(2)
    files = {
        "first": ([*chats], device("chrome0001")),
        "later": ([continued(chats[0], "and on")], device("chrome0001")),
        "other": ([continued(chats[0], "otherwise"), chats[1]], device("firefox001")),
    }
    made = {}
    for name, (some, stores) in files.items():
        path = write_backup(tmp_path / f"{name}.json", some, stores=stores)
        preview_path(path)
        made[name] = import_path(path).run
    return made


def test_the_chain_of_a_chat_is_told(runs):
    client = sign_in()
    chat, branch = ImportedRecord.objects.exclude(branch_of="").values_list("branch_of", "uid").get()
    told = read(client.get(f"/api/provenance/conversation/{chat}"))
    assert [one["run"] for one in told["runs"]][:2] == [runs["first"].pk, runs["later"].pk]
    assert [one["outcome"] for one in told["runs"]][:2] == ["created", "updated"]
    assert [one["source_device"] for one in told["runs"]][:2] == ["chrome0001", "chrome0001"]
    assert told["branches"] == [branch] and told["branch_of"] == ""
    assert told["text"].startswith("from “first.json”, written by the browser chrome0001, on ")
    assert "; continued from “later.json”, written by the browser chrome0001, on " in told["text"]
    for one in told["runs"]:
        assert read(client.get(one["record_href"]))["uid"] == chat
        assert read(client.get(one["run_href"]))["purpose"] == "import"
    of_branch = read(client.get(f"/api/provenance/conversation/{branch}"))
    assert (of_branch["branch_of"], of_branch["branches"]) == (chat, [])
    assert "; branch of “" in of_branch["text"] and "firefox001" in of_branch["text"]
    page = client.get("/admin/chats/conversation/of/" + chat + "/", follow=True).text
    assert "from “first.json”, written by the browser chrome0001, on " in page
    assert f"/admin/stores/migrationrun/{runs['later'].pk}/change/" in page


def test_a_filter_finds_what_a_run_brought_or_changed(runs):
    client = sign_in(is_superuser=True)
    chat = ImportedRecord.objects.exclude(branch_of="").values_list("branch_of", flat=True).get()
    for name in runs:
        touched = RunRecord.objects.filter(
            run=runs[name], kind="conversation", outcome__in=("created", "updated", "merged")
        )
        uids = set(touched.values_list("uid", flat=True))
        found = read(client.get(f"/api/chats?run={runs[name].pk}"))["results"]
        assert {one["id"] for one in found} == uids and uids
        titles = client.get(f"/admin/chats/conversation/?run={runs[name].pk}").text
        keys = Conversation.objects.filter(uid__in=uids).values_list("pk", flat=True)
        assert all(f"/admin/chats/conversation/{pk}/change/" in titles for pk in keys)
    assert read(client.get("/api/chats?run=999"))["results"] == []
    previews = MigrationRun.objects.filter(purpose="preview").values_list("pk", flat=True)
    steps = read(client.get(f"/api/provenance/conversation/{chat}"))["runs"]
    assert not {one["run"] for one in steps} & set(previews)


def test_what_an_earlier_version_imported_is_told_as_far_as_it_is_known(runs):
    client = sign_in()
    RunRecord.objects.all().delete()
    chat = ImportedRecord.objects.exclude(branch_of="").values_list("branch_of", flat=True).get()
    [step] = read(client.get(f"/api/provenance/conversation/{chat}"))["runs"]
    assert (step["outcome"], step["record_href"]) == ("", None)


def test_what_no_import_brought_has_no_chain():
    client = sign_in()
    told = read(client.get("/api/provenance/conversation/made-here"))
    assert told == {"text": "", "branch_of": "", "branches": [], "runs": []}
    problem = read_problem(client.get("/api/provenance/odd/one"), 404)
    assert "conversation" in problem["detail"]
