"""Runs that are followed by server-sent events: from the beginning, from where a client was, by many, to their end."""

import asyncio
import json
from typing import Any

import pytest

from stores.background.leases import next_end
from stores.importers import following
from stores.importers.following import Follower, Place, RunState, describe, follow
from stores.models import MigrationRun
from stores.records.event_frames import COMMENT
from tests.api import read_problem, sign_in
from tests.servers import Server

JSON = {"Content-Type": "application/json"}
ELSEWHERE = "elsewhere:1:1"
KEY = "bigagi-secret:ref:" + "a" * 32


def make_run(**columns: Any) -> MigrationRun:
    phases = [{"name": "chats", "status": "running", "done": 2, "notes": []}]
    given = {"status": "running", "phase": "chats", "phases": phases, "counts": {}, "errors": [], "notes": [], "pid": 1}
    given |= {"source_name": "backup.json", "source_size": 100, "owner": ELSEWHERE, "lease_until": next_end()}
    return MigrationRun(**given | columns)


def parse(content: bytes) -> list[tuple[str, str, Any]]:
    """Return id, name and data of each event."""
    found = []
    for text in content.decode().removesuffix("\n\n").split("\n\n"):
        uid, name, data = (line.partition(": ")[2] for line in text.split("\n"))
        found.append((uid, name, json.loads(data)))
    return found


def take(follower: Follower, run: MigrationRun) -> list[tuple[str, str, Any]]:
    content = b"".join(follower.take(describe(run)))
    return parse(content) if content else []


# --- what is sent ---


@pytest.mark.django_db
def test_a_follower_is_sent_each_note_and_error_once_and_progress_when_it_changes():
    follower, run = Follower(Place()), make_run(notes=["one", f"two {KEY}"], bytes_read=40)
    first = take(follower, run)
    assert [(uid, name) for uid, name, _ in first] == [("0-0-0", "progress"), ("0-1-0", "note"), ("0-2-0", "note")]
    assert (first[0][2]["bytes_read"], first[0][2]["bytes_total"], first[0][2]["phase"]) == (40, 100, "chats")
    assert "aaaa" not in first[2][2]["text"], "secrets are masked"
    assert take(follower, run) == []
    run.errors = [{"at": "now", "phase": "chats", "place": "chat 3", "message": "damaged"}]
    assert take(follower, run) == [("0-2-1", "error", run.errors[0])]
    run.status, run.blocked_by = "error", "The disk is full."
    *_, (uid, name, data) = take(follower, run)
    assert (uid, name, data["status"]) == ("0-2-1-end", "done", "error")
    assert "The disk is full." in data["proof"]


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ("", ["progress", "note", "note", "error"]),
        ("0-1-0", ["progress", "note", "error"]),
        ("0-2-1", ["progress"]),
        # More than there is, as of another database.
        ("0-9-9", ["progress"]),
        # It was resumed since, or the id is none of ours.
        ("7-2-1", ["progress", "note", "note", "error"]),
        ("0-2-1-end-", ["progress", "note", "note", "error"]),
        ("٣-٣-٣", ["progress", "note", "note", "error"]),
    ],
)
def test_a_follower_who_comes_again_is_sent_what_it_missed(last, expected):
    run = make_run(notes=["one", "two"], errors=[{"message": "m"}])
    assert [name for _, name, _ in take(Follower(Place.read(last)), run)] == expected


def test_a_place_is_read_as_it_was_written():
    for place in (Place(), Place(2, 3, 4), Place(1, 0, 7, is_end=True)):
        assert Place.read(str(place)) == place


# --- many followers ---


@pytest.mark.django_db
def test_a_run_is_looked_at_once_however_many_follow_it(monkeypatch):
    statuses = ["running"] * 4 + ["done"]
    states = [describe(make_run(notes=["note"] * at, status=status)) for at, status in enumerate(statuses)]
    looks: list[RunState] = []

    def find(pk: int) -> RunState:
        looks.append(states[len(looks)])
        return looks[-1]

    async def read() -> bytes:
        return b"".join([content async for content in follow(1, Place())])

    async def follow_all() -> list[bytes]:
        return await asyncio.gather(*(read() for _ in range(50)))

    monkeypatch.setattr(following, "LOOKED_EVERY", 0.01)
    monkeypatch.setattr(following, "read_state", find)
    contents = asyncio.run(follow_all())
    assert len(looks) == 5
    assert len({*contents}) == 1
    assert [name for _, name, _ in parse(contents[0])].count("note") == 4
    assert not following._feeds


def test_a_silent_run_keeps_its_followers_by_comments_and_a_stopping_server_lets_them_go(monkeypatch):
    run = make_run()
    monkeypatch.setattr(following, "COMMENT_SECONDS", 0.05)
    monkeypatch.setattr(following, "LOOKED_EVERY", 1000)
    monkeypatch.setattr(following, "read_state", lambda pk: describe(run))

    async def read() -> list[bytes]:
        pieces = []
        async for content in follow(1, Place()):
            pieces.append(content)
            if content == COMMENT:
                await following.let_followers_go()
        return pieces

    first, second = asyncio.run(read())
    assert parse(first)[0][1] == "progress" and second == COMMENT
    assert not following._feeds


# --- over HTTP ---


@pytest.mark.django_db
def test_of_what_is_over_and_known_nothing_is_sent():
    client = sign_in()
    run = make_run(status="done", notes=["one"])
    run.save()
    answer = client.get(f"/api/migrations/{run.pk}/events", headers={"Last-Event-ID": "0-1-0-end"})
    assert (answer.status_code, answer.content) == (204, b"")
    read_problem(client.get(f"/api/migrations/{run.pk}/events?colour=red"), 400)
    read_problem(client.get("/api/migrations/999/events"), 404)


@pytest.mark.slow
def test_an_import_is_followed_to_its_end(server: Server, tmp_path):
    from tests.stores.imports import make_chats, write_backup

    client = server.sign_in()
    content = write_backup(tmp_path / "backup.json", make_chats(60)).read_bytes()
    made = client.post("/api/migrations?filename=backup.json", content, headers=JSON)
    path = f"{made.headers['Location']}/events"
    followed = client.get(path, headers={"Accept": "text/event-stream"})
    assert followed.headers["Content-Type"].startswith("text/event-stream")
    events = parse(followed.body)
    assert events[0][1] == "progress" and events[-1][1] == "done"
    assert events[-1][2] == {"status": "done", "proof": "60 chats, 240 messages: all here, verified."}
    read = [data["bytes_read"] for _, name, data in events if name == "progress"]
    assert read == sorted(read) and read[-1] == len(content)
    run = client.get(made.headers["Location"]).json()
    assert [data["text"] for _, name, data in events if name == "note"] == run["notes"]
    again = parse(client.get(path, headers={"Last-Event-ID": events[-2][0]}).body)
    assert [name for _, name, _ in again] == ["progress", "done"]
    assert client.get(path, headers={"Last-Event-ID": events[-1][0]}).status == 204
