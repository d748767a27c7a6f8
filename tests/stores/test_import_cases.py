"""What people try to import: by the command and as an upload, what is said is what can be seen here then."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from chats.models import Conversation
from stores.importers.report import proof
from stores.models import MigrationRun, Quarantine, Revision
from tests.api import sign_in
from tests.nightly import by_day
from tests.servers import REPOSITORY
from tests.stores.import_cases import NAMES, Case, chat, flash, make_cases, message
from tests.stores.imports import chats_here, dump, stores_of, typed
from tests.stores.shown import assert_sentence_is_true, getter, shown_chats
from tests.stores.test_import_command import run_import
from tests.stores.test_upload_api import wait

pytestmark = pytest.mark.each_database


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
    assert not assert_sentence_is_true(get, run).missing, told
    assert run_verify(path) == (status if not case.recovers else 0), proof(run)


def run_verify(path: Path) -> int:
    from io import StringIO

    from django.core.management import call_command

    try:
        call_command("verify_migration", str(path), stdout=StringIO())
    except SystemExit as exit:
        return int(exit.code or 0)
    return 0


@pytest.mark.parametrize("case", by_day(NAMES, each=3), indirect=True)
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
@pytest.mark.parametrize("order", ["ba", "b", "a", "abc"])
def test_twins_keep_their_ids_in_whatever_order_they_come_again(order: str, tmp_path: Path, fast_imports: Path):
    chats = {letter: chat("t", letter, f"from {letter}", updated=1_700_000_000_000) for letter in "abc"}
    first = flash([chats["a"], chats["b"]])

    told = import_all(tmp_path, first, flash([chats[letter] for letter in order]), first)

    assert [status for status, _ in told] == [0, 0, 0], told
    assert shown_chats(getter(sign_in())) == {letter: [f"from {letter}"] for letter in {*"ab", *order}}
    assert [run_verify(tmp_path / f"{number}.json") for number in range(3)] == [0, 0, 0]


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


@pytest.mark.django_db
def test_a_message_that_is_kept_aside_can_be_read_in_the_admin_and_over_the_api(tmp_path: Path, fast_imports: Path):
    client = sign_in(is_superuser=True)
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    first.write_bytes(flash([chat("c", "Soup", "one", "two")]))
    assert run_import(first)[0] == 0
    changed = chat("c", "Soup", "one", "mine <b>")
    assert client.put("/api/chats/c", json.dumps(changed), content_type="application/json").status_code == 200
    second.write_bytes(flash([chat("c", "Soup", "one", "from the browser <i>")]))

    status, out, _ = run_import(second)

    assert status == 1
    assert "Here: 1 chat, 1 message. Kept aside: 1 message (see Earlier versions" in out
    [kept] = client.get("/api/revisions?kind=message&reason=version&uid=c/c-1").json()["results"]
    assert client.get(kept["href"]).json()["body"]["fragments"][0]["part"]["text"] == "from the browser <i>"
    page = client.get(f"/admin/stores/revision/{kept['id']}/change/").content.decode()
    assert "from the browser &lt;i&gt;" in page
    assert run_verify(second) == 1
    # What is here is not touched by reading what is not.
    assert shown_chats(getter(client)) == {"Soup": ["one", "mine <b>"]}
    assert client.delete("/api/chats/c?purge=true").status_code == 204
    assert not Revision.objects.exists()


@pytest.mark.django_db
def test_what_is_new_of_a_chat_that_was_purged_is_kept(tmp_path: Path, fast_imports: Path):
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    first.write_bytes(flash([chat("c", "Soup", "one", "two")]))
    second.write_bytes(flash([chat("c", "Soup", "one", "three")]))
    client = sign_in()
    assert run_import(first)[0] == 0
    assert client.delete("/api/chats/c?purge=true").status_code == 204

    status, out, _ = run_import(first)
    assert status == 1 and "Permanently deleted here: 1 chat, 2 messages." in out
    assert not Revision.objects.exists()
    status, out, _ = run_import(second)
    assert status == 1 and "Kept aside: 1 chat, 2 messages" in out
    assert '"three"' in Revision.objects.get().body


# --- one file after another ---


def import_all(folder: Path, *files: bytes) -> list[tuple[int, str]]:
    """Import files one after the other; return exit status and last sentence of each."""
    told = []
    for number, content in enumerate(files):
        path = folder / f"{number}.json"
        path.write_bytes(content)
        status, out, err = run_import(path)
        told.append((status, out.splitlines()[-2] if out else err))
    return told


def now(hours: float = 0) -> int:
    return int((time.time() + hours * 3600) * 1000)


@pytest.mark.django_db
def test_what_the_browser_wrote_before_a_rename_here_is_in_the_chat(tmp_path: Path, fast_imports: Path):
    client = sign_in()
    [(status, _)] = import_all(tmp_path, flash([chat("wf", "Trip", "one", "two", updated=now(-48))]))
    assert status == 0
    patch = {"userTitle": "Mine"}
    assert client.patch("/api/chats/wf", json.dumps(patch), content_type="application/json").status_code == 200

    longer = chat("wf", "Trip", "one", "two", "three", "four", "five", "six", updated=now(-1))
    [(status, told)] = import_all(tmp_path, flash([longer]))

    assert (status, told) == (0, "1 chat, 6 messages: all here, verified.")
    assert shown_chats(getter(client)) == {"Mine": ["one", "two", "three", "four", "five", "six"]}


@pytest.mark.django_db
def test_what_a_browser_dropped_of_its_reasoning_is_no_other_chat(tmp_path: Path, fast_imports: Path):
    client = sign_in()
    thought = {"ft": "void", "fId": "v", "part": {"pt": "ma", "aType": "reasoning", "aText": "hmm"}}
    first = chat("wf", "Trip", "one", "two", updated=now(-48))
    first["messages"][1]["fragments"].insert(0, thought)
    import_all(tmp_path, flash([first]))
    client.patch("/api/chats/wf", '{"userTitle": "Mine"}', content_type="application/json")

    [(status, _)] = import_all(tmp_path, flash([chat("wf", "Trip", "one", "two", "three", updated=now(-1))]))

    assert status == 0
    assert shown_chats(getter(client)) == {"Mine": ["one", "two", "three"]}
    # Ours had more, and stays.
    assert chats_here()[0]["messages"][1]["fragments"][0] == thought


@pytest.mark.django_db
@pytest.mark.parametrize("times", [(4_102_444_800_000, 1_700_000_000_000), (1_700_000_000_000, 1), (None, None)])
def test_the_longer_state_of_a_chat_is_taken_whatever_the_clocks_say(times: Any, tmp_path: Path, fast_imports: Path):
    short = chat("fut", "Garden", "one", "two", updated=times[0])
    longer = chat("fut", "Garden", "one", "two", "three", "four", updated=times[1])
    shown = {"Garden": ["one", "two", "three", "four"]}

    told = import_all(tmp_path, flash([short]), flash([longer]), flash([short]), flash([longer]))

    assert [status for status, _ in told] == [0, 0, 0, 0]
    assert told[-1][1] == "1 chat, 4 messages: all here, verified."
    assert shown_chats(getter(sign_in())) == shown


@pytest.mark.django_db
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_browsers_that_went_on_the_earlier_one_is_a_branch(order: Any, tmp_path: Path, fast_imports: Path):
    ways = []
    for hours, text in ((-3, "from Chrome"), (-2, "from Firefox")):
        one = chat("c", "Soup", "one", "two", updated=now(hours))
        ways.append(flash([one | {"messages": [*one["messages"], message(text, text, created=now(hours))]}]))
    told = import_all(tmp_path, *(ways[at] for at in order))

    client = sign_in()
    shown = {"Soup": ["one", "two", "from Firefox"], "(1) Soup": ["one", "two", "from Chrome"]}
    assert shown_chats(getter(client)) == shown
    assert [branch["_server"]["branchOf"] for branch in client.get("/api/chats").json()["results"]].count("c") == 1
    assert told == [(0, "1 chat, 3 messages: all here, verified.")] * 2
    assert import_all(tmp_path, *ways, *ways) == told * 2
    assert shown_chats(getter(client)) == shown


REAL = (
    *("flash", "flash-compact", "flash-with-images", "flash-with-images-no-settings"),
    *("all-chats.agi", "chat-images.agi", "chat-persona.agi", "chat-flags.agi"),
)


@pytest.mark.django_db
@pytest.mark.parametrize("name", REAL)
def test_the_sentence_of_a_real_file_is_true(name: str, real_data: Path, fast_imports: Path):
    path = real_data / "exports" / f"{name}.json"
    status, out, err = run_import(path)
    assert status == 0, out + err
    run = MigrationRun.objects.get()
    verdict = assert_sentence_is_true(getter(sign_in()), run)
    assert verdict.is_all_here
    assert run_verify(path) == 0


@pytest.mark.django_db
def test_all_real_files_come_over_each_other_and_nothing_is_missing(real_data: Path, fast_imports: Path):
    for name in (*REAL, *reversed(REAL)):
        run_import(real_data / "exports" / f"{name}.json")
        told = proof(MigrationRun.objects.latest("pk"))
        assert ": all here, verified." in told, told
