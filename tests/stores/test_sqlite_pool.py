"""Connections that a server keeps between requests: never more than it may, and none that would show what is not so."""

import http.client
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings

from stores.sqlite.base import DatabaseWrapper
from stores.sqlite.pool import MOST, POOL
from tests.nightly import IS_NIGHT

REQUESTS = 10_000 if IS_NIGHT else 400


@pytest.fixture
def pool(django_db_blocker):
    POOL.open()
    with django_db_blocker.unblock():
        yield POOL
    POOL.close()


@pytest.fixture
def connect(tmp_path, pool):
    """Return a function that returns new wrappers, as threads have them, of a database with one table."""
    path = tmp_path / "kept.sqlite3"
    if settings.DATABASES["default"]["ENGINE"] != "stores.sqlite":
        pytest.skip("PostgreSQL has a pool of its own")
    given = settings.DATABASES["default"] | {"NAME": str(path), "TIME_ZONE": None, "CONN_HEALTH_CHECKS": False}
    given["AUTOCOMMIT"] = True

    def connect() -> DatabaseWrapper:
        wrapper = DatabaseWrapper(given)
        wrapper.ensure_connection()
        return wrapper

    first = connect()
    first.cursor().execute("CREATE TABLE numbers (number INTEGER)")
    first.cursor().execute("INSERT INTO numbers VALUES (1), (2), (3)")
    first.close()
    connect.path = path
    return connect


def numbers(wrapper: DatabaseWrapper) -> list[int]:
    with wrapper.cursor() as cursor:
        cursor.execute("SELECT number FROM numbers ORDER BY number")
        return [row[0] for row in cursor.fetchall()]


def test_a_connection_serves_one_request_after_another_and_never_two_at_once(connect):
    one = connect()
    raw = one.connection
    other = connect()
    assert other.connection is not raw
    one.close()
    again = connect()
    assert again.connection is raw


def test_a_statement_left_in_the_middle_does_not_hold_the_next_request_in_the_past(connect):
    one = connect()
    raw, left = one.connection, one.create_cursor()
    left.execute("SELECT number FROM numbers")
    left.fetchone()
    one.close()
    with sqlite3.connect(connect.path) as other:
        other.execute("INSERT INTO numbers VALUES (4)")
    other.close()
    again = connect()
    assert again.connection is raw
    assert numbers(again) == [1, 2, 3, 4]


def test_what_is_not_as_it_was_opened_is_closed(connect):
    in_transaction = connect()
    in_transaction.cursor().execute("BEGIN IMMEDIATE")
    in_transaction.cursor().execute("INSERT INTO numbers VALUES (5)")
    failed = connect()
    with pytest.raises(Exception, match="no such table"):
        failed.cursor().execute("SELECT 1 FROM strings")
    tuned = connect()
    tuned.keep_apart()
    for wrapper in (in_transaction, failed, tuned):
        raw = wrapper.connection
        wrapper.close()
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            raw.execute("SELECT 1")
    assert numbers(connect()) == [1, 2, 3]


def test_a_file_that_took_the_place_of_another_is_opened(connect, tmp_path):
    in_use, kept = connect(), connect()
    raw = kept.connection
    kept.close()
    with sqlite3.connect(tmp_path / "new") as other:
        other.execute("CREATE TABLE numbers (number INTEGER)")
        other.execute("INSERT INTO numbers VALUES (7)")
    other.close()
    for end in ("-wal", "-shm"):
        Path(f"{connect.path}{end}").unlink(missing_ok=True)
    os.replace(tmp_path / "new", connect.path)
    in_use.close()
    again = connect()
    assert not _is_open(raw)
    assert numbers(again) == [7]


def test_no_more_are_kept_than_may_be(connect, pool):
    wrappers = [connect() for _ in range(MOST + 3)]
    raws = [wrapper.connection for wrapper in wrappers]
    for wrapper in wrappers:
        wrapper.close()
    assert sum(_is_open(raw) for raw in raws) == MOST
    pool.close()
    assert not any(map(_is_open, raws))


def test_a_forked_process_touches_none_of_them(connect):
    kept = connect()
    raw = kept.connection
    kept.close()
    child = os.fork()
    if not child:
        os._exit(0 if connect().connection is not raw and _is_open(raw) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert connect().connection is raw


def _is_open(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("SELECT 1")
    except sqlite3.ProgrammingError:
        return False
    return True


@pytest.mark.slow
@pytest.mark.any_database
def test_many_requests_leave_no_connection_behind(server):
    files = Path(f"/proc/{server.process.pid}/fd")
    if not files.exists():
        pytest.skip("open files are told by /proc, which is Linux's")
    token = server.manage("create_token", "many").stdout.strip()

    def send(which: int) -> set[int]:
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)
        statuses = set()
        for at in range(REQUESTS // 20):
            path = ("/api/chats", "/api/stores", "/api/chats/none", "/")[(which + at) % 4]
            connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            answer.read()
            statuses.add(answer.status)
        connection.close()
        return statuses

    with ThreadPoolExecutor(20) as threads:
        assert set().union(*threads.map(send, range(20))) == {200, 302, 404}
    name = str(server.data_dir / "bigagi.sqlite3")
    opened = [target for file in files.iterdir() if (target := _target_of(file)) == name]
    # SQLite opens a file no more often than it had connections at once, one a thread, and keeps what it opened until
    # the last connection is closed.
    threads = len(list(files.with_name("task").iterdir()))
    assert 1 <= len(opened) <= MOST + threads < REQUESTS / 4
    server.stop()
    assert not Path(f"{name}-wal").exists()


def _target_of(file: Path) -> str:
    try:
        return os.readlink(file)
    except OSError:
        return ""
