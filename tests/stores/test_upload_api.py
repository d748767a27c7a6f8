"""Files that are sent to `POST /api/migrations`, through the real server."""

import http.client
import json
import signal
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from stores.importers.run import RESUMED
from tests.servers import Server, manage, run_server
from tests.stores.imports import make_chats, write_backup

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "multipart/form-data; boundary=b"}
STORES = {"app-ui": {"state": {"centerMode": "full"}, "version": 3}}
PATH = "/api/migrations"


@pytest.fixture(scope="module")
def backup(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("files") / "backup.json"
    return write_backup(path, make_chats(30), stores=STORES).read_bytes()


def form(*files: tuple[str, bytes]) -> bytes:
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'.encode()
        + b"Content-Type: application/json\r\n\r\n"
        + body
        + b"\r\n"
        for name, body in files
    ]
    return b"".join([*parts, b"--b--\r\n"])


def wait(client, location: str) -> dict:
    """Return the run when it is over."""
    for _ in range(3000):
        run = client.get(location).json()
        if run["status"] != "running":
            return run
        time.sleep(0.1)
    raise AssertionError(run)


def wait_until_gone(server: Server) -> None:
    """Wait until the file of the last upload is deleted, which its thread does last."""
    for _ in range(100):
        if uploads_of(server.data_dir) == []:
            return
        time.sleep(0.05)
    raise AssertionError(uploads_of(server.data_dir))


def uploads_of(data_dir: Path) -> list[Path]:
    folder = data_dir / "uploads"
    return [path for path in folder.iterdir() if path.is_dir()] if folder.exists() else []


def refused(answer, status: int, kind: str) -> str:
    problem = answer.json()
    assert (answer.status, answer.headers["Content-Type"]) == (status, "application/problem+json"), answer.text
    assert problem["type"] == f"/api/docs/troubleshooting#{kind}"
    assert problem["request_id"] == answer.headers["X-Request-ID"]
    return problem["detail"]


def test_a_file_is_imported_as_by_the_command(server, started, tmp_path, backup):
    client = server.sign_in()
    keyed = JSON | {"Idempotency-Key": "dry"}
    first = client.post(f"{PATH}?dry_run=true&strategy=copy", backup, headers=keyed)
    dry = client.post(f"{PATH}?preview=1&strategy=copy", backup, headers=keyed)
    assert dry.status == 200 and "Idempotency-Replayed" not in dry.headers, dry.text
    for previewed in (first, dry):
        assert client.request("DELETE", previewed.json()["href"]).status == 204
    answer = client.post(f"{PATH}?filename=..%2F..%2Fmy%20backup.json", backup, headers=JSON)
    assert answer.status == 202, answer.text
    run = wait(client, answer.headers["Location"])
    assert answer.json()["href"] == answer.headers["Location"] == run["href"]
    assert (run["status"], run["source_name"], run["source_size"]) == ("done", "my_backup.json", len(backup))
    assert run["certificate"]["differences"] == 0
    path = tmp_path / "file.json"
    path.write_bytes(backup)
    told = manage("import_indexeddb", "--json", str(path), environment=started)
    assert told.returncode == 0, told.stderr
    assert run["counts"] == json.loads(told.stdout)["counts"] == dry.json()["counts"]
    assert client.get("/api/chats?count=1").json()["count"] == 30
    [change] = client.get("/api/changes?source=import").json()["results"]
    assert change["actor"] and change["run"] == run["id"]
    wait_until_gone(server)


@pytest.mark.parametrize("kind", ["chunks", "form", "form in chunks", "raw"])
def test_a_file_comes_in_any_way(server, backup, kind):
    client = server.sign_in()
    body = form(("a b.json", backup)) if "form" in kind else backup
    headers = FORM if "form" in kind else {"Content-Type": "application/octet-stream"}
    sent = iter([body[at : at + 50_000] for at in range(0, len(body), 50_000)]) if "chunks" in kind else body
    answer = client.post(PATH, sent, headers=headers)
    assert answer.status == 202, answer.text
    run = wait(client, answer.headers["Location"])
    assert (run["status"], run["source_size"]) == ("done", len(backup)), run["blocked_by"]
    assert run["source_name"] == ("a_b.json" if "form" in kind else "upload.json")
    wait_until_gone(server)


@pytest.mark.parametrize("body", [b"", b"no JSON", b"[1]", b"{}", b'{"other": 1}', b"\xff\xfe", b'{"conversations'])
def test_what_is_no_backup_is_refused_at_once(server, body):
    client = server.sign_in()
    runs = client.get(f"{PATH}?count=1").json()["count"]
    detail = refused(client.post(f"{PATH}?filename=x.json", body, headers=JSON), 400, "not-a-backup")
    assert detail.startswith("x.json is not a big-AGI file"), detail
    assert uploads_of(server.data_dir) == []
    assert client.get(f"{PATH}?count=1").json()["count"] == runs


def test_bad_requests_are_refused(server, backup):
    client = server.sign_in()
    refused(client.post(f"{PATH}?dry_run=perhaps", backup, headers=JSON), 400, "bad-request")
    refused(client.post(f"{PATH}?strategy=guess", backup, headers=JSON), 400, "bad-request")
    refused(client.post(f"{PATH}?colour=red", backup, headers=JSON), 400, "bad-request")
    refused(client.post(PATH, backup, headers={"Content-Type": "text/plain"}), 415, "unsupported-media-type")
    refused(client.post(PATH, form(), headers=FORM), 400, "bad-request")
    refused(client.post(PATH, form(("a", backup), ("b", backup)), headers=FORM), 400, "bad-request")
    refused(client.post(PATH, backup, headers=FORM), 400, "bad-request")
    refused(client.post(PATH, backup, headers={"Content-Type": "multipart/form-data"}), 400, "bad-request")
    assert uploads_of(server.data_dir) == []


def connect(server) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)


def begin(server, length: int, **headers: str) -> http.client.HTTPConnection:
    """Send the head of an upload."""
    connection = connect(server)
    connection.putrequest("POST", PATH)
    for name, value in (JSON | {"Content-Length": str(length)} | headers).items():
        connection.putheader(name, value)
    connection.endheaders()
    return connection


def cookies(server) -> dict[str, str]:
    client = server.sign_in()
    held = "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.cookies)
    return {"Cookie": held, "X-CSRFToken": client.cookie("bigagi_csrf"), "Origin": server.url}


def test_strangers_are_answered_before_the_body_is_read(server):
    connection = begin(server, 10**12)
    answer = connection.getresponse()
    assert answer.status == 401
    connection.close()
    no_token = cookies(server) | {"X-CSRFToken": ""}
    connection = begin(server, 10**12, **no_token)
    assert connection.getresponse().status == 403
    connection.close()
    assert uploads_of(server.data_dir) == []


def test_a_file_for_which_there_is_no_room_is_refused_before_it_is_read(server):
    connection = begin(server, 10**17, **cookies(server))
    answer = connection.getresponse()
    assert answer.status == 507
    assert json.loads(answer.read())["type"].endswith("#disk-full")
    connection.close()
    assert uploads_of(server.data_dir) == []


def test_a_client_that_goes_away_leaves_nothing(server):
    connection = begin(server, 10_000_000, **cookies(server))
    connection.send(b'{"conversations": [')
    for _ in range(100):
        if uploads_of(server.data_dir):
            break
        time.sleep(0.05)
    assert len(uploads_of(server.data_dir)) == 1
    connection.sock.close()
    wait_until_gone(server)


def test_a_large_file_does_not_sit_in_memory(server):
    client = server.sign_in()
    status = Path(f"/proc/{server.process.pid}/status")
    if not status.exists():
        pytest.skip("this system does not tell how much memory a process had")

    def peak() -> int:
        return int(status.read_text().partition("VmHWM:")[2].split()[0])

    refused(client.post(PATH, b"[" + b"1," * 1000, headers=JSON), 400, "not-a-backup")
    before = peak()
    piece = b"1," * 500_000
    refused(client.post(PATH, iter([b"[", *[piece] * 200]), headers=JSON), 400, "not-a-backup")
    assert peak() - before < 40_000


@pytest.fixture(scope="module")
def large(tmp_path_factory) -> bytes:
    """Return a backup whose import takes some seconds."""
    path = tmp_path_factory.mktemp("files") / "large.json"
    return write_backup(path, make_chats(400, 10, seed=7), stores=STORES).read_bytes()


@pytest.mark.slow
def test_one_import_at_a_time_and_one_that_was_killed_goes_on_by_itself(started, large, backup):
    with run_server(started) as server:
        client = server.sign_in()
        answer = client.post(f"{PATH}?filename=large.json", large, headers=JSON)
        assert answer.status == 202, answer.text
        run = answer.json()
        assert run["status"] == "running"
        detail = refused(client.post(PATH, backup, headers=JSON), 409, "import-running")
        assert f"run {run['id']} of large.json" in detail
        # The server answers meanwhile.
        assert client.get("/api/chats").status == 200
        assert len(uploads_of(server.data_dir)) == 1
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        assert len(uploads_of(server.data_dir)) == 1
    with run_server(started) as server:
        client = server.sign_in()
        while (done := client.get(answer.headers["Location"]).json())["status"] != "done":
            time.sleep(0.05)
        assert done["counts"]["conversation"]["created"] == 400
        assert sum(note.startswith(RESUMED) for note in done["notes"]) == 1
        wait_until_gone(server)
        refused(client.post(f"{answer.headers['Location']}/resume", b"", headers=JSON), 409, "not-resumable")
        server.stop()
        log = "".join([*server.output, *server.read_rest()])
        assert "a run that was interrupted is resumed" in log


def test_relational_stores_are_written_through_the_server_within_limits(server):
    client = server.sign_in()
    client.post(f"{PATH}?dry_run=true", b'{"conversations": []}', headers=JSON)
    client.request("DELETE", "/api/stores/app-folders?confirm=true")
    store = {"state": {"folders": [{"id": "f", "title": "F", "conversationIds": []}]}, "version": 0}
    made = client.post("/api/stores", json.dumps({"name": "app-folders", **store}).encode(), headers=JSON)
    assert made.status == 201, made.text
    path, etag = made.headers["Location"], made.headers["ETag"]
    for sent in (json.dumps(store).encode(), iter([b" ", json.dumps(store).encode()])):
        answer = client.request("PUT", path, sent, headers=JSON | {"If-Match": etag})
        assert answer.status == 200 and "Bigagi-Change" not in answer.headers, answer.text
        assert answer.json() == store
    for at_once in (True, False):
        pieces = [b" " * 2**20] * 11
        sent = b"".join(pieces) if at_once else iter(pieces)
        answer = client.request("PUT", path, sent, headers=JSON)
        assert answer.status == 413, answer.text
    refused(client.request("PUT", path, iter([]), headers=JSON), 400, "bad-request")
    patched = client.request("PATCH", path, b'{"state":{"enableFolders":true}}', headers=JSON | {"If-Match": etag})
    assert patched.status == 200 and patched.json()["state"]["enableFolders"] is True
    late = client.request("PATCH", path, b"{}", headers=JSON | {"If-Match": etag})
    assert late.status == 412 and late.headers["ETag"] == patched.headers["ETag"]
    assert client.get(path, headers={"If-None-Match": patched.headers["ETag"]}).status == 304
    deleted = client.request("DELETE", f"{path}?confirm=true")
    assert deleted.status == 204
    undone = client.post(f"/api/changes/{deleted.headers['Bigagi-Change']}/undo", b"{}", headers=JSON)
    assert undone.status == 201 and client.get(path).json() == patched.json()


def test_a_body_past_the_longest_is_cut(server):
    client = server.sign_in()
    answer = client.request("PUT", "/api/stores/app-chats", iter([b" " * 2**20] * 135), headers=JSON)
    assert answer.status == 413, answer.text
