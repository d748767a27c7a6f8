"""The server is killed in the middle of answers, or the disk is full: what is found afterwards."""

import json
import random
import signal
import sqlite3
import time
from contextlib import closing
from typing import Any

import pytest

from tests.chats.talking import (
    LIMITS,
    Talker,
    check_message,
    error_texts,
    message_text,
    parse_events,
)
from tests.faulty_provider import KEY, FaultyProvider
from tests.nightly import IS_NIGHT
from tests.providers import run_provider
from tests.servers import manage, run_server

pytestmark = pytest.mark.property

KILLS = 20 if IS_NIGHT else 2
WORD_SECONDS = 0.02
LOST_SECONDS = 0.5
REFS = ["slow", "good-model"]

CHECK_HASHES = """
from chats.bigagi.conversation import CONVERSATIONS
from chats.models import Conversation
for chat in Conversation.objects.all():
    [record] = CONVERSATIONS.load([chat])
    assert CONVERSATIONS.to_rows(record, chat.uid).content_hash == chat.content_hash, chat.uid
print("hashes are right")
"""


def test_a_killed_server_loses_half_a_second_at_most(started):
    moments = random.Random(7)
    with run_provider(FaultyProvider(key=KEY)) as provider:
        chats: list[tuple[str, str, str, float]] = []
        for number in range(KILLS):
            with run_server(started | LIMITS) as server:
                talker = Talker(server)
                if number == 0:
                    talker.add_service(provider.setup(), REFS)
                for before in chats[-1:]:
                    check_closed(talker, *before)
                chats.append(kill_in_the_middle(talker, moments.uniform(0.0, 2.5)))
        with run_server(started | LIMITS) as server:
            talker = Talker(server)
            for before in chats:
                check_closed(talker, *before)
            assert len(talker.sql("SELECT id FROM metrics_usageevent")) == KILLS
            check_undo(talker, chats[-1][0])
            events = talker.generate(chats[0][0], "faulty-good-model", "Go on.")
            assert events[-1].name == "done"
        checked = manage("shell", "-c", CHECK_HASHES, environment=started)
        assert "hashes are right" in checked.stdout, checked.stderr


def kill_in_the_middle(talker: Talker, seconds: float) -> tuple[str, str, str, float]:
    """Return chat, generation, the text that a reader had when the server was killed, and after how long it was."""
    chat = talker.make_chat()
    with talker.open(f"/api/chats/{chat}/generate", {"message": {"text": "Hi"}, "modelId": "faulty-slow"}) as stream:
        begun = time.monotonic()
        try:
            for _ in stream.read():
                if time.monotonic() - begun >= seconds:
                    break
            talker.server.process.send_signal(signal.SIGKILL)
            talker.server.process.wait()
            for _ in stream.read():
                pass
        except OSError:
            pass
    return chat, stream.id, stream.text, seconds


def check_closed(talker: Talker, chat: str, generation: str, seen: str, seconds: float) -> None:
    run = talker.get(f"/api/generations/{generation}")
    message = talker.get(f"/api/chats/{chat}")["messages"][1]
    assert run["status"] == "error" and run["message"] == message and run["ended"]
    check_message(message)
    kept = message_text(message)
    # What a reader had and the database has not: words come every 20 ms, and are some ten characters long.
    lost = len(seen.split()) - len(kept.split())
    assert lost * WORD_SECONDS <= LOST_SECONDS, (lost, seconds)
    assert kept.startswith(seen[: len(kept)]) and seen.startswith(kept[: len(seen)])
    assert message["fragments"][-1]["part"]["pt"] == "error"
    assert "stopped during this answer" in error_texts(message)[0]
    assert message["generator"]["tokenStopReason"] == "issue"
    [(outcome, estimated, cost, code, output)] = talker.usage_of(message["id"])
    assert outcome == "crashed"
    if kept:
        assert (bool(estimated), code) == (True, "partial-msg") and cost > 0 and output > 0
        assert message["generator"]["metrics"]["$code"] == "partial-msg"
    events = parse_events(talker.send("GET", f"/api/generations/{generation}/events", status=200).text)
    assert events[-1].name == "reset" and events[-1].data["message"] == message


def check_undo(talker: Talker, chat: str) -> None:
    """Undo what was written in the chat last: the crashed answer, its beginning, and the chat itself."""
    changes = talker.get("/api/changes")["results"][:3]
    assert [change["action"] for change in changes] == ["finish answer", "generate", "create chat"]
    for change in changes:
        talker.send("POST", f"/api/changes/{change['id']}/undo", {}, 201)
    talker.send("GET", f"/api/chats/{chat}", status=404)
    for change in talker.get("/api/changes")["results"][:3]:
        talker.send("POST", f"/api/changes/{change['id']}/undo", {}, 201)
    assert error_texts(talker.last_message(chat))


# --- a full disk -----------------------------------------------------------------------------------------------------


def fill(path: Any, is_full: bool) -> None:
    """Let every write of an answer fail as on a full disk, or take that back."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=20)) as connection:
        for table in ("chats_fragment", "chats_generationevents", "metrics_usageevent"):
            connection.execute(f"DROP TRIGGER IF EXISTS full_{table}")
            if is_full:
                connection.execute(
                    f"CREATE TRIGGER full_{table} BEFORE INSERT ON {table} "
                    "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
                )


def test_a_full_disk_keeps_the_answer_in_memory_until_there_is_room(started):
    if started.get("DATABASE_URL"):
        pytest.skip("SQLite's triggers play the disk")
    with run_provider(FaultyProvider(key=KEY)) as provider, run_server(started | LIMITS) as server:
        talker = Talker(server)
        talker.add_service(provider.setup(), [*REFS, "stalled"])
        database = server.data_dir / "bigagi.sqlite3"
        chat = talker.make_chat()
        with talker.open(
            f"/api/chats/{chat}/generate", {"message": {"text": "Hi"}, "modelId": "faulty-slow"}
        ) as stream:
            stream.read_until(50)
            fill(database, True)
            stream.read_until(300)
            refused = talker.send("POST", f"/api/chats/{talker.make_chat()}/generate", {"message": {"text": "x"}}, 507)
            assert "The disk is full" in refused.json()["detail"]
            talker.send("POST", f"/api/generations/{stream.id}/stop", {}, 202)
            for _ in stream.read():
                pass
        assert [event.name for event in stream.events[-2:]] == ["error", "done"]
        assert "could not be stored" in stream.events[-2].data["problem"]["detail"]
        told = stream.events[-1].data["message"]
        assert message_text(told) == stream.text
        # Nothing may be written over it meanwhile.
        talker.send("DELETE", f"/api/chats/{chat}", status=409)
        fill(database, False)
        assert talker.wait_until_over(stream.id)["status"] == "stopped"
        message = talker.last_message(chat)
        check_message(message)
        assert message_text(message) == stream.text
        assert len(talker.usage_of(message["id"])) == 1
        replayed = parse_events(talker.send("GET", f"/api/generations/{stream.id}/events", status=200).text)
        assert replayed == stream.events
        assert talker.generate(chat, "faulty-good-model")[-1].name == "done"


# --- as big-AGI reads it ---------------------------------------------------------------------------------------------


def test_a_chat_that_was_written_here_is_dumped_as_big_agi_writes_it(started):
    with run_provider(FaultyProvider(key=KEY)) as provider, run_server(started | LIMITS) as server:
        talker = Talker(server)
        refs = ["good-model", "tools-and-reasoning", "error-in-the-middle", "length", "content-filter", "wrong-key"]
        talker.add_service(provider.setup(), refs)
        chat = talker.make_chat(systemPurposeId="Generic")
        for ref in refs:
            talker.generate(chat, f"faulty-{ref}", f"Ask {ref}")
        talker.generate(chat, "bigagi-demo-fast", "Ask Demo")
        dumped = talker.send("GET", "/api/stores/app-chats", status=200).json()
        [conversation] = [one for one in find_conversations(dumped) if one["id"] == chat]
        check_conversation(conversation)
        assert conversation["autoTitle"] == "Ask good-model"
        assert [message["role"] for message in conversation["messages"]] == ["user", "assistant"] * (len(refs) + 1)
        assert json.dumps(conversation).isascii()
    checked = manage("shell", "-c", CHECK_HASHES, environment=started)
    assert "hashes are right" in checked.stdout, checked.stderr


def find_conversations(value: Any) -> list[Any]:
    if isinstance(value, dict):
        if isinstance(value.get("conversations"), list):
            return value["conversations"]
        return [found for member in value.values() for found in find_conversations(member)]
    return []


def check_conversation(conversation: Any) -> None:
    """Check a chat that we wrote, field by field, by the facts of big-AGI's data."""
    assert set(conversation) <= {
        *("id", "messages", "systemPurposeId", "autoTitle", "created", "updated", "tokenCount", "userTitle"),
    }, set(conversation)
    assert isinstance(conversation["systemPurposeId"], str)
    for name in ("created", "updated"):
        if name in conversation:
            assert type(conversation[name]) is int and conversation[name] > 10**12
    ids = [message["id"] for message in conversation["messages"]]
    assert len(set(ids)) == len(ids)
    for message in conversation["messages"]:
        check_message(message)
        if message["role"] == "assistant":
            assert message["purposeId"] == conversation["systemPurposeId"]
