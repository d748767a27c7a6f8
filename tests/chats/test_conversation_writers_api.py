"""Many writers at once: nobody's write is lost, and nobody is told of a lock."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests import forking
from tests.api import make_message
from tests.nightly import IS_NIGHT
from tests.servers import Client, Server, execute

pytestmark = pytest.mark.slow

# Each of so many writers tries again until it is taken: twice the writers make four times the requests.
WRITERS, PROCESSES, SECONDS = (50, 8, 20) if IS_NIGHT else (20, 4, 3)
DEADLINE = 120
"""Seconds that a writer may take to end on a slow machine."""


def another_client(server: Server) -> Client:
    """Return a client of its own connection in the server's one session."""
    client = Client(server.url)
    for cookie in server.sign_in().cookies:
        client.cookies.set_cookie(cookie)
    return client


def send(client: Client, method: str, path: str, body: Any, **headers: str) -> Any:
    return client.request(
        method, path, json.dumps(body).encode(), headers={"Content-Type": "application/json"} | headers
    )


def write_until_taken(
    client: Client, method: str, path: str, make: Callable[[Any], Any], start: threading.Barrier
) -> list[int]:
    """Read a chat, and send what `make` makes of it until it is taken; return the statuses of all answers."""
    answer = client.get(path)
    etag, chat, statuses = answer.headers["ETag"], answer.json(), []
    # All have seen the same before the first writes.
    start.wait()
    while not statuses or statuses[-1] == 412:
        answer = send(client, method, path, make(chat), **{"If-Match": etag})
        statuses.append(answer.status)
        if answer.status == 412:
            etag, chat = answer.headers["ETag"], answer.json()["current"]
    return statuses


def put_message(mark: int) -> Callable[[Any], Any]:
    return lambda chat: chat | {"messages": [*chat["messages"], make_message(f"by-{mark}", f"Mark {mark}")]}


def patch_list(mark: int) -> Callable[[Any], Any]:
    return lambda chat: {"marks": [*chat.get("marks", []), mark]}


def run_all(works: list[Callable[[], Any]]) -> list[Any]:
    """Run each in a thread of its own, and return what they return."""
    results: list[Any] = [None] * len(works)

    def run(at: int, work: Callable[[], Any]) -> None:
        results[at] = work()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_no_update_of_many_at_once_is_lost(server: Server):
    client = server.sign_in()
    made = send(client, "POST", "/api/chats", {"id": "contended", "messages": [make_message("m0")]})
    assert made.status == 201, made.text
    path = "/api/chats/contended"
    start = threading.Barrier(WRITERS)
    works = []
    for mark in range(WRITERS):
        method, make = ("PUT", put_message(mark)) if mark % 2 else ("PATCH", patch_list(mark))
        writer = another_client(server)
        works.append(
            lambda writer=writer, method=method, make=make: write_until_taken(writer, method, path, make, start)
        )

    answers = run_all(works)

    assert all(statuses is not None for statuses in answers)
    assert {status for statuses in answers for status in statuses} == {200, 412}
    chat = client.get(path)
    marks = [message["id"] for message in chat.json()["messages"]][1:]
    assert sorted(marks) == sorted(f"by-{mark}" for mark in range(1, WRITERS, 2))
    assert sorted(chat.json()["marks"]) == list(range(0, WRITERS, 2))
    # Each write that was taken is one revision and one entry of the journal; none that was refused is.
    assert made.headers["ETag"].endswith('-1"')
    assert chat.headers["ETag"].endswith(f'-{WRITERS + 1}"')
    entries = "SELECT count(*) FROM stores_change WHERE action IN ('replace chat', 'patch chat')"
    assert execute(server.environment, entries) == [(WRITERS,)]
    assert "locked" not in "".join(server.output)


def test_messages_that_are_added_blindly_are_all_there(server: Server):
    client = server.sign_in()
    send(client, "POST", "/api/chats", {"id": "busy", "messages": []})
    path = "/api/chats/busy/messages"
    writers = [another_client(server) for _ in range(WRITERS)]

    def add(at: int) -> list[int]:
        return [send(writers[at], "POST", path, make_message(f"m{at}-{turn}")).status for turn in range(3)]

    answers = run_all([lambda at=at: add(at) for at in range(WRITERS)])

    assert answers == [[201] * 3] * WRITERS
    found = client.get("/api/chats/busy").json()["messages"]
    assert sorted(message["id"] for message in found) == sorted(f"m{at}-{n}" for at in range(WRITERS) for n in range(3))
    # Each writer's own messages stand in the order in which they were sent.
    for at in range(WRITERS):
        own = [message["id"] for message in found if message["id"].startswith(f"m{at}-")]
        assert own == [f"m{at}-{n}" for n in range(3)]


def test_processes_that_write_different_chats_do_not_hinder_each_other(server: Server):
    client = server.sign_in()
    names = [f"process-{at}" for at in range(PROCESSES)]
    processes = [
        forking.start(("-m", "tests.chats.writers"), [name, str(SECONDS)], server.environment) for name in names
    ]
    try:
        # The server writes and reads beside them all the while.
        turns = 0
        while any(process.poll() is None for process in processes):
            answer = send(client, "PUT", "/api/folders/beside", {"title": f"Turn {turns}"}) if turns else None
            if answer is None:
                answer = send(client, "POST", "/api/folders", {"id": "beside", "title": "Turn 0"})
            assert answer.status in (200, 201), answer.text
            assert client.get("/api/chats").status == 200
            turns += 1
        ended = [process.communicate(timeout=DEADLINE) for process in processes]
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
                process.communicate()

    assert [process.returncode for process in processes] == [0] * PROCESSES, [
        errors[-4000:] for _, errors in ended if errors
    ]
    results = [json.loads(output) for output, _ in ended]
    for result in results:
        assert result["writes"] > 5
        chat = client.get(f"/api/chats/{result['name']}")
        assert chat.headers["ETag"] == result["etag"]
        assert [message["id"] for message in chat.json()["messages"]] == result["ids"]
        assert chat.json()["userTitle"] == result["title"]
    entries = "SELECT count(*) FROM stores_change WHERE actor LIKE 'process-%'"
    assert execute(server.environment, entries) == [(sum(result["writes"] for result in results),)]
    assert "locked" not in "".join(server.output)
