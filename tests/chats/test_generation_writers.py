"""Who may write in a chat while an answer is written there, and what readers see of it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.chats.talking import LIMITS, Stream, Talker
from tests.conftest import copy_environment
from tests.faulty_provider import KEY, FaultyProvider
from tests.providers import run_provider
from tests.servers import run_server


@pytest.fixture(scope="module")
def talker(first_start, tmp_path_factory) -> Iterator[Talker]:
    data_dir = tmp_path_factory.mktemp("talk") / "data"
    with (
        copy_environment(first_start, data_dir) as environment,
        run_provider(FaultyProvider(key=KEY)) as provider,
        run_server(environment | LIMITS) as server,
    ):
        talker = Talker(server)
        talker.add_service(provider.setup(), ["slow", "good-model"])
        yield talker


@contextmanager
def running(talker: Talker, chat: str) -> Iterator[Stream]:
    """Yield a stream that goes on, and stop it."""
    body = {"message": {"text": "Hello"}, "modelId": "faulty-slow"}
    with talker.open(f"/api/chats/{chat}/generate", body) as stream:
        stream.read_until(30)
        yield stream
        talker.send("POST", f"/api/generations/{stream.id}/stop", {}, 202)
        for _ in stream.read():
            pass
    assert talker.wait_until_over(stream.id)["status"] == "stopped"


def refused(talker: Talker, stream: Stream, method: str, path: str, body=None, **headers) -> None:
    problem = talker.send(method, path, body, 409, **headers).json()
    assert problem["type"].endswith("#generation-running") and stream.id in problem["detail"]


def test_titles_archive_and_folders_are_written_under_a_run(talker):
    chat = talker.make_chat()
    folder = talker.send("POST", "/api/folders", {"title": "Work"}, 201).json()["id"]
    with running(talker, chat):
        talker.send("PATCH", f"/api/chats/{chat}", {"userTitle": "Cats", "isArchived": True}, 200)
        bulk = {"action": "unarchive", "ids": [chat]}
        assert talker.send("POST", "/api/chats/bulk", bulk, 200).json()["changed"] == 1
        talker.send("POST", f"/api/folders/{folder}/chats", {"ids": [chat]}, 200)
    kept = talker.get(f"/api/chats/{chat}")
    assert kept["userTitle"] == "Cats" and kept["isArchived"] is False
    assert kept["messages"][1]["generator"]["tokenStopReason"] == "client-abort"
    assert talker.get(f"/api/folders/{folder}")["conversationIds"] == [chat]


def test_all_else_is_refused_under_a_run(talker):
    chat = talker.make_chat()
    appended = talker.send("POST", f"/api/chats/{chat}/messages", {"role": "user", "fragments": []}, 201)
    change, first = appended.headers["Bigagi-Change"], appended.json()["id"]
    path = f"/api/chats/{chat}"
    message = {"role": "user", "fragments": []}
    with running(talker, chat) as stream:
        now = talker.get(path)
        refused(talker, stream, "PUT", path, now | {"messages": now["messages"][:1]})
        refused(talker, stream, "POST", f"{path}/messages", message)
        refused(talker, stream, "PUT", f"{path}/messages/{first}", message | {"id": first})
        refused(talker, stream, "DELETE", f"{path}/messages/{first}")
        refused(talker, stream, "DELETE", path)
        refused(talker, stream, "DELETE", f"{path}?purge=true")
        refused(talker, stream, "POST", "/api/chats/bulk", {"action": "delete", "ids": [chat]})
        refused(talker, stream, "POST", f"/api/changes/{change}/undo", {})
        refused(talker, stream, "POST", f"{path}/generate", {"message": {"text": "x"}, "modelId": "faulty-slow"})
        store = talker.send("GET", "/api/stores/app-chats", status=200)
        state = store.json()
        for one in find_chats(state):
            if one["id"] == chat:
                one["messages"] = []
        refused(talker, stream, "PUT", "/api/stores/app-chats", state)
        length = len(stream.text)
    messages = talker.get(path)["messages"]
    assert [one["role"] for one in messages] == ["user", "user", "assistant"]
    assert len(messages[2]["fragments"][0]["part"]["text"]) >= length


def find_chats(value) -> list:
    if not isinstance(value, dict):
        return []
    return value.get("conversations") or [found for member in value.values() for found in find_chats(member)]


def test_what_is_read_under_a_run_is_not_stored_and_has_its_sequence(talker):
    chat = talker.make_chat()
    path = f"/api/chats/{chat}"
    with running(talker, chat) as stream:
        first = talker.send("GET", path, status=200)
        assert first.headers["Cache-Control"] == "no-store" and first.headers["ETag"].count("-") == 2
        assert first.json()["messages"][1]["pendingIncomplete"] is True
        stream.read_until(len(stream.text) + 100)
        second = talker.send("GET", path, status=200)
        assert second.headers["ETag"] != first.headers["ETag"]
        assert talker.send("GET", f"{path}/messages", status=200).headers["Cache-Control"] == "no-store"
        one = f"{path}/messages/{first.json()['messages'][1]['id']}"
        assert talker.send("GET", one, status=200).headers["Cache-Control"] == "no-store"
        # The sequence is no revision: a title is written by what was read a while ago.
        talker.send("PATCH", path, {"userTitle": "A"}, 200, If_Match=first.headers["ETag"])
        talker.send("PATCH", path, {"userTitle": "B"}, 412, If_Match=first.headers["ETag"])
    after = talker.send("GET", path, status=200)
    assert after.headers["ETag"].count("-") == 1 and "no-store" not in after.headers["Cache-Control"]
    talker.send("GET", path, status=304, If_None_Match=after.headers["ETag"])


def test_a_run_whose_lease_ended_is_closed_by_whoever_writes(talker):
    other = abandoned_chat(talker)
    talker.send("POST", f"/api/chats/{other}/messages", {"role": "user", "fragments": []}, 201)
    check_closed(talker, other)
    other = abandoned_chat(talker)
    events = talker.generate(other, "faulty-good-model")
    assert events[-1].name == "done"
    check_closed(talker, other)
    other = abandoned_chat(talker)
    talker.send("POST", f"/api/generations/{other_run(talker, other)}/stop", {}, 202)
    check_closed(talker, other)
    other = abandoned_chat(talker)
    talker.send("POST", "/api/chats/bulk", {"action": "delete", "ids": [other]}, 200)
    outcomes = talker.sql(f"SELECT outcome FROM metrics_usageevent WHERE conversation = '{other}'")
    assert sorted(outcomes) == [("crashed",), ("done",)]


def other_run(talker: Talker, chat: str) -> str:
    [(uid,)] = talker.sql(
        "SELECT g.uid FROM chats_generation g JOIN chats_conversation c ON c.id = g.conversation_id "
        f"WHERE c.uid = '{chat}'"
    )
    return str(uid)


def abandoned_chat(talker: Talker) -> str:
    """Return a chat whose run has the row that a process leaves which died a while ago."""
    chat = talker.make_chat()
    generation = talker.generate(chat, "faulty-good-model")[0].data["generation"]
    # Under an id that the process that ended it does not know.
    new = f"{generation[:31]}{'0' if generation[31] != '0' else '1'}"
    talker.sql(
        "UPDATE chats_generation SET status = 'running', owner = 'gone', lease_until = 1, ended = NULL, "
        f"uid = '{new}' WHERE uid = '{generation}'"
    )
    return chat


def check_closed(talker: Talker, chat: str) -> None:
    message = talker.get(f"/api/chats/{chat}")["messages"][1]
    assert message["fragments"][-1]["part"]["pt"] == "error"
    assert message["generator"]["tokenStopReason"] == "issue" and "pendingIncomplete" not in message
