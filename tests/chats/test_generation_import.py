"""A backup is imported while an answer streams into one of its chats: neither takes from the other."""

import copy

import pytest

from stores.records.merging.rules import Rule
from tests.chats.talking import LIMITS, Talker, check_message, message_text
from tests.faulty_provider import KEY, FaultyProvider
from tests.nightly import by_day
from tests.providers import run_provider
from tests.servers import run_server
from tests.stores.imports import continued, make_chats, write_backup

pytestmark = pytest.mark.slow

LATER = 10 * 365 * 24 * 60 * 60_000
"""In ms: a browser whose clock is far ahead wrote the newer backup."""


@pytest.fixture
def talker(started):
    with run_provider(FaultyProvider(key=KEY)) as provider, run_server(started | LIMITS) as server:
        made = Talker(server)
        provider.slow_words = 3_000
        made.add_service(provider.setup(), ["slow"])
        yield made


@pytest.mark.parametrize("kind", ["newer", "edited", *by_day(["older", "the same"], each=2)])
def test_an_import_under_a_running_answer_loses_nothing(talker, tmp_path, kind):
    [chat] = make_chats(1)
    first = write_backup(tmp_path / "first.json", [chat])
    assert talker.server.manage("import_indexeddb", str(first)).returncode == 0
    other = copy.deepcopy(chat)
    if kind == "older":
        del other["messages"][-1]
        other["updated"] = (chat["updated"] or chat["created"]) - 60_000
    elif kind == "newer":
        other = continued(chat, "from the other browser", minutes=LATER // 60_000)
    elif kind == "edited":
        other["messages"][0] |= {"updated": chat["updated"], "role": "system"}
    second = write_backup(tmp_path / "second.json", [other])
    asked = {"message": {"text": "Hello"}, "modelId": "faulty-slow"}
    with talker.open(f"/api/chats/{chat['id']}/generate", asked) as stream:
        stream.read_until(30)
        imported = talker.server.manage("import_indexeddb", str(second), "--json")
        # The chat stays as it is, and what the file has beyond it is a branch, or kept beside it and told.
        assert imported.returncode in (0, 1) and not imported.stderr
        assert (Rule.BRANCHED in imported.stdout) == (kind == "newer")
        assert (Rule.BUSY in imported.stdout) == (kind == "edited")
        talker.send("POST", f"/api/generations/{stream.id}/stop", {}, 202)
        for _ in stream.read():
            pass
    run = talker.wait_until_over(stream.id)
    assert run["status"] == "stopped"
    stored = {message["id"]: message for message in talker.get(f"/api/chats/{chat['id']}")["messages"]}
    assert {message["id"] for message in chat["messages"]} <= stored.keys()
    answer = stored[run["message"]["id"]]
    assert message_text(answer) == stream.text
    check_message(answer)
    assert message_text(stored[run["user_message"]]) == "Hello"
    assert [row[0] for row in talker.usage_of(answer["id"])] == ["stopped"]
