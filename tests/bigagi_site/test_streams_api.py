"""The API through the real server, where its two halves and its streams are what a client meets."""

import http.client
import io
import json
import re
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import pytest

SEED = """
import base64
from django.db import transaction
from chats.assets import store_base64
from chats.bigagi.conversation import CONVERSATIONS
from tests.api import ODD_IDS, make_asset, make_chat, make_model

def chat(uid):
    part = {"pt": "text", "text": uid + " " + "x" * 20_000}
    message = {"id": "m", "role": "user", "fragments": [{"ft": "content", "fId": "f", "part": part}]}
    return CONVERSATIONS.to_rows({"id": uid, "messages": [message]}, uid)

with transaction.atomic():
    for first in range(0, 2000, 100):
        CONVERSATIONS.insert([(chat(f"big-{number}"), number) for number in range(first, first + 100)])
for at, uid in enumerate(ODD_IDS):
    make_chat(uid, 5000 + at)
    make_model(uid, at)
make_asset("a/b", held=store_base64([base64.b64encode(b"bytes" * 100_000).decode()]))
"""
CHATS = 2000
SIZE = CHATS * 20_000


@pytest.fixture(scope="module")
def seeded(server):
    """Return the server, with a store of 40 MB."""
    made = server.manage("shell", "-v0", "-c", SEED)
    assert made.returncode == 0, made.stderr
    return server


def peak_memory(server):
    """Return the largest memory that the server's process has had, in MB."""
    status = Path(f"/proc/{server.process.pid}/status")
    if not status.exists():
        pytest.skip("memory is told by /proc, which is Linux's")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1]) / 1024


def open_stream(server, path):
    """Return the connection and the answer to a request whose body has not been read."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    connection.request("GET", path, headers={"Cookie": f"bigagi_session={server.sign_in().cookie('bigagi_session')}"})
    return connection, connection.getresponse()


def test_a_stranger_is_refused_by_both_halves(seeded):
    for path in ("/api/stores/app-chats", "/api/chats", "/api/assets/~YS9i/content", "/api/nowhere"):
        connection = http.client.HTTPConnection(urlsplit(seeded.url).netloc, timeout=30)
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.status == 401
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert json.loads(answer.read())["request_id"] == answer.headers["X-Request-ID"]
        connection.close()


def test_odd_ids_reach_their_views(seeded):
    client = seeded.sign_in()
    for records in (
        client.get("/api/llms").json()["llms"],
        client.get("/api/chats?ordering=-position&page_size=30").json()["results"],
    ):
        assert len(records) >= 20
        for listed in records:
            answer = client.get(listed["_server"]["href"])
            assert (answer.status, answer.json()["id"]) == (200, listed["id"])


def test_bytes_pass_through_asgi(seeded):
    client = seeded.sign_in()
    answer = client.get("/api/assets/~YS9i/content")
    assert answer.body == b"bytes" * 100_000
    assert answer.headers["Content-Type"] == "image/png"
    part = client.get("/api/assets/~YS9i/content", headers={"Range": "bytes=5-9"})
    assert (part.status, part.body) == (206, b"bytes")
    assert client.get("/api/assets/nobody/content").status == 404


def test_a_large_store_is_streamed_whole_in_little_memory(seeded):
    seeded.sign_in().get("/api/stores/app-folders")
    seeded.sign_in().get("/api/stores")
    before = peak_memory(seeded)
    connection, answer = open_stream(seeded, "/api/stores/app-chats")
    body = answer.read()
    connection.close()
    assert len(body) > SIZE
    chats = json.loads(body)["state"]["conversations"]
    assert [chat["id"] for chat in chats[:CHATS]] == [f"big-{number}" for number in range(CHATS)]
    # The server does other things as well; the store would be held two times and more.
    assert peak_memory(seeded) - before < SIZE / 1e6 * 0.75


def test_a_zip_of_all_chats_is_streamed_in_little_memory(seeded):
    seeded.sign_in().get("/api/chats?page_size=1")
    before = peak_memory(seeded)
    connection, answer = open_stream(seeded, "/api/chats/export?as=zip&files=json")
    assert answer.headers["Transfer-Encoding"] == "chunked"
    archive = zipfile.ZipFile(io.BytesIO(answer.read()))
    connection.close()
    chats = [name for name in archive.namelist() if name.startswith("chats/")]
    assert len(chats) >= CHATS and sum(archive.getinfo(name).file_size for name in chats) > SIZE
    assert archive.testzip() is None
    # The server does other things as well; the store would be held two times and more.
    assert peak_memory(seeded) - before < SIZE / 1e6 * 0.75


def test_readers_who_leave_in_the_middle_hold_nothing_up(seeded):
    # More than there are threads for streams.
    for _ in range(5):
        connection, answer = open_stream(seeded, "/api/stores/app-chats")
        assert answer.read(100_000).startswith(b'{"state":{')
        connection.close()
    waiting = [open_stream(seeded, "/api/stores/app-chats") for _ in range(3)]
    assert seeded.sign_in().get("/api/chats?page_size=1").status == 200
    connection, answer = open_stream(seeded, "/api/stores/app-chats")
    assert len(answer.read()) > SIZE
    for other, _ in [*waiting, (connection, answer)]:
        other.close()
