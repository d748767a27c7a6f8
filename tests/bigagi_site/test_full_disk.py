"""A real disk of 20 MB that is full at every step: each command and request says so, leaves nothing half done, and is
carried out once there is room."""

import base64
import errno
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from stores.importers.incoming import RESERVE
from stores.records.private_files import write_private_once
from tests import generators
from tests.chats.talking import Talker, parse_events
from tests.servers import Client, Server, build_environment, manage, run_server
from tests.stores.processes import start_import

SIZE = 20 * 2**20
ROOMS = [0, 2**12, 2**15, 2**17, 2**19, 2**20, 2 * 2**20, 4 * 2**20, 8 * 2**20]
"""Bytes that are left free, one after the other, until there is enough."""
OF_REQUESTS = ("idempotencykey", "django_session", "token", "apirequest", "logentry", "statistic", "sqlite_", "signin")
"""Parts of the names of tables of what requests leave beside records."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(os.environ.get("DATABASE_URL")), reason="PostgreSQL's files are not in the data folder"),
]


class SmallDisk:
    """A file system of its own, and the file that fills it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data_dir = path / "data"
        self.environment = build_environment(self.data_dir)

    def leave(self, room: int) -> None:
        """Fill the disk but for so many bytes."""
        self.free()
        with (self.path / "filler").open("wb") as file:
            while (size := shutil.disk_usage(self.path).free - room) > 0:
                try:
                    os.posix_fallocate(file.fileno(), 0, size)
                except OSError as error:
                    # The server took some of it meanwhile.
                    assert error.errno == errno.ENOSPC
                else:
                    break

    def free(self) -> None:
        (self.path / "filler").unlink(missing_ok=True)

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return manage(*arguments, environment=self.environment)

    def digest(self) -> str:
        """Return a digest of all rows but those of requests, and of the names of all assets and backups."""
        digest = hashlib.sha256()
        with closing(sqlite3.connect(f"file:{self.data_dir / 'bigagi.sqlite3'}?mode=ro", uri=True)) as connection:
            names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for name in sorted(name for name in names if not any(word in name for word in OF_REQUESTS)):
                rows = connection.execute(f'SELECT * FROM "{name}"').fetchall()
                digest.update(repr((name, rows)).encode())
        for folder in ("assets", "backups", "uploads", "scratch"):
            files = sorted(str(path) for path in (self.data_dir / folder).rglob("*") if path.is_file())
            # What the check in the background has read is noted while requests go on.
            kept = [path for path in files if not path.endswith("lock") and "known-good" not in path]
            digest.update(repr(kept).encode())
        return digest.hexdigest()


@contextmanager
def mount_disk(path: Path) -> Iterator[SmallDisk]:
    path.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "none", str(path)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no file system of 20 MB can be mounted here: {mounted.stderr.strip()}")
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """Yield an empty disk."""
    with mount_disk(tmp_path / "small") as disk:
        yield disk


@pytest.fixture
def used_disk(disk: SmallDisk, first_start: dict[str, str]) -> SmallDisk:
    """Return a disk with a data folder that a server has set up."""
    shutil.copytree(first_start["BIGAGI_DATA_DIR"], disk.data_dir)
    return disk


@pytest.fixture(scope="module")
def serving(
    first_start: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[SmallDisk, Server]]:
    """Yield a disk, and the server on it, which stops as it should after all that it met."""
    with mount_disk(tmp_path_factory.mktemp("disk") / "small") as disk:
        shutil.copytree(first_start["BIGAGI_DATA_DIR"], disk.data_dir)
        with run_server(disk.environment) as server:
            yield disk, server
            disk.free()
            assert server.stop() == 0


def write_backup(path: Path, count: int = 12, images: int = 2, seed: int = 1) -> Path:
    chats = list(generators.make_conversations(count, 6, seed, images, old_every=0))
    generators.write_backup(path, chats, assets=[generators.make_asset(seed, 0, side=8)])
    return path


def check_problem(answer: Any) -> None:
    assert answer.status == 507, (answer.status, answer.text[:500])
    problem = answer.json()
    assert problem["type"].endswith("#disk-full")
    assert "Free some space" in problem["detail"]


def check_line(done: subprocess.CompletedProcess[str]) -> None:
    """Assert that a command says in one line that the disk is full."""
    assert done.returncode == 2, (done.args, done.returncode, done.stdout, done.stderr)
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert "full" in done.stderr or "free disk space" in done.stderr or "No space" in done.stderr, done.stderr


def test_signing_in_on_a_full_disk_leaves_the_link_unused(serving: tuple[SmallDisk, Server]):
    """The first one on the server: others sign in by its link."""
    disk, server = serving
    disk.leave(0)
    stranger = Client(server.url)
    answer = stranger.get(server.link)
    assert answer.status == 507 and "The disk is full." in answer.text, answer.text[:500]
    disk.free()
    assert server.sign_in().get("/account").status == 200


def test_requests_on_a_full_disk(serving: tuple[SmallDisk, Server]):
    disk, server = serving
    image = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 1500).decode()
    asset = {"id": "a", "assetType": "image", "data": {"mimeType": "image/png", "base64": image}}
    requests: list[tuple[str, str, Any]] = [
        ("POST", "/api/chats", {"id": "two", "messages": [], "userTitle": "x" * 300_000}),
        ("POST", "/api/files", {"id": "file", "name": "a.txt", "content": "y" * 300_000}),
        ("POST", "/api/assets", asset),
        ("DELETE", "/api/chats/two?purge=true", None),
    ]
    talker = Talker(server)
    talker.send("POST", "/api/chats", {"id": "one", "messages": []}, 201)
    for method, path, body in requests:
        refused = 0
        for room in ROOMS:
            before = disk.digest()
            disk.leave(room)
            answer = talker.send(method, path, body)
            if answer.status < 300:
                break
            check_problem(answer)
            disk.free()
            assert disk.digest() == before, (path, room)
            refused += 1
        else:
            disk.free()
            answer = talker.send(method, path, body)
        disk.free()
        assert answer.status < 300, (path, answer.text[:500])
        assert refused, path
    # What can be read is read.
    disk.leave(0)
    assert talker.get("/api/chats/one")["id"] == "one"
    for page in ("/", "/chat-test", "/admin/"):
        assert talker.client.get(page).status == 200
    disk.free()


def test_an_upload_on_a_full_disk(serving: tuple[SmallDisk, Server]):
    disk, server = serving
    content = write_backup(disk.path.parent / "upload.json", count=40, seed=7).read_bytes()
    ends = set()
    talker = Talker(server)
    count = talker.get("/api/chats?count=1")["count"]
    for room in (0, 2**20, RESERVE + 3 * len(content) + 2**16, None):
        before = disk.digest()
        disk.free() if room is None else disk.leave(room)
        answer = talker.client.post("/api/migrations", content, headers={"Content-Type": "application/json"})
        if answer.status == 507:
            check_problem(answer)
            disk.free()
            assert disk.digest() == before
            ends.add("refused")
            continue
        assert answer.status == 202, answer.text[:500]
        run = wait_for_run(talker, answer.json()["href"])
        ends.add(run["status"])
    assert run["status"] == "done", run
    assert talker.get("/api/chats?count=1")["count"] == count + 40
    assert "refused" in ends


def wait_for_run(talker: Talker, href: str) -> Any:
    """Return the run once it is over."""
    for _ in range(300):
        run = talker.get(href)
        if run["status"] != "running":
            return run
        time.sleep(0.1)
    raise AssertionError(run)


def test_an_answer_is_stored_once_there_is_room(serving: tuple[SmallDisk, Server]):
    disk, server = serving
    talker = Talker(server)
    chat = talker.make_chat(messages=[])
    seen = set()
    for room in [*ROOMS[:6], None]:
        before = disk.digest()
        if room is not None:
            disk.leave(room)
        text = "Write much. " + "z" * 100_000
        answer = talker.send("POST", f"/api/chats/{chat}/generate", {"message": {"text": text}})
        if answer.status == 507:
            check_problem(answer)
            assert "neither stored nor sent" in answer.json()["detail"]
            disk.free()
            assert disk.digest() == before
            seen.add("refused")
            continue
        assert answer.status == 200
        events = parse_events(answer.text)
        assert events[-1].name == "done"
        problems = [event.data["problem"] for event in events if event.name == "error"]
        assert all(problem["type"].endswith("#disk-full") for problem in problems), problems
        disk.free()
        uid = str(answer.headers["Location"]).rsplit("/", 1)[1]
        assert talker.wait_until_over(uid)["status"] == "done"
        seen.add("stored")
    assert seen == {"refused", "stored"}


def test_commands_on_a_full_disk(disk: SmallDisk):
    first = write_backup(disk.path.parent / "first.json", count=4)
    disk.path.joinpath("data").mkdir()
    disk.leave(0)
    check_line(disk.manage("start", "--port", "0"))
    check_line(disk.manage("import_indexeddb", str(first)))
    disk.free()
    imported = disk.manage("import_indexeddb", str(first))
    assert imported.returncode == 0, imported.stderr
    with run_server(disk.environment) as server:
        assert server.stop() == 0
    made = disk.manage("backup")
    assert made.returncode == 0, made.stderr
    backup = next((disk.data_dir / "backups").glob("*-manual"))
    before = disk.digest()
    for arguments in (
        ("start", "--port", "0"),
        ("sign_in_link",),
        ("create_token", "x"),
        ("backup",),
        ("restore", str(backup)),
        ("rebuild_ledger",),
    ):
        disk.leave(0)
        check_line(disk.manage(*arguments))
        disk.free()
        assert disk.digest() == before, arguments
    check_a_repair(disk)
    restored = disk.manage("restore", str(backup))
    assert restored.returncode == 0, restored.stderr
    with run_server(disk.environment) as server:
        chats = json.loads(server.sign_in().get("/api/chats?count=1").text)
        assert chats["count"] == 4
        assert server.stop() == 0


def check_a_repair(disk: SmallDisk) -> None:
    """Check that data can be checked on a full disk, and that a repair says so and is done once there is room."""
    damaged = next((disk.data_dir / "assets").glob("??/*"))
    good = damaged.read_bytes()
    damaged.chmod(0o600)
    damaged.write_bytes(b"rotten" + good[6:])
    disk.leave(0)
    found = disk.manage("check_data")
    assert found.returncode == 1 and str(damaged) in found.stderr, found.stderr
    refused = disk.manage("check_data", "--repair")
    assert refused.returncode in (1, 2) and "full" in refused.stderr, refused.stdout + refused.stderr
    assert "Traceback" not in refused.stderr and "Nothing" not in refused.stderr and "Repaired" not in refused.stdout
    disk.free()
    mended = disk.manage("check_data", "--repair")
    assert mended.returncode == 0, mended.stdout + mended.stderr
    assert damaged.read_bytes() == good


def test_an_import_under_which_the_disk_fills_up_is_completed_later(used_disk: SmallDisk):
    disk = used_disk
    path = write_backup(disk.path.parent / "many.json", count=300, images=0)
    log = disk.data_dir / "bigagi.sqlite3-wal"
    with start_import(path, disk.environment) as running:
        while running.poll() is None and not (log.exists() and log.stat().st_size > 2**19):
            time.sleep(0.005)
        disk.leave(0)
        output = running.communicate()[0]
    assert running.returncode == 1, output
    assert "The disk is full. What was imported until then is stored. Free some space" in output
    disk.free()
    done = disk.manage("import_indexeddb", str(path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "300" in done.stdout


def test_a_key_file_that_does_not_fit_leaves_none(disk: SmallDisk):
    path = disk.path / "own.key"
    disk.leave(0)
    with pytest.raises(OSError) as caught:
        write_private_once(path, "k" * 100)
    assert caught.value.errno == errno.ENOSPC
    assert [file.name for file in disk.path.glob("*own.key*")] == []
    disk.free()
    write_private_once(path, "k" * 100)
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("k" * 100, 0o600)
